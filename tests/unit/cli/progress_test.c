// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <string.h>

static const struct progress half = {.verb = "importing", .unit = "flows", .total = 1000};

static char line[PROGRESS_LINE_LEN];

static void
format(const struct progress *p,
       uint64_t elapsed_ns,
       uint64_t done,
       uint64_t items,
       unsigned columns)
{
	struct progress_state at = {elapsed_ns, done, items};
	progress_format(p, &at, columns, line);
}

static void counts_are_short(void **)
{
	static const struct {
		uint64_t n;
		const char *text;
	} known[] = {
		{0, "0"},
		{999, "999"},
		{1000, "1.0 k"},
		{99949, "99.9 k"},
		{100000, "100 k"},
		{999499, "999 k"},
		{999999, "1.0 M"},
		{1234567890, "1.2 G"},
		{UINT64_MAX, "18446744 T"},
	};
	char text[16];
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_string_equal(progress_count(known[i].n, text), known[i].text);
}

static void the_line_has_share_rate_and_what_is_left(void **)
{
	format(&half, 10 * NS_PER_SEC, 500, 20000, 100);
	assert_string_equal(
		line,
		"importing  50 % [###############...............] 20.0 k flows, 2.0 k/s, ETA 0:10"
	);
	format(&half, 10 * NS_PER_SEC, 1, 20000, 100);
	assert_non_null(strstr(line, "ETA 2:46:30"));
	format(&half, 10 * NS_PER_SEC, 2000, 20000, 100); // more than was expected
	assert_non_null(strstr(line, "100 %"));
	assert_non_null(strstr(line, "ETA 0:00"));
}

static void an_unknown_total_has_no_bar(void **)
{
	struct progress p = half;
	p.total = 0;
	format(&p, 2 * NS_PER_SEC, 500, 3000, 100);
	assert_string_equal(line, "importing 3.0 k flows, 1.5 k/s");
}

static void no_line_is_wider_than_its_terminal(void **)
{
	for (unsigned columns = 1; columns < 400; columns++) {
		format(&half, 12345 * NS_PER_SEC, 1, 1ull << 60, columns);
		assert_true(strlen(line) < columns);
		assert_true(strlen(line) < sizeof(line));
	}
}

static void nothing_is_drawn_where_nobody_looks(void **)
{
	struct progress p;
	progress_begin(&p, "importing", "flows", 10);
	p.is_terminal = false;
	p.begin_ns -= 60 * NS_PER_SEC;
	progress_update(&p, 5, 5);
	assert_false(p.is_drawn);
	progress_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_short),
		cmocka_unit_test(the_line_has_share_rate_and_what_is_left),
		cmocka_unit_test(an_unknown_total_has_no_bar),
		cmocka_unit_test(no_line_is_wider_than_its_terminal),
		cmocka_unit_test(nothing_is_drawn_where_nobody_looks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
