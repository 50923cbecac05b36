// SPDX-License-Identifier: Apache-2.0
#include "lib/base/config.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct settings {
	char *name;
	int64_t count, timeout_ns, size;
	bool on;
	struct config_list list;
	struct config_map groups;
};

#define AT(m) offsetof(struct settings, m)

static const struct config_item items[] = {
	{"sensor.name", "name", "S", CONFIG_STRING, AT(name), 0, 0, "weir", "a name"},
	{"sensor.count", "count", "N", CONFIG_INT, AT(count), 1, 10, "3", "a count"},
	{"sensor.timeout", NULL, NULL, CONFIG_DURATION, AT(timeout_ns), 0, 0, "30s", "a time"},
	{"sensor.size", NULL, NULL, CONFIG_SIZE, AT(size), 0, 0, "64 MiB", "a size"},
	{"sensor.on", "on", NULL, CONFIG_BOOL, AT(on), 0, 0, NULL, "a switch"},
	{"sensor.list", "list", "L", CONFIG_LIST, AT(list), 0, 0, "a b", "a list"},
	{"groups.*", NULL, NULL, CONFIG_MAP, AT(groups), 0, 0, NULL, "groups"},
};

static const struct config_program program = {
	.name = "test",
	.section = "sensor",
	.synopsis = "",
	.about = "",
	.items = items,
	.n_items = sizeof(items) / sizeof(items[0]),
	.size = sizeof(struct settings),
};

static char file_path[] = "/tmp/weir-config-test-XXXXXX";

static int make_file(void **)
{
	int fd = mkstemp(file_path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **)
{
	return unlink(file_path);
}

static void write_file(const char *text)
{
	FILE *f = fopen(file_path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int load(const char *text, struct settings *s, char what[256])
{
	write_file(text);
	memset(s, 0, sizeof(*s));
	return config_yaml_load(&program, file_path, s, what, 256);
}

static int parse(struct settings *s, int *ret_rest, int argc, const char *const *words)
{
	memset(s, 0, sizeof(*s));
	return config_parse(&program, argc, (char **)(uintptr_t)words, s, ret_rest);
}

#define PARSE(s, ret_rest, ...)                                                                    \
	parse(s,                                                                                   \
	      ret_rest,                                                                            \
	      (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                       \
	      (const char *const[]){__VA_ARGS__, NULL})

static void defaults_hold_when_nothing_is_said(void **)
{
	struct settings s;
	assert_int_equal(PARSE(&s, NULL, "test"), CONFIG_RUN);
	assert_string_equal(s.name, "weir");
	assert_int_equal(s.count, 3);
	assert_true(s.timeout_ns == 30000000000);
	assert_int_equal(s.size, 64 << 20);
	assert_false(s.on);
	assert_int_equal(s.list.n, 2);
	assert_string_equal(s.list.items[1], "b");
	config_free(&program, &s);
}

static void flags_win_over_the_file_and_it_over_defaults(void **)
{
	struct settings s;
	int rest = 0;
	write_file("sensor:\n  name: file\n  count: 5\n  list: [x, y, z]\n  timeout: 250ms\n"
		   "groups:\n  red: [192.0.2.0/24]\n  blue: [198.51.100.1, 198.51.100.2]\n");
	int ret =
		PARSE(&s,
		      &rest,
		      "test",
		      "--count",
		      "7",
		      "-c",
		      file_path,
		      "--on",
		      "--list=p",
		      "--",
		      "-l",
		      "0");
	assert_int_equal(ret, CONFIG_RUN);
	assert_string_equal(s.name, "file");
	assert_int_equal(s.count, 7);
	assert_true(s.timeout_ns == 250000000);
	assert_true(s.on);
	assert_int_equal(s.list.n, 1); // the flag's list replaces the file's
	assert_string_equal(s.list.items[0], "p");
	assert_int_equal(s.groups.n, 2);
	assert_string_equal(s.groups.entries[1].name, "blue");
	assert_int_equal(s.groups.entries[1].values.n, 2);
	assert_int_equal(rest, 8);
	config_free(&program, &s);
}

static void a_fault_is_told_with_line_and_column(void **)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"sensor:\n  count: 11\n", ":2:10: sensor.count: value out of range"},
		{"sensor:\n  count: many\n", ":2:10: sensor.count: expected a whole number"},
		{"sensor:\n  colour: red\n", ":2:3: sensor.colour: unknown key"},
		{"sensors:\n  a: 1\n", ":2:3: sensors.a: unknown key"},
		{"sensor:\n  count: [1]\n", ":2:10: sensor.count: expected one value, not a list"},
		{"sensor:\n  timeout: 5 lightyears\n",
		 ":2:12: sensor.timeout: expected a duration"},
		{"sensor:\n  count: 1\n  count: 2\n", ":3:3: sensor.count: key given twice"},
		{"- a\n", ":1:1: expected keys and values"},
		{"sensor: [\n", ":2:1: "},
		{"sensor:\n  list: [{a: b}]\n", ":2:10: sensor.list: expected a plain value"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings s;
		char what[256];
		assert_true(load(cases[i].text, &s, what) < 0);
		assert_ptr_equal(strstr(what, file_path), what);
		if (strncmp(what + strlen(file_path), cases[i].want, strlen(cases[i].want)) != 0)
			fail_msg("%s, wanted %s", what, cases[i].want);
		config_free(&program, &s);
	}
}

static void other_programs_sections_are_left_alone(void **)
{
	struct settings s;
	char what[256];
	assert_int_equal(
		load("collector:\n  listen: [a]\napi: {x: {y: 1}}\ncontrol: /x\n", &s, what), 0
	);
	config_free(&program, &s);
	assert_int_equal(load("", &s, what), 0);
	config_free(&program, &s);
}

static void wrong_words_end_with_status_2_and_wrong_files_with_78(void **)
{
	struct settings s;
	assert_int_equal(PARSE(&s, NULL, "test", "--colour"), CONFIG_EXIT_USAGE);
	assert_int_equal(PARSE(&s, NULL, "test", "word"), CONFIG_EXIT_USAGE);
	assert_int_equal(PARSE(&s, NULL, "test", "--count"), CONFIG_EXIT_USAGE);
	assert_int_equal(PARSE(&s, NULL, "test", "-c"), CONFIG_EXIT_USAGE);
	assert_int_equal(PARSE(&s, NULL, "test", "--count", "11"), CONFIG_EXIT_USAGE);
	config_free(&program, &s);
	assert_int_equal(PARSE(&s, NULL, "test", "-c", "/nonexistent.yaml"), CONFIG_EXIT_BAD);
	config_free(&program, &s);
	write_file("sensor: {count: 0}\n");
	assert_int_equal(
		PARSE(&s, NULL, "test", "-c", file_path, "--check-config"), CONFIG_EXIT_BAD
	);
	config_free(&program, &s);
	assert_int_equal(PARSE(&s, NULL, "test", "--check-config"), 0);
	config_free(&program, &s);
}

static void what_is_printed_can_be_read_back(void **)
{
	struct settings s;
	int saved = dup(STDOUT_FILENO);
	fflush(stdout);
	assert_non_null(freopen(file_path, "w", stdout));
	config_print(&program);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_int_equal(PARSE(&s, NULL, "test", "-c", file_path), CONFIG_RUN);
	assert_string_equal(s.name, "weir");
	assert_true(s.timeout_ns == 30000000000);
	assert_int_equal(s.list.n, 2);
	assert_int_equal(s.groups.n, 0);
	config_free(&program, &s);
}

static void numbers_that_overflow_are_refused(void **)
{
	struct settings s;
	char what[256];
	assert_true(load("sensor:\n  size: 99999999999999999999\n", &s, what) < 0);
	assert_true(load("sensor:\n  size: 9999999999 G\n", &s, what) < 0);
	assert_true(load("sensor:\n  timeout: 400000000d\n", &s, what) < 0);
	config_free(&program, &s);
}

static void words_are_operands_where_the_table_takes_them(void **)
{
	static const struct config_item with_operands[] = {
		{NULL, "name", "S", CONFIG_STRING, AT(name), 0, 0, NULL, "a name"},
		{.arg = "FILE", .type = CONFIG_LIST, .offset = AT(list), .text = "files"},
	};
	struct config_program p = program;
	p.items = with_operands;
	p.n_items = 2;
	char *words[] = {"test", "one", "--name", "x", "-", "two", NULL};
	struct settings s = {};
	assert_int_equal(config_parse(&p, 6, words, &s, NULL), CONFIG_RUN);
	assert_int_equal(s.list.n, 3);
	assert_string_equal(s.list.items[1], "-");
	assert_string_equal(s.name, "x");
	config_free(&p, &s);
	char *wrong[] = {"test", "-one", NULL};
	assert_int_equal(config_parse(&p, 2, wrong, &s, NULL), CONFIG_EXIT_USAGE);
	assert_int_equal(PARSE(&s, NULL, "test", "word"), CONFIG_EXIT_USAGE);
	config_free(&program, &s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold_when_nothing_is_said),
		cmocka_unit_test(flags_win_over_the_file_and_it_over_defaults),
		cmocka_unit_test(a_fault_is_told_with_line_and_column),
		cmocka_unit_test(other_programs_sections_are_left_alone),
		cmocka_unit_test(wrong_words_end_with_status_2_and_wrong_files_with_78),
		cmocka_unit_test(what_is_printed_can_be_read_back),
		cmocka_unit_test(numbers_that_overflow_are_refused),
		cmocka_unit_test(words_are_operands_where_the_table_takes_them),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
