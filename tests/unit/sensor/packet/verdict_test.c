// SPDX-License-Identifier: Apache-2.0
#include "sensor/packet/verdict.h"
#include "tests/unit/cmocka.h"

#include <string.h>

static void keeping_is_verdict_zero(void **)
{
	assert_int_equal(PACKET_KEEP, 0);
}

static void every_verdict_has_a_name_for_counters_and_a_text(void **)
{
	for (int v = 0; v < PACKET_N_VERDICTS; v++) {
		const char *name = verdicts[v].name;
		assert_true(strlen(name) > 0);
		assert_int_equal(
			strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name)
		);
		assert_true(strlen(verdicts[v].text) > 0);
	}
}

static void no_two_verdicts_share_a_name(void **)
{
	for (int a = 0; a < PACKET_N_VERDICTS; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(verdicts[a].name, verdicts[b].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeping_is_verdict_zero),
		cmocka_unit_test(every_verdict_has_a_name_for_counters_and_a_text),
		cmocka_unit_test(no_two_verdicts_share_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
