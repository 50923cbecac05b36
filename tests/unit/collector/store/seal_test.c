// SPDX-License-Identifier: Apache-2.0
#include "collector/store/block.h"
#include "collector/store/gather.h"
#include "collector/store/table.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/naive.h"
#include "tests/unit/collector/store/stores.h"

#define N_ENTITIES 2
#define N_HOURS 2
#define ROWS_MAX 8000

// A store, and beside it every row that was committed.
struct fixture {
	struct stores stores;
	struct record_batch *all[N_ENTITIES];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct stores *s = &f->stores;
	rows_dir(s->dir);
	snprintf(s->scratch, sizeof(s->scratch), "%s.reader", s->dir);
	s->options.block_rows = 300;
	s->options.seal_grace_ns = 60 * (int64_t)NS_PER_SEC;
	stores_open(s);
	for (int e = 0; e < N_ENTITIES; e++)
		f->all[e] = record_batch_create(ROWS_MAX);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	stores_close(&f->stores);
	rows_dir_remove(f->stores.dir);
	rows_dir_remove(f->stores.scratch);
	for (int e = 0; e < N_ENTITIES; e++)
		record_batch_free(f->all[e]);
	free(f);
	return 0;
}

static void commit_random(struct fixture *f)
{
	struct record_batch *batches[N_ENTITIES];
	for (uint16_t e = 0; e < N_ENTITIES; e++) {
		batches[e] = stores_rows(&f->stores, e, N_HOURS, 1 + (uint32_t)rows_below(400));
		assert_int_equal(gather_append(f->all[e], batches[e]), 0);
	}
	if (store_commit(f->stores.store, batches, N_ENTITIES, f->stores.error) < 0)
		fail_msg("%s", f->stores.error);
	for (int e = 0; e < N_ENTITIES; e++)
		record_batch_free(batches[e]);
}

static uint64_t seal(struct fixture *f, uint64_t now_ns, bool all)
{
	int64_t n = store_seal(f->stores.store, now_ns, all, f->stores.error);
	if (n < 0)
		fail_msg("%s", f->stores.error);
	return (uint64_t)n;
}

// What a query does: stored tables, and the rows that are not in them.
static struct rollup *query(struct store_view *v, uint16_t entity, uint64_t *ret_journal_rows)
{
	struct store_scan_spec spec = {
		.entity = entity, .to_ns = UINT64_MAX, .fields = ~0ull, .journal_only = true};
	const struct record_batch *b;
	struct store_hour hour;
	struct store_scan *scan;
	struct rollup *r;
	assert_int_equal(rollup_create(&r), 0);
	*ret_journal_rows = 0;
	for (uint32_t from = 0; store_view_hour(v, entity, from, &hour) == 1;
	     from = hour.hour + 1) {
		assert_int_equal(store_view_rollup(v, entity, hour.hour, r), 0);
		*ret_journal_rows += hour.journal_rows;
	}
	assert_int_equal(store_scan_open(v, &spec, &scan), 0);
	while (store_scan_next(scan, &b) == 1)
		assert_int_equal(rollup_add_batch(r, b, 0, UINT64_MAX), 0);
	store_scan_close(scan);
	return r;
}

// Sums and rows of all that was committed, wherever they are by now.
static void check(struct fixture *f)
{
	struct store_view *v = stores_view(&f->stores);
	struct serials serials = {0};
	struct store_stats stats;
	uint64_t waiting = 0, total = 0;
	for (uint16_t e = 0; e < N_ENTITIES; e++) {
		struct naive *naive = calloc(1, sizeof(*naive));
		uint64_t n;
		struct rollup *r = query(v, e, &n);
		naive_add_batch(naive, f->all[e], 0, UINT64_MAX);
		naive_check(naive, r);
		rollup_free(r);
		free(naive);
		assert_int_equal(serials_scan(&serials, v, e), 0);
		waiting += n;
		total += f->all[e]->n_rows;
	}
	assert_int_equal(serials_assert_prefix(&serials), total);
	serials_fini(&serials);
	store_stats(f->stores.store, &stats);
	assert_int_equal(stats.journal_rows, waiting);
	assert_int_equal(stats.total_rows, total);
}

static void sealing_changes_no_sum(void **state)
{
	struct fixture *f = *state;
	uint64_t total = 0, sealed = 0;
	for (uint32_t round = 0; round < 3; round++) {
		// The hours end one after the other; some rows come late.
		uint64_t now_ns = store_hour_start(ROWS_HOUR + 1 + round / 2) +
				  61 * NS_PER_SEC * (round % 2 + 1);
		for (uint32_t i = 0; i < 1 + round % 3; i++)
			commit_random(f);
		if (round == 0)
			check(f);
		sealed += seal(f, now_ns, false);
		check(f);
	}
	sealed += seal(f, 0, true);
	check(f);
	for (int e = 0; e < N_ENTITIES; e++)
		total += f->all[e]->n_rows;
	assert_int_equal(sealed, total);
	assert_int_equal(seal(f, 0, true), 0);
}

static void a_running_hour_is_left_alone(void **state)
{
	struct fixture *f = *state;
	uint64_t end_ns = store_hour_start(ROWS_HOUR + 1);
	commit_random(f);
	assert_int_equal(seal(f, end_ns + 60 * NS_PER_SEC, false), 0);
	assert_true(seal(f, end_ns + 60 * NS_PER_SEC + 1, false) > 0);
	check(f);
}

static void a_reopened_store_goes_on_where_it_was(void **state)
{
	struct fixture *f = *state;
	commit_random(f);
	assert_true(seal(f, 0, true) > 0);
	commit_random(f);
	stores_close(&f->stores);
	stores_open(&f->stores);
	assert_string_equal(f->stores.error, "");
	check(f);
	commit_random(f);
	assert_true(seal(f, 0, true) > 0);
	check(f);
}

static struct db *open_db(struct fixture *f)
{
	char path[80];
	struct db *db;
	stores_close(&f->stores);
	snprintf(path, sizeof(path), "%s/db", f->stores.dir);
	if (db_open(path, 64 << 20, DB_WAL_STRICT, &db, f->stores.error) < 0)
		fail_msg("%s", f->stores.error);
	return db;
}

// Blocks of a sealed hour follow each other in time, each of no more rows than was asked for.
static void sealed_blocks_are_sorted_and_bounded(void **state)
{
	struct fixture *f = *state;
	struct key prefix = key_hour(KEY_SUMMARY, 0, ROWS_HOUR);
	uint64_t last = 0;
	uint32_t n_rows = 0;
	for (int i = 0; i < 5; i++)
		commit_random(f);
	assert_true(seal(f, 0, true) > 0);
	struct db *db = open_db(f);
	struct db_iter *it = db_iter_open(db, NULL, true);
	bool valid = db_iter_seek(it, key_slice(&prefix));
	for (; valid && key_has_prefix(db_iter_key(it), &prefix); valid = db_iter_next(it)) {
		struct slice value = db_iter_value(it);
		struct block_summary s;
		assert_int_equal(block_summary_decode(value.p, value.len, &s), 0);
		assert_true(s.n_rows <= 300 && s.start_min >= last);
		assert_true(s.n_rows == 300 || n_rows % 300 == 0); // only the last is short
		last = s.start_max;
		n_rows += s.n_rows;
	}
	assert_true(n_rows > 300);
	db_iter_close(it);
	db_close(db);
}

// As a pass leaves them that was killed before its last write.
static void columns_of_a_pass_cut_short_are_cleared(void **state)
{
	struct fixture *f = *state;
	struct key stray[] = {
		key_column(0, ROWS_HOUR, 0, FIELD_src),
		key_column(0, ROWS_HOUR, 77, FIELD_ja4),
		key_column(0, ROWS_HOUR, 1u << 30, 0),
	};
	commit_random(f);
	struct db *db = open_db(f);
	struct db_batch *b = db_batch_create();
	for (int i = 0; i < 3; i++)
		db_batch_put(b, key_slice(&stray[i]), (struct slice){"x", 1});
	assert_int_equal(db_write(db, b, true, f->stores.error), 0);
	db_batch_free(b);
	db_close(db);
	stores_open(&f->stores);
	assert_true(seal(f, 0, true) > 0);
	check(f);
	db = open_db(f);
	struct db_iter *it = db_iter_open(db, NULL, true);
	for (int i = 1; i < 3; i++) {
		bool found = db_iter_seek(it, key_slice(&stray[i]));
		assert_false(found && key_is(db_iter_key(it), &stray[i]));
	}
	db_iter_close(it);
	db_close(db);
}

// The number of the journal block after the first of an hour.
static uint64_t second_number(struct fixture *f, uint16_t entity)
{
	struct db *db = open_db(f);
	struct db_iter *it = db_iter_open(db, NULL, true);
	struct key prefix = key_hour(KEY_JOURNAL, entity, ROWS_HOUR);
	struct key_parts at = {0};
	assert_true(db_iter_seek(it, key_slice(&prefix)));
	assert_true(db_iter_next(it) && key_parse(db_iter_key(it), KEY_JOURNAL, &at));
	assert_int_equal(at.hour, ROWS_HOUR);
	db_iter_close(it);
	db_close(db);
	return at.number;
}

static void count_all(struct fixture *f, uint32_t *ret_rows, int *ret_damaged)
{
	struct serials s = {0};
	*ret_damaged = 0;
	for (uint16_t e = 0; e < N_ENTITIES; e++)
		*ret_damaged += serials_scan(&s, stores_view(&f->stores), e) < 0;
	assert_false(s.twice);
	*ret_rows = s.n;
	serials_fini(&s);
}

// A damaged block stays where it is and is told of; what is around it is sealed all the same.
static void a_damaged_journal_block_stays_and_the_rest_is_sealed(void **state)
{
	struct fixture *f = *state;
	struct store_stats stats;
	uint32_t before, after;
	int damaged;
	for (int i = 0; i < 4; i++)
		commit_random(f);
	struct key key = key_block(KEY_JOURNAL, 0, ROWS_HOUR, second_number(f, 0));
	stores_damage(&f->stores, &key);
	stores_open(&f->stores);
	count_all(f, &before, &damaged);
	assert_int_equal(damaged, 1);
	for (int i = 0; i < 2; i++) {
		int64_t ret = store_seal(f->stores.store, 0, true, f->stores.error);
		assert_int_equal(ret, -EIO);
		assert_non_null(strstr(f->stores.error, "1 journal blocks"));
		count_all(f, &after, &damaged);
		assert_int_equal(after, before);
		assert_int_equal(damaged, 1);
	}
	store_stats(f->stores.store, &stats);
	assert_int_equal(stats.sealed_rows, before);
	assert_int_equal(stats.journal_rows, stats.total_rows - before);
}

// Late rows cannot be added to tables that cannot be read: they stay, and other hours are sealed.
static void damaged_tables_keep_late_rows_in_the_journal(void **state)
{
	struct fixture *f = *state;
	struct key key = key_hour(KEY_HOUR, 0, ROWS_HOUR);
	struct store_hour hour;
	uint32_t rows;
	int damaged;
	commit_random(f);
	assert_true(seal(f, 0, true) > 0);
	commit_random(f);
	stores_close(&f->stores);
	stores_damage(&f->stores, &key);
	stores_open(&f->stores);
	assert_int_equal(store_seal(f->stores.store, 0, true, f->stores.error), -EIO);
	assert_non_null(strstr(f->stores.error, "late rows stay unsealed"));
	assert_int_equal(store_view_hour(stores_view(&f->stores), 0, ROWS_HOUR + 1, &hour), 1);
	assert_int_equal(hour.journal_rows, 0);
	assert_int_equal(store_view_hour(f->stores.view, 1, ROWS_HOUR, &hour), 1);
	assert_int_equal(hour.journal_rows, 0);
	count_all(f, &rows, &damaged);
	assert_int_equal(rows, f->all[0]->n_rows + f->all[1]->n_rows);
	assert_int_equal(damaged, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(sealing_changes_no_sum),
		TEST(a_running_hour_is_left_alone),
		TEST(a_reopened_store_goes_on_where_it_was),
		TEST(sealed_blocks_are_sorted_and_bounded),
		TEST(columns_of_a_pass_cut_short_are_cleared),
		TEST(a_damaged_journal_block_stays_and_the_rest_is_sealed),
		TEST(damaged_tables_keep_late_rows_in_the_journal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
