// SPDX-License-Identifier: Apache-2.0
#include "collector/store/names.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

static void add(struct names *s, const char *name)
{
	char text[INDICATOR_NAME_MAX];
	name_reverse(name, strlen(name), text);
	assert_int_equal(names_add(s, text, strlen(name)), 0);
}

static void names_are_kept_once_and_sorted_with_those_below_them(void **)
{
	static const char *const want[] = {
		"gro.a", "ten.elpmaxe", "ten.elpmaxe-x", "ten.elpmaxe.a", "ten.elpmaxe.www"};
	struct names s;
	names_init(&s);
	for (int i = 0; i < 3; i++) {
		add(&s, "www.example.net");
		add(&s, "x-example.net");
		add(&s, "example.net");
		add(&s, "a.example.net");
		add(&s, "a.org");
	}
	names_sort(&s);
	assert_int_equal(s.n, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(s.items[i].len, strlen(want[i]));
		assert_memory_equal(names_text(&s, i), want[i], s.items[i].len);
	}
	assert_false(s.is_over);
	names_fini(&s);
}

static void rows_give_their_names_in_one_form(void **)
{
	static const char *const seen[] = {
		"WWW.Example.NET.", "www.example.net", "", "nolabels", "bad name.org", "10.0.0.1"};
	struct record_batch *b = record_batch_create(6);
	struct names s;
	for (int i = 0; i < 6; i++) {
		struct record r = rows_record(ROWS_HOUR);
		uint16_t len = (uint16_t)strlen(seen[i]);
		RECORD_SET(&r, server_name, ((struct record_str){seen[i], len}));
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	names_init(&s);
	assert_int_equal(names_add_batch(&s, b), 0);
	assert_true(s.any_row);
	assert_int_equal(s.n, 1);
	assert_memory_equal(names_text(&s, 0), "ten.elpmaxe.www", 15);
	names_fini(&s);
	record_batch_free(b);
}

static void a_set_without_names_has_none(void **)
{
	struct record_batch *b = record_batch_create(1);
	struct record r = {0};
	struct names s;
	RECORD_SET(&r, dport, 53);
	assert_int_equal(record_batch_add(b, &r), 0);
	names_init(&s);
	assert_int_equal(names_add_batch(&s, b), 0);
	assert_int_equal(names_add(&s, "", 0), 0);
	names_sort(&s);
	assert_false(s.any_row);
	assert_int_equal(s.n, 0);
	names_fini(&s);
	record_batch_free(b);
}

static void a_set_that_is_full_says_so(void **)
{
	struct names s;
	char text[24];
	names_init(&s);
	for (uint32_t i = 0; i < NAMES_MAX; i++) {
		int len = snprintf(text, sizeof(text), "ten.%x", i);
		assert_int_equal(names_add(&s, text, (size_t)len), 0);
	}
	assert_false(s.is_over);
	assert_int_equal(names_add(&s, "ten.0", 5), 0);
	assert_false(s.is_over);
	assert_int_equal(names_add(&s, "ten.one-too-many", 16), 0);
	assert_true(s.is_over);
	assert_int_equal(s.n, NAMES_MAX);
	names_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_kept_once_and_sorted_with_those_below_them),
		cmocka_unit_test(rows_give_their_names_in_one_form),
		cmocka_unit_test(a_set_without_names_has_none),
		cmocka_unit_test(a_set_that_is_full_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
