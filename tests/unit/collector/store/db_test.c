// SPDX-License-Identifier: Apache-2.0
#include "collector/store/db.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/child.h"
#include "tests/unit/collector/store/rows.h"

#define CACHE_LEN ((int64_t)32 << 20)

struct fixture {
	char dir[64], scratch[80], error[DB_ERROR_LEN];
	struct db *db, *secondary;
	struct db_batch *batch;
	struct db_iter *it;
};

static void reopen(struct fixture *f)
{
	db_iter_close(f->it);
	f->it = NULL;
	db_close(f->db);
	f->db = NULL;
	if (db_open(f->dir, CACHE_LEN, DB_WAL_STRICT, &f->db, f->error) < 0)
		fail_msg("%s", f->error);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	rows_dir(f->dir);
	snprintf(f->scratch, sizeof(f->scratch), "%s.reader", f->dir);
	f->batch = db_batch_create();
	reopen(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	db_batch_free(f->batch);
	db_iter_close(f->it);
	db_close(f->secondary);
	db_close(f->db);
	rows_dir_remove(f->dir);
	rows_dir_remove(f->scratch);
	free(f);
	return 0;
}

static struct slice text(const char *s)
{
	return (struct slice){s, strlen(s)};
}

static void put(struct fixture *f, const char *key, const char *value)
{
	db_batch_put(f->batch, text(key), text(value));
}

static void write_batch(struct fixture *f)
{
	if (db_write(f->db, f->batch, true, f->error) < 0)
		fail_msg("%s", f->error);
	db_batch_clear(f->batch);
}

static void open_iter(struct fixture *f, struct db *db, const struct db_snapshot *s)
{
	db_iter_close(f->it);
	f->it = db_iter_open(db, s, true);
	assert_non_null(f->it);
}

static void assert_slice(struct slice got, const char *want)
{
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.p, want, got.len);
}

// That the database's keys, one letter each, are these.
static void assert_keys(struct fixture *f, struct db *db, const char *want)
{
	open_iter(f, db, NULL);
	bool valid = db_iter_seek(f->it, text(""));
	for (; *want; want++, valid = db_iter_next(f->it)) {
		char key[2] = {*want};
		assert_true(valid);
		assert_slice(db_iter_key(f->it), key);
	}
	assert_false(valid);
	assert_int_equal(db_iter_error(f->it), 0);
}

static void an_iterator_finds_neighbours_both_ways(void **state)
{
	struct fixture *f = *state;
	put(f, "d", "4");
	put(f, "b", "2");
	put(f, "", "0");
	write_batch(f);
	open_iter(f, f->db, NULL);
	assert_true(db_iter_seek(f->it, text("c")));
	assert_slice(db_iter_key(f->it), "d");
	assert_slice(db_iter_value(f->it), "4");
	assert_true(db_iter_prev(f->it));
	assert_slice(db_iter_key(f->it), "b");
	assert_true(db_iter_seek(f->it, text("b")));
	assert_slice(db_iter_key(f->it), "b");
	assert_true(db_iter_seek_back(f->it, text("c")));
	assert_slice(db_iter_key(f->it), "b");
	assert_true(db_iter_seek_back(f->it, text("d")));
	assert_slice(db_iter_key(f->it), "d");
	assert_false(db_iter_next(f->it));
	assert_int_equal(db_iter_error(f->it), 0);
	assert_false(db_iter_seek(f->it, text("e")));
	assert_true(db_iter_seek_back(f->it, text("a")));
	assert_slice(db_iter_key(f->it), "");
	assert_slice(db_iter_value(f->it), "0");
	assert_false(db_iter_prev(f->it));
}

static void a_batch_is_done_in_its_order(void **state)
{
	struct fixture *f = *state;
	put(f, "a", "");
	put(f, "b", "");
	put(f, "c", "");
	db_batch_del_range(f->batch, text("a"), text("c"));
	put(f, "b", "");
	db_batch_del(f->batch, text("c"));
	put(f, "d", "");
	db_batch_del(f->batch, text("e")); // not there
	write_batch(f);
	assert_keys(f, f->db, "bd");
	reopen(f);
	assert_keys(f, f->db, "bd");
}

static void a_cleared_batch_does_nothing(void **state)
{
	struct fixture *f = *state;
	put(f, "a", "");
	db_batch_clear(f->batch);
	write_batch(f);
	assert_keys(f, f->db, "");
}

static void iterators_see_the_moment_of_their_opening(void **state)
{
	struct fixture *f = *state;
	put(f, "a", "1");
	write_batch(f);
	open_iter(f, f->db, NULL);
	struct db_snapshot *s = db_snapshot_create(f->db);
	put(f, "a", "2");
	put(f, "b", "");
	write_batch(f);
	assert_true(db_iter_seek(f->it, text("a")));
	assert_slice(db_iter_value(f->it), "1");
	assert_false(db_iter_next(f->it));
	open_iter(f, f->db, s);
	assert_true(db_iter_seek(f->it, text("a")));
	assert_slice(db_iter_value(f->it), "1");
	assert_false(db_iter_next(f->it));
	assert_keys(f, f->db, "ab");
	db_iter_close(f->it);
	f->it = NULL;
	db_snapshot_free(s);
	db_snapshot_free(NULL);
}

static void a_secondary_sees_what_it_has_caught_up_with(void **state)
{
	struct fixture *f = *state;
	put(f, "a", "");
	write_batch(f);
	assert_int_equal(db_open_secondary(f->dir, f->scratch, &f->secondary, f->error), 0);
	put(f, "b", "");
	put(f, "c", "");
	write_batch(f);
	assert_keys(f, f->secondary, "a");
	assert_int_equal(db_catch_up(f->secondary, f->error), 0);
	assert_keys(f, f->secondary, "abc");
	db_batch_del_range(f->batch, text("a"), text("c"));
	write_batch(f);
	assert_int_equal(db_catch_up(f->secondary, f->error), 0);
	assert_keys(f, f->secondary, "c");
	reopen(f); // the journal goes to files
	put(f, "d", "");
	write_batch(f);
	assert_int_equal(db_catch_up(f->secondary, f->error), 0);
	assert_keys(f, f->secondary, "cd");
}

static void a_folder_without_a_database_is_an_error(void **state)
{
	struct fixture *f = *state;
	char dir[80];
	struct db *db;
	snprintf(dir, sizeof(dir), "%s/none", f->dir);
	assert_int_equal(db_open_secondary(dir, f->scratch, &db, f->error), -ENOENT);
	assert_true(f->error[0]);
	assert_int_equal(
		db_open("/nonexistent/a/b", CACHE_LEN, DB_WAL_STRICT, &db, f->error), -ENOENT
	);
	db_close(NULL);
	db_batch_free(NULL);
	db_iter_close(NULL);
}

static void a_second_writer_is_refused(void **state)
{
	struct fixture *f = *state;
	struct db *db;
	assert_int_equal(db_open(f->dir, CACHE_LEN, DB_WAL_STRICT, &db, f->error), -EBUSY);
	assert_int_equal(db_open(f->dir, CACHE_LEN, DB_WAL_SALVAGE, &db, f->error), -EBUSY);
	db_close(f->db);
	f->db = NULL;
	char *const args[] = {(char *)"hold", f->dir, NULL};
	struct child c = child_start(args);
	assert_int_equal(child_last_number(&c, 10000, 0), 1);
	assert_int_equal(db_open(f->dir, CACHE_LEN, DB_WAL_STRICT, &db, f->error), -EBUSY);
	assert_true(f->error[0]);
	assert_true(child_kill(&c));
	close(c.fd);
	reopen(f); // the lock ends with the process
}

static int hold(const char *dir)
{
	char error[DB_ERROR_LEN];
	struct db *db;
	if (db_open(dir, CACHE_LEN, DB_WAL_STRICT, &db, error) < 0)
		return 1;
	for (;;) {
		child_write_number(1);
		usleep(100000);
	}
}

// Small keys lie in one block of a file with the large value behind them, and go to the cache.
static void large_values_do_not_keep_their_neighbours_from_being_read(void **state)
{
	struct fixture *f = *state;
	size_t len = (size_t)CACHE_LEN / 8 + 1;
	uint8_t *value = malloc(len);
	for (size_t i = 0; i + 8 <= len; i += 8) {
		uint64_t v = rows_random(); // nothing to compress
		memcpy(value + i, &v, sizeof(v));
	}
	value[len - 1] = 1;
	put(f, "a", "");
	db_batch_put(f->batch, text("b"), (struct slice){value, len});
	put(f, "c", "");
	write_batch(f);
	reopen(f); // the journal goes to files
	assert_keys(f, f->db, "abc");
	assert_int_equal(db_open_secondary(f->dir, f->scratch, &f->secondary, f->error), 0);
	assert_keys(f, f->secondary, "abc");
	assert_true(db_iter_seek(f->it, text("b")));
	assert_int_equal(db_iter_value(f->it).len, len);
	assert_memory_equal(db_iter_value(f->it).p, value, len);
	free(value);
}

static void what_rocksdb_knows_of_itself_can_be_asked(void **state)
{
	struct fixture *f = *state;
	put(f, "a", "");
	write_batch(f);
	assert_int_equal(db_property(f->db, "rocksdb.num-entries-active-mem-table"), 1);
	assert_int_equal(db_property(f->db, "rocksdb.no-such-thing"), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(an_iterator_finds_neighbours_both_ways),
		TEST(a_batch_is_done_in_its_order),
		TEST(a_cleared_batch_does_nothing),
		TEST(iterators_see_the_moment_of_their_opening),
		TEST(a_secondary_sees_what_it_has_caught_up_with),
		TEST(a_folder_without_a_database_is_an_error),
		TEST(a_second_writer_is_refused),
		TEST(large_values_do_not_keep_their_neighbours_from_being_read),
		TEST(what_rocksdb_knows_of_itself_can_be_asked),
	};
	if (argc > 2)
		return hold(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
