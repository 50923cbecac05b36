// SPDX-License-Identifier: Apache-2.0
#include "api/query/source.h"
#include "collector/store/store.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#include <errno.h>
#include <pthread.h>

#define PATIENCE_NS (5 * NS_PER_SEC) // far above any retry

struct fixture {
	char dir[64], scratch[80], store_dir[80];
	char error[STORE_ERROR_LEN];
	struct store *store;
	struct source *source;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	rows_dir(f->dir);
	snprintf(f->store_dir, sizeof(f->store_dir), "%s/store", f->dir);
	snprintf(f->scratch, sizeof(f->scratch), "%s/reader", f->dir);
	assert_int_equal(source_create(f->store_dir, f->scratch, &f->source), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	source_free(f->source);
	store_close(f->store);
	rows_dir_remove(f->dir);
	free(f);
	return 0;
}

static void open_store(struct fixture *f)
{
	struct store_options o = {.dir = f->store_dir, .block_rows = 1000};
	if (store_open(&o, &f->store, f->error) < 0)
		fail_msg("%s", f->error);
}

static void commit(struct fixture *f, uint32_t hour, uint32_t n)
{
	struct record_batch *b = rows_batch(0, hour, n);
	if (store_commit(f->store, &b, 1, f->error) < 0)
		fail_msg("%s", f->error);
	record_batch_free(b);
}

static uint64_t count_rows(struct store_view *v)
{
	struct store_hour h;
	uint64_t n = 0;
	for (uint32_t from = 0; store_view_hour(v, 0, from, &h) == 1; from = h.hour + 1)
		n += h.sealed_rows + h.journal_rows;
	return n;
}

// Rows of a fresh view, or -errno.
static int64_t look(struct source *s)
{
	char error[STORE_READ_ERROR_LEN] = "";
	struct store_view *v;
	int ret = source_view(s, &v, error);
	if (ret < 0) {
		assert_int_not_equal(error[0], '\0');
		return ret;
	}
	int64_t n = (int64_t)count_rows(v);
	source_release(s, v);
	return n;
}

// Looks until it sees that, or patience ends; how long it took.
static uint64_t wait_for(struct source *s, int64_t want)
{
	uint64_t start = clock_mono_ns();
	for (;;) {
		int64_t got = look(s);
		uint64_t took = clock_mono_ns() - start;
		if (got == want)
			return took;
		if (took > PATIENCE_NS)
			fail_msg("wanted %lld, still %lld", (long long)want, (long long)got);
		usleep(10000);
	}
}

static void before_there_is_a_store_there_is_no_view(void **state)
{
	struct fixture *f = *state;
	char error[STORE_READ_ERROR_LEN] = "";
	struct store_view *v = NULL;
	assert_int_equal(source_view(f->source, &v, error), -ENOENT);
	assert_non_null(strstr(error, f->store_dir));
	assert_int_equal(source_view(f->source, &v, error), -ENOENT); // at once: not tried again
	assert_non_null(strstr(error, f->store_dir));
	assert_null(v);
}

static void a_store_that_appears_later_is_opened(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(look(f->source), -ENOENT);
	open_store(f);
	commit(f, ROWS_HOUR, 30);
	wait_for(f->source, 30);
}

static void commits_are_seen_soon(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	commit(f, ROWS_HOUR, 10);
	wait_for(f->source, 10);
	for (uint32_t i = 1; i <= 3; i++) {
		commit(f, ROWS_HOUR + i, 10);
		usleep(SOURCE_MAX_AGE_NS / NS_PER_USEC);
		assert_int_equal(look(f->source), 10 + 10 * i); // not one view later
	}
	assert_int_equal(store_seal(f->store, 0, true, f->error), 40);
	usleep(SOURCE_MAX_AGE_NS / NS_PER_USEC);
	assert_int_equal(look(f->source), 40);
}

static void a_view_stays_as_it_was(void **state)
{
	struct fixture *f = *state;
	char error[STORE_READ_ERROR_LEN];
	struct store_view *v;
	open_store(f);
	commit(f, ROWS_HOUR, 10);
	wait_for(f->source, 10);
	assert_int_equal(source_view(f->source, &v, error), 0);
	commit(f, ROWS_HOUR, 5);
	assert_int_equal(store_seal(f->store, 0, true, f->error), 15);
	usleep(SOURCE_MAX_AGE_NS / NS_PER_USEC);
	assert_int_equal(look(f->source), 15);
	assert_int_equal(count_rows(v), 10);
	source_release(f->source, v);
}

static void a_user_is_known_at_once(void **state)
{
	struct fixture *f = *state;
	struct store_user user = {.role = "viewer", .entity = "netflow", .generation = 1}, got;
	char error[STORE_READ_ERROR_LEN];
	struct store_view *v;
	open_store(f);
	wait_for(f->source, 0);
	memset(user.api_id, 'a', STORE_API_ID_LEN);
	for (uint64_t generation = 1; generation <= 8; generation++) {
		user.generation = generation;
		assert_int_equal(
			generation == 1 ? store_user_add(f->store, &user)
					: store_user_update(f->store, &user),
			0
		);
		assert_int_equal(source_view(f->source, &v, error), 0);
		assert_int_equal(store_view_user(v, user.api_id, &got), 0);
		assert_int_equal(got.generation, generation);
		source_release(f->source, v);
	}
	assert_int_equal(store_user_del(f->store, user.api_id), 0);
	assert_int_equal(source_view(f->source, &v, error), 0);
	assert_int_equal(store_view_user(v, user.api_id, &got), -ENOENT);
	source_release(f->source, v);
}

static void a_collector_that_starts_again_is_followed(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	commit(f, ROWS_HOUR, 10);
	wait_for(f->source, 10);
	for (int64_t round = 1; round <= 2; round++) {
		store_close(f->store);
		assert_int_equal(look(f->source), 10 * round);
		open_store(f);
		commit(f, ROWS_HOUR + (uint32_t)round, 10);
		wait_for(f->source, 10 * round + 10);
	}
}

static void wait_for_error(struct source *s)
{
	uint64_t start = clock_mono_ns();
	for (int64_t got; (got = look(s)) >= 0; usleep(10000))
		if (clock_mono_ns() - start > PATIENCE_NS)
			fail_msg("still %lld", (long long)got);
}

static void a_store_that_cannot_be_read_any_more_gives_no_view(void **state)
{
	struct fixture *f = *state;
	char current[120], aside[120];
	open_store(f);
	commit(f, ROWS_HOUR, 10);
	wait_for(f->source, 10);
	snprintf(current, sizeof(current), "%s/db/CURRENT", f->store_dir);
	snprintf(aside, sizeof(aside), "%s/CURRENT", f->dir);
	assert_int_equal(rename(current, aside), 0);
	FILE *file = fopen(current, "w");
	assert_non_null(file);
	assert_true(fputs("nonsense", file) >= 0);
	assert_int_equal(fclose(file), 0);
	wait_for_error(f->source);
	assert_true(look(f->source) < 0); // and never again what was there
	assert_int_equal(rename(aside, current), 0);
	wait_for(f->source, 10);
}

static void a_scratch_folder_that_cannot_be_made_is_said_so(void **state)
{
	struct fixture *f = *state;
	char error[STORE_READ_ERROR_LEN], scratch[120];
	struct store_view *v;
	struct source *s;
	open_store(f);
	snprintf(scratch, sizeof(scratch), "%s/no/such", f->dir);
	assert_int_equal(source_create(f->store_dir, scratch, &s), 0);
	assert_int_equal(source_view(s, &v, error), -ENOENT);
	assert_non_null(strstr(error, scratch));
	source_free(s);
}

#define N_LOOKERS 4

static void *look_around(void *arg)
{
	int64_t last = 0;
	while (last < 100) {
		int64_t n = look(arg);
		if (n < last) // a loss, or rows gone while an hour was sealed
			return (void *)1;
		last = n;
		usleep(1000);
	}
	return NULL;
}

static void many_threads_look_at_once(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[N_LOOKERS];
	void *wrong;
	open_store(f);
	commit(f, ROWS_HOUR, 10);
	wait_for(f->source, 10);
	for (int i = 0; i < N_LOOKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_around, f->source), 0);
	for (uint32_t i = 1; i < 10; i++) {
		commit(f, ROWS_HOUR + i, 10);
		assert_int_equal(store_seal(f->store, 0, true, f->error), i == 1 ? 20 : 10);
		usleep(20000);
	}
	for (int i = 0; i < N_LOOKERS; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
}

static void a_store_that_is_lost_is_an_error_and_a_new_one_is_opened(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	commit(f, ROWS_HOUR, 10);
	wait_for(f->source, 10);
	store_close(f->store);
	f->store = NULL;
	rows_dir_remove(f->store_dir);
	wait_for(f->source, -ENOENT); // never again what was there
	assert_int_equal(look(f->source), -ENOENT);
	open_store(f);
	commit(f, ROWS_HOUR, 7);
	wait_for(f->source, 7);
}

static void a_store_that_was_replaced_between_two_looks_is_noticed(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	commit(f, ROWS_HOUR, 10);
	wait_for(f->source, 10);
	store_close(f->store);
	f->store = NULL;
	rows_dir_remove(f->store_dir);
	open_store(f);
	commit(f, ROWS_HOUR, 7);
	wait_for(f->source, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(before_there_is_a_store_there_is_no_view),
		TEST(a_store_that_appears_later_is_opened),
		TEST(commits_are_seen_soon),
		TEST(a_view_stays_as_it_was),
		TEST(a_user_is_known_at_once),
		TEST(a_collector_that_starts_again_is_followed),
		TEST(a_store_that_cannot_be_read_any_more_gives_no_view),
		TEST(a_store_that_is_lost_is_an_error_and_a_new_one_is_opened),
		TEST(a_store_that_was_replaced_between_two_looks_is_noticed),
		TEST(a_scratch_folder_that_cannot_be_made_is_said_so),
		TEST(many_threads_look_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
