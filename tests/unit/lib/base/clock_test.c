// SPDX-License-Identifier: Apache-2.0
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <errno.h>

static void a_minute_is_read_as_utc(void **)
{
	uint64_t ns;
	assert_int_equal(clock_parse_minute("2026/03/25 09:59", &ns), 0);
	assert_true(ns == 1774432740ull * NS_PER_SEC);
	assert_int_equal(clock_parse_minute("1970/01/01 00:00", &ns), 0);
	assert_true(ns == 0);
	assert_int_equal(clock_parse_minute("2024/02/29 23:59", &ns), 0);
}

static void what_is_no_minute_is_refused(void **)
{
	static const char *const texts[] = {
		"",
		"2026/03/25",
		"2026/03/25 9:59",
		"2026/03/25 09:59 ",
		"2026/03/25T09:59",
		"2026-03-25 09:59",
		"2026/02/29 00:00",
		"2026/13/01 00:00",
		"2026/00/01 00:00",
		"2026/04/31 00:00",
		"2026/01/01 24:00",
		"2026/01/01 00:60",
		"1969/12/31 23:59",
		"2026/03/25 09:5x",
		"   6/ 3/25  9: 9",
		"2026/03/25 09:59:00",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint64_t ns = 7;
		assert_int_equal(clock_parse_minute(texts[i], &ns), -EINVAL);
		assert_true(ns == 7);
	}
}

static void seconds_since_1970_have_32_bits(void **)
{
	assert_int_equal(clock_parse_sec("1774429200", 10), 1774429200);
	assert_int_equal(clock_parse_sec("4294967295", 10), UINT32_MAX);
	assert_int_equal(clock_parse_sec("4294967296", 10), 0);
	assert_int_equal(clock_parse_sec("9774429200", 10), 0);
	assert_int_equal(clock_parse_sec("99999999", 8), 0);
	assert_int_equal(clock_parse_sec("177442920x", 10), 0);
}

static void a_stamp_is_shown_in_utc(void **)
{
	char text[32];
	assert_string_equal(
		clock_format(1774432740ull * NS_PER_SEC, "%Y-%m-%d %H:%M:%S", text, sizeof(text)),
		"2026-03-25 09:59:00"
	);
	assert_string_equal(clock_format(0, "%Y-%m-%d", text, 4), ""); // no room: empty, not half
}

static void clocks_go_forward(void **)
{
	uint64_t a = clock_mono_ns(), b = clock_mono_ns();
	assert_true(b >= a);
	assert_true(clock_now_ns() > 1700000000ull * NS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minute_is_read_as_utc),
		cmocka_unit_test(what_is_no_minute_is_refused),
		cmocka_unit_test(seconds_since_1970_have_32_bits),
		cmocka_unit_test(a_stamp_is_shown_in_utc),
		cmocka_unit_test(clocks_go_forward),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
