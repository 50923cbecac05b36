// SPDX-License-Identifier: Apache-2.0
#include "collector/store/checksum.h"
#include "collector/store/name_table.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/stores.h"
#include "tests/unit/collector/store/values.h"

static void fill(struct names *s, uint32_t n)
{
	char name[64], text[64];
	names_init(s);
	for (uint32_t i = 0; i < n; i++) {
		int len = snprintf(name, sizeof(name), "h%u.zone%u.example", i, i % 7);
		name_reverse(name, (size_t)len, text);
		assert_int_equal(names_add(s, text, (size_t)len), 0);
	}
	names_sort(s);
}

static int decode(void *ctx, const void *p, size_t len)
{
	return name_table_decode((struct slice){p, len}, ctx);
}

static void parts_come_back_and_damaged_ones_do_not(void **)
{
	static const uint32_t sizes[] = {0, 1, 2, 100, TABLE_NAMES};
	struct table_names *t = calloc(1, sizeof(*t));
	struct values values = {decode, t};
	for (size_t k = 0; k < 5; k++) {
		struct names s;
		struct bytes out = {};
		fill(&s, sizes[k]);
		assert_int_equal(name_table_encode(&s, 0, sizes[k], &out), 0);
		assert_int_equal(values_decode(&values, out.p, out.len), 0);
		assert_int_equal(t->n, sizes[k]);
		for (uint32_t i = 0; i < t->n; i++) {
			assert_int_equal(t->len[i], s.items[i].len);
			assert_memory_equal(t->text + t->off[i], names_text(&s, i), t->len[i]);
			assert_int_equal(name_table_find(t, 0, names_text(&s, i), t->len[i]), i);
		}
		assert_int_equal(name_table_find(t, 0, "\x7f", 1), t->n);
		if (t->n < TABLE_NAMES && t->n) {
			values_refuse_truncation(&values, &out);
			values_refuse_flips(&values, &out);
		}
		bytes_fini(&out);
		names_fini(&s);
	}
	free(t);
}

static void names_that_cannot_be_are_refused(void **)
{
	static const struct {
		const char *bytes;
		size_t len;
		int want;
	} cases[] = {
		{"\1\1\0\5ten.a", 9, 0},
		{"\1\2\0\5ten.a\5\1b", 12, 0},
		{"\2\1\0\5ten.a", 9, -EIO},	  // a version of tomorrow
		{"\1\2\0\5ten.a\6\1b", 12, -EIO}, // more in common than there is
		{"\1\2\0\5ten.b\4\1a", 12, -EIO}, // falls
		{"\1\2\0\5ten.a\5\0", 11, -EIO},  // twice
		{"\1\1\0\0", 4, -EIO},		  // of no bytes
		{"\1\1\0\5ten.aX", 10, -EIO},	  // more behind them
		{"\1\2\0\5ten.a", 9, -EIO},	  // fewer than it says
		{"\1\200\10\0\5ten.a", 10, -EIO}, // 1024, but one
		{"\1\201\10\0\5ten.a", 10, -EIO}, // more than a part has
	};
	struct table_names *t = calloc(1, sizeof(*t));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct values values = {decode, t};
		struct bytes out = {};
		bytes_put(&out, cases[i].bytes, cases[i].len);
		bytes_u64(&out, checksum64(out.p, out.len));
		assert_int_equal(values_decode(&values, out.p, out.len), cases[i].want);
		bytes_fini(&out);
	}
	free(t);
}

// n rows with names of their own in an hour.
static void commit(struct stores *f, uint32_t hour, uint32_t from, uint32_t n)
{
	struct record_batch *b = record_batch_create(n);
	for (uint32_t i = 0; i < n; i++) {
		char name[300];
		struct record r = rows_record(hour);
		int len = snprintf(
			name,
			sizeof(name),
			"n%u.a-zone-whose-name-is-longer-than-the-key-has-room.example",
			from + i
		);
		RECORD_SET(&r, server_name, ((struct record_str){name, (uint16_t)len}));
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
	record_batch_free(b);
}

static uint32_t count(struct stores *f, uint32_t hour, int want_open)
{
	struct name_walk *w = calloc(1, sizeof(*w));
	uint32_t n = 0;
	assert_int_equal(name_walk_open(w, stores_view(f), 0, hour), want_open);
	int ret = want_open ? name_walk_seek(w, "", 0) : 0;
	for (; ret > 0; ret = name_walk_next(w))
		n += w->part.n;
	assert_int_equal(ret, 0);
	free(w);
	return n;
}

static void sealing_keeps_names_and_late_rows_join_them(void **state)
{
	struct stores *f = *state;
	commit(f, ROWS_HOUR, 0, 3000);
	stores_seal(f);
	assert_int_equal(count(f, ROWS_HOUR, 1), 3000);
	commit(f, ROWS_HOUR, 2500, 1000);
	stores_seal(f);
	assert_int_equal(count(f, ROWS_HOUR, 1), 3500);
	assert_int_equal(count(f, ROWS_HOUR + 1, 0), 0);
}

static void a_seek_never_passes_the_name(void **state)
{
	struct stores *f = *state;
	struct name_walk *w = calloc(1, sizeof(*w));
	commit(f, ROWS_HOUR, 0, 5000);
	stores_seal(f);
	assert_int_equal(name_walk_open(w, stores_view(f), 0, ROWS_HOUR), 1);
	for (uint32_t i = 0; i < 5000; i += 37) {
		char name[80], text[80];
		bool found = false;
		int len = snprintf(
			name,
			sizeof(name),
			"n%u.a-zone-whose-name-is-longer-than-the-key-has-room.example",
			i
		);
		name_reverse(name, (size_t)len, text);
		int ret = name_walk_seek(w, text, (size_t)len);
		for (; ret > 0 && !found; ret = name_walk_next(w)) {
			uint32_t at = name_table_find(&w->part, 0, text, (size_t)len);
			found = at < w->part.n && w->part.len[at] == len &&
				memcmp(w->part.text + w->part.off[at], text, (size_t)len) == 0;
		}
		assert_true(found);
	}
	free(w);
}

// Late rows of an hour whose first names an older release has not kept: a table of the late ones
// alone would hide the others.
static void an_hour_of_an_older_release_gets_no_half_table(void **state)
{
	struct stores *f = *state;
	commit(f, ROWS_HOUR, 0, 100);
	stores_seal(f);
	stores_close(f);
	stores_forget(f, KEY_NAMES);
	stores_open(f);
	commit(f, ROWS_HOUR, 100, 100);
	stores_seal(f);
	assert_int_equal(count(f, ROWS_HOUR, 0), 0);
	commit(f, ROWS_HOUR + 1, 0, 100); // another hour is not concerned
	stores_seal(f);
	assert_int_equal(count(f, ROWS_HOUR + 1, 1), 100);
}

static void rows_whose_names_are_none_leave_an_empty_table(void **state)
{
	struct stores *f = *state;
	struct record_batch *b = record_batch_create(1);
	struct record r = rows_record(ROWS_HOUR);
	RECORD_SET(&r, server_name, ((struct record_str){"localhost", 9}));
	assert_int_equal(record_batch_add(b, &r), 0);
	assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
	record_batch_free(b);
	stores_seal(f);
	assert_int_equal(count(f, ROWS_HOUR, 1), 0);
	commit(f, ROWS_HOUR, 0, 10);
	stores_seal(f);
	assert_int_equal(count(f, ROWS_HOUR, 1), 10);
}

static void a_damaged_table_goes_when_late_rows_come(void **state)
{
	struct stores *f = *state;
	char text[80];
	static const char name[] = "n0.a-zone-whose-name-is-longer-than-the-key-has-room.example";
	commit(f, ROWS_HOUR, 0, 10);
	stores_seal(f);
	name_reverse(name, sizeof(name) - 1, text);
	struct key key = key_names(0, ROWS_HOUR, text, sizeof(name) - 1, 0);
	stores_close(f);
	stores_damage(f, &key);
	stores_open(f);
	commit(f, ROWS_HOUR, 20, 10);
	stores_seal(f);
	assert_int_equal(count(f, ROWS_HOUR, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_set_up, stores_tear_down)
		cmocka_unit_test(parts_come_back_and_damaged_ones_do_not),
		cmocka_unit_test(names_that_cannot_be_are_refused),
		TEST(sealing_keeps_names_and_late_rows_join_them),
		TEST(a_seek_never_passes_the_name),
		TEST(an_hour_of_an_older_release_gets_no_half_table),
		TEST(rows_whose_names_are_none_leave_an_empty_table),
		TEST(a_damaged_table_goes_when_late_rows_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
