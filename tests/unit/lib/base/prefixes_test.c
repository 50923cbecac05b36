// SPDX-License-Identifier: Apache-2.0
#include "lib/base/prefixes.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>

static char v4[] = "192.0.2.0/24", v6[] = "2001:db8::/32", host_bits[] = "192.0.2.1/24",
	    word[] = "x";

static void networks_of_both_families_come_in_their_order(void **)
{
	char *items[] = {v4, v6};
	struct config_list list = {.items = items, .n = 2};
	assert_true(prefixes_are_valid(&list));
	struct prefix *p = prefixes_of(&list);
	assert_non_null(p);
	assert_int_equal(p[0].len, 96 + 24);
	assert_int_equal(p[1].len, 32);
	free(p);
}

static void one_that_is_none_spoils_the_list(void **)
{
	char *bits[] = {v4, host_bits}, *words[] = {word, v4};
	assert_false(prefixes_are_valid(&(struct config_list){.items = bits, .n = 2}));
	assert_false(prefixes_are_valid(&(struct config_list){.items = words, .n = 2}));
}

static void an_empty_list_is_no_lack_of_memory(void **)
{
	struct config_list none = {};
	assert_true(prefixes_are_valid(&none));
	struct prefix *p = prefixes_of(&none);
	assert_non_null(p);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_of_both_families_come_in_their_order),
		cmocka_unit_test(one_that_is_none_spoils_the_list),
		cmocka_unit_test(an_empty_list_is_no_lack_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
