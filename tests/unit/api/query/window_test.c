// SPDX-License-Identifier: Apache-2.0
#include "api/query/window.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static char error[QUERY_ERROR_LEN];

static int parse(const char *text, struct window *ret)
{
	static struct query q;
	if (query_parse(text, strlen(text), &q, error) < 0)
		fail_msg("%s", error);
	strcpy(error, "");
	return window_parse(&q, ret, error);
}

static int parse_pair(const char *start, const char *end, struct window *ret)
{
	char text[256];
	snprintf(text, sizeof(text), "start=%s&end=%s", start, end);
	return parse(text, ret);
}

static struct window good(const char *start, const char *end)
{
	struct window w = {};
	if (parse_pair(start, end, &w) < 0)
		fail_msg("%s to %s: %s", start, end, error);
	assert_string_equal(w.start, start);
	assert_string_equal(w.end, end);
	return w;
}

// Neither as a start nor as an end; and what was there stays.
static void check_refused(const char *text)
{
	struct window w = {.from_ns = 7, .to_ns = 8};
	if (parse_pair(text, "2026/03/25 09:59", &w) != -EINVAL)
		fail_msg("accepted as start: %s", text);
	assert_non_null(strstr(error, "'start'"));
	if (parse_pair("2026/03/25 09:00", text, &w) != -EINVAL)
		fail_msg("accepted as end: %s", text);
	assert_non_null(strstr(error, "'end'"));
	assert_int_equal(w.from_ns, 7);
	assert_int_equal(w.to_ns, 8);
}

static void the_minute_of_the_end_is_included(void **)
{
	struct window w = good("2026/03/25 09:00", "2026/03/25 09:59");
	assert_int_equal(w.from_ns, 1774429200 * NS_PER_SEC);
	assert_int_equal(w.to_ns, 1774429200 * NS_PER_SEC + NS_PER_HOUR - 1);
	assert_int_equal(window_sec(&w), 3600);
	assert_int_equal(window_hours(&w), 1);
}

static void a_window_of_one_minute_has_60_seconds(void **)
{
	struct window w = good("2026/03/25 09:59", "2026/03/25 09:59");
	assert_int_equal(w.to_ns - w.from_ns, 60 * NS_PER_SEC - 1);
	assert_int_equal(window_sec(&w), 60);
	assert_int_equal(window_hours(&w), 1);
}

static void hours_touched_are_counted(void **)
{
	struct window w = good("2026/03/25 09:59", "2026/03/25 10:00");
	assert_int_equal(window_hours(&w), 2);
	w = good("2026/03/25 00:00", "2026/03/25 23:59");
	assert_int_equal(window_hours(&w), 24);
	assert_int_equal(window_sec(&w), 86400);
}

static void windows_meet_without_gap_or_overlap(void **)
{
	struct window a = good("2026/03/25 09:00", "2026/03/25 09:59");
	struct window b = good("2026/03/25 10:00", "2026/03/25 10:59");
	assert_int_equal(a.to_ns + 1, b.from_ns);
	a = good("2025/12/31 00:00", "2025/12/31 23:59");
	b = good("2026/01/01 00:00", "2026/01/01 23:59");
	assert_int_equal(a.to_ns + 1, b.from_ns);
}

static void leap_days_are_where_the_calendar_has_them(void **)
{
	struct window w = good("2024/02/28 00:00", "2024/02/29 23:59");
	assert_int_equal(window_sec(&w), 2 * 86400);
	w = good("2024/02/29 00:00", "2024/03/01 23:59");
	assert_int_equal(window_sec(&w), 2 * 86400);
	w = good("2026/02/28 00:00", "2026/03/01 23:59");
	assert_int_equal(window_sec(&w), 2 * 86400);
	good("2000/02/29 00:00", "2000/02/29 00:00");
	check_refused("2023/02/29 00:00");
	check_refused("2100/02/29 00:00"); // divides by 100
	check_refused("2024/02/30 00:00");
}

static void there_is_no_summer_time(void **)
{
	struct window w = good("2026/03/29 00:00", "2026/03/29 23:59");
	assert_int_equal(window_sec(&w), 86400);
	w = good("2026/10/25 00:00", "2026/10/25 23:59");
	assert_int_equal(window_sec(&w), 86400);
}

static void years_go_from_1970_to_2499(void **)
{
	struct window w = good("1970/01/01 00:00", "2499/12/31 23:59");
	assert_int_equal(w.from_ns, 0);
	assert_int_equal(w.to_ns, 16725225600 * NS_PER_SEC - 1);
	assert_int_equal(window_sec(&w), 16725225600);
	check_refused("1969/12/31 23:59");
	check_refused("2500/01/01 00:00");
	check_refused("2554/07/22 00:00"); // beyond 64 bits of ns
	check_refused("9999/12/31 23:59");
	check_refused("0000/01/01 00:00");
}

static void a_start_after_the_end_is_refused(void **)
{
	struct window w = {};
	assert_int_equal(parse_pair("2026/03/25 10:00", "2026/03/25 09:59", &w), -EINVAL);
	assert_string_equal(error, "parameter 'start' is after 'end'");
	assert_int_equal(parse_pair("2026/01/01 00:00", "2025/12/31 23:59", &w), -EINVAL);
	assert_int_equal(w.to_ns, 0);
}

static void both_ends_are_required(void **)
{
	struct window w;
	assert_int_equal(parse("end=2026/03/25 09:59", &w), -EINVAL);
	assert_non_null(strstr(error, "'start' is required"));
	assert_int_equal(parse("start=2026/03/25 09:00", &w), -EINVAL);
	assert_non_null(strstr(error, "'end' is required"));
	assert_int_equal(parse("", &w), -EINVAL);
	assert_int_equal(parse("Start=2026/03/25 09:00&END=2026/03/25 09:59", &w), -EINVAL);
}

static void a_window_may_come_escaped(void **)
{
	struct window w;
	assert_int_equal(
		parse("start=2026%2F03%2F25+09%3A00&end=2026/03/25%2009:59&entity=x", &w), 0
	);
	assert_string_equal(w.start, "2026/03/25 09:00");
	assert_int_equal(w.from_ns, 1774429200 * NS_PER_SEC);
}

static void other_forms_are_refused(void **)
{
	static const char *const texts[] = {
		"",
		"now",
		"2026/03/25",
		"09:00",
		"2026-03-25 09:00",
		"2026/03/25T09:00",
		"2026/03/25 09:00:00",
		"2026/03/25 9:00",
		"2026/3/25 09:00",
		"26/03/25 09:00",
		"02026/03/25 09:00",
		"2026/03/25 24:00",
		"2026/03/25 09:60",
		"2026/00/25 09:00",
		"2026/13/25 09:00",
		"2026/03/00 09:00",
		"2026/03/32 09:00",
		"2026/04/31 09:00",
		"2026/03/25 -9:00",
		"-026/03/25 09:00",
		"2026/03/25 09.00",
		"2026/03/25 09:00 ",
		" 2026/03/25 09:00",
		"2026/03/25 09:00Z",
		"2026/ 3/25 09:00",
		"2026/03/25  9: 0",
		"2026/03/25 + 9:0",
		"2026/03/25 09:0\xd9\xa0",
		"1774429200",
		"9223372036854775807",
		"2026/03/25 09:00 and more of it than a window has room for"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check_refused(texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_minute_of_the_end_is_included),
		cmocka_unit_test(a_window_of_one_minute_has_60_seconds),
		cmocka_unit_test(hours_touched_are_counted),
		cmocka_unit_test(windows_meet_without_gap_or_overlap),
		cmocka_unit_test(leap_days_are_where_the_calendar_has_them),
		cmocka_unit_test(there_is_no_summer_time),
		cmocka_unit_test(years_go_from_1970_to_2499),
		cmocka_unit_test(a_start_after_the_end_is_refused),
		cmocka_unit_test(both_ends_are_required),
		cmocka_unit_test(a_window_may_come_escaped),
		cmocka_unit_test(other_forms_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
