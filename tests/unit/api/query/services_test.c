// SPDX-License-Identifier: Apache-2.0
#include "api/query/services.h"
#include "tests/unit/cmocka.h"

#include <string.h>

static const struct {
	unsigned port;
	const char *label;
} table[] = {
#define SERVICE(port, label) {port, label},
#include "api/query/services.def"
#undef SERVICE
};

#define N (sizeof(table) / sizeof(table[0]))

static void each_port_of_the_table_has_its_name(void **)
{
	for (size_t i = 0; i < N; i++) {
		assert_in_range(table[i].port, 1, UINT16_MAX);
		assert_string_equal(services_find((uint16_t)table[i].port), table[i].label);
		// sorted, or the search misses; and each once
		assert_true(i == 0 || table[i - 1].port < table[i].port);
	}
}

static void any_other_port_has_none(void **)
{
	size_t n_named = 0;
	for (unsigned port = 0; port <= UINT16_MAX; port++)
		n_named += *services_find((uint16_t)port) != '\0';
	assert_int_equal(n_named, N);
	assert_string_equal(services_find(0), "");
	assert_string_equal(services_find(UINT16_MAX), "");
}

static void names_are_short_plain_text(void **)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	for (size_t i = 0; i < N; i++) {
		size_t len = strlen(table[i].label);
		assert_in_range(len, 2, 20);
		assert_int_equal(strspn(table[i].label, plain), len);
	}
	assert_string_equal(services_find(443), "HTTPS");
	assert_string_equal(services_find(53), "DNS");
	assert_string_equal(services_find(4739), "IPFIX");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_port_of_the_table_has_its_name),
		cmocka_unit_test(any_other_port_has_none),
		cmocka_unit_test(names_are_short_plain_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
