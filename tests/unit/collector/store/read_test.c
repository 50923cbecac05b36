// SPDX-License-Identifier: Apache-2.0
#include "collector/store/read.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/writer.h"

#include <sys/stat.h>

#define FOLLOW_NS (2 * NS_PER_SEC)

static void a_folder_without_a_store_is_told_apart(void **state)
{
	struct stores *f = *state;
	char error[STORE_READ_ERROR_LEN], dir[80];
	struct store_reader *r;
	snprintf(dir, sizeof(dir), "%s/none", f->dir);
	assert_int_equal(store_reader_open(dir, f->scratch, &r, error), -ENOENT);
	assert_non_null(strstr(error, "no store here"));
	assert_int_equal(mkdir(dir, 0750), 0);
	assert_int_equal(store_reader_open(dir, f->scratch, &r, error), -ENOENT);
	store_reader_close(NULL);
}

static void a_scratch_folder_that_cannot_be_made_is_an_error(void **state)
{
	struct stores *f = *state;
	char error[STORE_READ_ERROR_LEN];
	struct store_reader *r;
	assert_int_equal(store_reader_open(f->dir, "/nonexistent/a", &r, error), -ENOENT);
	assert_non_null(strstr(error, "/nonexistent/a"));
}

static uint32_t n_rows(struct store_view *v)
{
	struct serials s = {0};
	assert_int_equal(serials_scan(&s, v, 0), 0);
	uint32_t n = serials_assert_prefix(&s);
	serials_fini(&s);
	return n;
}

static void a_reader_is_as_old_as_it_may_be(void **state)
{
	struct stores *f = *state;
	stores_commit(f, 0, 1, 10);
	assert_int_equal(n_rows(stores_view(f)), 10);
	stores_commit(f, 0, 1, 10);
	assert_int_equal(store_reader_refresh(f->reader, 3600 * NS_PER_SEC), 0);
	store_view_close(f->view);
	f->view = store_view_open(f->reader);
	assert_int_equal(n_rows(f->view), 10);
	assert_int_equal(n_rows(stores_view(f)), 20);
}

static void a_view_stands_still(void **state)
{
	struct stores *f = *state;
	for (int i = 0; i < 5; i++)
		stores_commit(f, 0, 2, 50);
	struct store_view *old = stores_view(f);
	f->view = NULL;
	for (int i = 0; i < 5; i++) {
		stores_commit(f, 0, 2, 50);
		stores_seal(f);
		assert_int_equal(n_rows(stores_view(f)), f->next_serial);
		assert_int_equal(n_rows(old), 250);
	}
	store_view_close(old);
}

static void a_reader_outlives_its_writer_and_follows_the_next(void **state)
{
	struct stores *f = *state;
	stores_commit(f, 0, 1, 10);
	assert_int_equal(n_rows(stores_view(f)), 10);
	for (int i = 0; i < 3; i++) {
		store_close(f->store);
		f->store = NULL;
		assert_int_equal(n_rows(stores_view(f)), f->next_serial);
		stores_open(f);
		stores_commit(f, 0, 1, 10);
		if (i == 1)
			stores_seal(f);
		assert_int_equal(n_rows(stores_view(f)), f->next_serial);
	}
}

// While it slept the rows it knows from the journal were sealed, and RocksDB has put the files
// together and forgotten that they were ever deleted from the journal.
static void a_reader_that_slept_counts_no_row_twice(void **state)
{
	struct stores *f = *state;
	struct store_user user = {0};
	stores_commit(f, 0, 1, 1000);
	assert_int_equal(n_rows(stores_view(f)), 1000);
	for (int i = 0; i < 6; i++) {
		store_close(f->store);
		stores_open(f); // each opening makes a file; of four, one
		if (i == 2)
			stores_seal(f);
		snprintf(user.api_id, sizeof(user.api_id), "%d", i);
		if (i < 5)
			assert_int_equal(store_user_add(f->store, &user), 0);
		usleep(150000);
	}
	assert_int_equal(n_rows(stores_view(f)), 1000);
	assert_int_equal(store_user_add(f->store, &user), 0);
	assert_int_equal(n_rows(stores_view(f)), 1000);
}

static void two_readers_do_not_disturb_each_other(void **state)
{
	struct stores *f = *state;
	struct store_reader *other;
	char error[STORE_READ_ERROR_LEN], scratch[100];
	snprintf(scratch, sizeof(scratch), "%s/scratch", f->dir);
	stores_commit(f, 0, 1, 10);
	(void)stores_view(f);
	assert_int_equal(store_reader_open(f->dir, scratch, &other, error), 0);
	stores_commit(f, 0, 1, 10);
	assert_int_equal(store_reader_refresh(other, 0), 0);
	struct store_view *v = store_view_open(other);
	assert_int_equal(n_rows(v), 20);
	assert_int_equal(n_rows(f->view), 10);
	store_view_close(v);
	store_reader_close(other);
}

// While another process commits and seals, each view is one moment of its work: whole commits, none
// twice, none missing that was acknowledged before, and never fewer than in the view before.
static void each_view_of_a_store_at_work_is_consistent(void **state)
{
	struct stores *f = *state;
	uint32_t n = 0, n_views = 0;
	store_close(f->store);
	f->store = NULL;
	struct child c = writer_start(f, 0);
	uint64_t acknowledged = child_last_number(&c, 10000, 0);
	assert_true(acknowledged > 0);
	uint64_t end = clock_mono_ns() + FOLLOW_NS;
	for (; n_views < 5 || clock_mono_ns() < end; n_views++) {
		acknowledged = child_last_number(&c, 0, acknowledged);
		uint32_t seen = writer_check(stores_view(f));
		assert_true(seen >= acknowledged && seen >= n);
		n = seen;
	}
	assert_true(child_kill(&c));
	acknowledged = child_last_number(&c, 0, acknowledged);
	assert_true(writer_check(stores_view(f)) >= acknowledged);
	close(c.fd);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_set_up, stores_tear_down)
		TEST(a_folder_without_a_store_is_told_apart),
		TEST(a_scratch_folder_that_cannot_be_made_is_an_error),
		TEST(a_reader_is_as_old_as_it_may_be),
		TEST(a_view_stands_still),
		TEST(a_reader_outlives_its_writer_and_follows_the_next),
		TEST(a_reader_that_slept_counts_no_row_twice),
		TEST(two_readers_do_not_disturb_each_other),
		TEST(each_view_of_a_store_at_work_is_consistent),
	};
	if (argc > 3)
		return writer_main(argv + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
