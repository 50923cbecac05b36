// SPDX-License-Identifier: Apache-2.0
#include "api/query/time.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <string.h>

#define NINE (1774429200 * NS_PER_SEC) // 2026-03-25 09:00

static void times_of_every_form(void **)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{"2026-03-25T09:00:00Z", NINE},
		{"2026-03-25T10:00:00+01:00", NINE},
		{"2026-03-25T09:00:00.000000001Z", NINE + 1},
		{"2026-03-25T09:00:00.5Z", NINE + NS_PER_SEC / 2},
		{"2026-03-25T09:00:00.1234567899Z", NINE + 123456789},
		{"2026-03-25T09:00Z", NINE},
		{"2026-03-25", NINE - 9 * NS_PER_HOUR},
		{"2026/03/25 09:00", NINE},
		{"1774429200", NINE},
	};
	uint64_t ns;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (time_parse(cases[i].text, strlen(cases[i].text), &ns) < 0 || ns != cases[i].ns)
			fail_msg("%s", cases[i].text);
	}
}

static void what_is_no_time(void **)
{
	static const char *const cases[] = {
		"",
		"now",
		"2026",
		"2026-13-01",
		"2026-03-25T09:00:00X",
		"09:00",
		"2026-03-25T09:00:00.5.5Z",
		"-5",
		"0",
		"2026-03-25T09:00:00.00000000000000000000000000000000000000000000000000000Z",
	};
	uint64_t ns;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (time_parse(cases[i], strlen(cases[i]), &ns) != -EINVAL)
			fail_msg("%s", cases[i]);
	assert_int_equal(time_parse("2026-03-25\0", 11, &ns), -EINVAL);
}

static void spans(void **)
{
	uint64_t sec;
	static const struct {
		const char *text;
		uint64_t sec;
	} cases[] = {{"90", 90}, {"90s", 90}, {"5m", 300}, {"1h", 3600}, {"2d", 172800}};
	static const char *const wrong[] = {"", "0", "m", "5mm", "5x", "-5", "99999999999", "5 m"};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(time_parse_span(cases[i].text, &sec), 0);
		assert_int_equal(sec, cases[i].sec);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(time_parse_span(wrong[i], &sec), -EINVAL);
}

static void times_are_written_as_short_as_they_are(void **)
{
	char text[TIME_TEXT_LEN];
	assert_string_equal(time_format(NINE, text), "2026-03-25T09:00:00Z");
	assert_string_equal(
		time_format(NINE + 120 * NS_PER_MSEC, text), "2026-03-25T09:00:00.120Z"
	);
	assert_string_equal(
		time_format(NINE + 7 * NS_PER_USEC, text), "2026-03-25T09:00:00.000007Z"
	);
	assert_string_equal(time_format(NINE + 1, text), "2026-03-25T09:00:00.000000001Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_of_every_form),
		cmocka_unit_test(what_is_no_time),
		cmocka_unit_test(spans),
		cmocka_unit_test(times_are_written_as_short_as_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
