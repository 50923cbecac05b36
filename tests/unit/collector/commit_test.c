// SPDX-License-Identifier: Apache-2.0

// The committer between ingest and a store that this test brings: it can hold a commit and refuse
// it.

#include "collector/commit.h"
#include "collector/intel/told.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

struct store {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool is_held;	   // commits wait
	bool is_inside;	   // one does
	uint32_t refusals; // commits to refuse
	uint32_t n_refused;
	uint32_t n_commits;
	uint32_t largest; // batches in one commit
	uint64_t rows;
	uint64_t entities;	     // bit e: rows of entity e
	uint64_t n_hits, indicators; // the sum of their indicators
};

static struct store store;
static struct ledger ledger;
static struct commit *commit;

int store_commit_hits(
	struct store *s,
	struct record_batch *const *batches,
	size_t n,
	const struct hit *hits,
	size_t n_hits,
	char error[STORE_ERROR_LEN]
)
{
	int ret = 0;
	pthread_mutex_lock(&s->lock);
	s->is_inside = true;
	pthread_cond_broadcast(&s->moved);
	while (s->is_held)
		pthread_cond_wait(&s->moved, &s->lock);
	s->is_inside = false;
	if (s->refusals) {
		s->refusals--;
		s->n_refused++;
		snprintf(error, STORE_ERROR_LEN, "no space");
		ret = -ENOSPC;
	} else {
		s->n_commits++;
		s->largest = n > s->largest ? (uint32_t)n : s->largest;
		for (size_t i = 0; i < n; i++) {
			s->rows += batches[i]->n_rows;
			s->entities |= 1ull << batches[i]->entity;
		}
		for (size_t i = 0; i < n_hits; i++) {
			s->n_hits++;
			s->indicators += hits[i].indicator;
			assert_memory_equal(hits[i].texts[HIT_VALUE].p, "value", 5);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return ret;
}

int store_hits_add(struct store *s, const struct hit *hits, size_t n, char error[STORE_ERROR_LEN])
{
	return store_commit_hits(s, NULL, 0, hits, n, error);
}

static void start(uint32_t n_batches)
{
	struct commit_options o = {
		.store = &store, .ledger = &ledger, .n_batches = n_batches, .batch_rows = 8};
	assert_int_equal(commit_start(&o, &commit), 0);
}

static int set_up(void **)
{
	store = (struct store){};
	ledger = (struct ledger){};
	pthread_mutex_init(&store.lock, NULL);
	pthread_cond_init(&store.moved, NULL);
	return 0;
}

static int tear_down(void **)
{
	pthread_cond_destroy(&store.moved);
	pthread_mutex_destroy(&store.lock);
	return 0;
}

static void hold(bool is_held)
{
	pthread_mutex_lock(&store.lock);
	store.is_held = is_held;
	pthread_cond_broadcast(&store.moved);
	pthread_mutex_unlock(&store.lock);
}

static void wait_inside(void)
{
	pthread_mutex_lock(&store.lock);
	while (!store.is_inside)
		pthread_cond_wait(&store.moved, &store.lock);
	pthread_mutex_unlock(&store.lock);
}

static void fill(struct record_batch *b, uint32_t n)
{
	struct record r = {};
	RECORD_SET(&r, proto, 6);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(record_batch_add(b, &r), 0);
}

static void push_rows(uint16_t entity, uint32_t n)
{
	struct record_batch *b = commit_take(commit, entity);
	assert_int_equal(b->n_rows, 0);
	assert_int_equal(b->entity, entity);
	fill(b, n);
	commit_push(commit, b);
}

static void rows_pushed_are_stored(void **)
{
	start(4);
	push_rows(3, 5);
	push_rows(9, 8);
	commit_stop(commit);
	assert_int_equal(store.rows, 13);
	assert_int_equal(store.entities, 1 << 3 | 1 << 9);
	assert_int_equal(ledger_get(&ledger, LEDGER_stored), 13);
	assert_int_equal(ledger_get(&ledger, LEDGER_store_failed), 0);
}

static void batches_go_round(void **)
{
	start(2);
	for (uint32_t i = 0; i < 100; i++)
		push_rows((uint16_t)(i % 2), 1 + i % 8);
	commit_stop(commit);
	uint64_t want = 0;
	for (uint32_t i = 0; i < 100; i++)
		want += 1 + i % 8;
	assert_int_equal(store.rows, want);
}

static void empty_batches_just_go_back(void **)
{
	start(1);
	for (int i = 0; i < 5; i++)
		push_rows(1, 0);
	commit_stop(commit);
	assert_int_equal(store.n_commits, 0);
}

static void what_gathers_during_a_commit_is_one_commit(void **)
{
	start(8);
	hold(true);
	push_rows(1, 1);
	wait_inside(); // the first is being written
	for (int i = 0; i < 5; i++)
		push_rows(1, 2);
	hold(false);
	commit_stop(commit);
	assert_int_equal(store.n_commits, 2);
	assert_int_equal(store.largest, 5);
	assert_int_equal(store.rows, 11);
}

static atomic_bool has_taken;

static void *take_one(void *)
{
	struct record_batch *b = commit_take(commit, 2);
	atomic_store(&has_taken, true);
	fill(b, 1);
	commit_push(commit, b);
	return NULL;
}

static void nanosleep_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void taker_waits_for_a_batch(void **) // back-pressure
{
	pthread_t thread;
	atomic_store(&has_taken, false);
	start(2);
	hold(true);
	push_rows(1, 1);
	wait_inside();
	push_rows(1, 1); // now both are away
	assert_int_equal(pthread_create(&thread, NULL, take_one, NULL), 0);
	nanosleep_ms(50);
	assert_false(atomic_load(&has_taken));
	hold(false);
	pthread_join(thread, NULL);
	commit_stop(commit);
	assert_int_equal(store.rows, 3);
}

static void the_state_says_why_intake_waits(void **)
{
	store.refusals = 1000;
	start(2);
	assert_int_equal(commit_state(commit), COMMIT_OK);
	push_rows(0, 3);
	for (int i = 0; i < 10000 && commit_state(commit) == COMMIT_OK; i++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	assert_int_equal(commit_state(commit), COMMIT_NO_SPACE);
	pthread_mutex_lock(&store.lock);
	store.refusals = 0;
	pthread_mutex_unlock(&store.lock);
	commit_take(commit, 0);			     // the other one,
	commit_push(commit, commit_take(commit, 0)); // and the one that was written
	assert_int_equal(commit_state(commit), COMMIT_OK);
	assert_int_equal(ledger_get(&ledger, LEDGER_intake_stops), 1);
	commit_stop(commit);
	assert_int_equal(store.rows, 3);
}

static void refused_write_is_tried_again(void **)
{
	store.refusals = 2;
	start(2);
	uint64_t before = clock_mono_ns();
	push_rows(1, 7);
	struct record_batch *b[2] = {commit_take(commit, 1), commit_take(commit, 1)}; // came back
	assert_true(clock_mono_ns() - before > NS_PER_SEC);
	commit_push(commit, b[0]);
	commit_push(commit, b[1]);
	commit_stop(commit);
	assert_int_equal(store.n_refused, 2);
	assert_int_equal(ledger_get(&ledger, LEDGER_stored), 7); // once
	assert_int_equal(ledger_get(&ledger, LEDGER_store_failed), 0);
}

static void refused_write_is_given_up_at_the_end(void **)
{
	store.refusals = UINT32_MAX;
	start(2);
	commit_hurry(commit);
	push_rows(1, 7);
	push_rows(1, 3);
	push_rows(1, 1); // waits for no store
	commit_stop(commit);
	assert_int_equal(ledger_get(&ledger, LEDGER_stored), 0);
	assert_int_equal(ledger_get(&ledger, LEDGER_store_failed), 11);
}

static int n_told;

static void told(void *, const struct hit *h)
{
	assert_null(h); // there is no intelligence here
	n_told++;
}

static int one(uint64_t timeout_ns)
{
	struct record r = {};
	RECORD_SET(&r, proto, 6);
	return commit_one(commit, 3, &r, timeout_ns, told, NULL);
}

static void one_record_is_there_when_it_is_acknowledged(void **)
{
	start(2);
	n_told = 0;
	for (int i = 1; i <= 5; i++) {
		assert_int_equal(one(10 * NS_PER_SEC), 0);
		assert_int_equal(store.rows, i);
		assert_int_equal(n_told, i);
	}
	assert_int_equal(ledger_get(&ledger, LEDGER_records), 5);
	assert_int_equal(ledger_get(&ledger, LEDGER_stored), 5);
	commit_stop(commit);
}

static void one_record_is_not_waited_for_for_ever(void **)
{
	start(1);
	hold(true);
	push_rows(1, 1);
	wait_inside();
	assert_int_equal(one(NS_PER_SEC / 20), -ETIMEDOUT); // no batch is free
	hold(false);
	assert_int_equal(one(10 * NS_PER_SEC), 0);
	hold(true);
	assert_int_equal(one(NS_PER_SEC / 20), -ETIMEDOUT); // it waits inside
	hold(false);
	commit_stop(commit);
	assert_int_equal(store.rows, 3); // and was stored later all the same
}

static void one_record_that_is_given_up_is_told(void **)
{
	store.refusals = UINT32_MAX;
	start(2);
	commit_hurry(commit);
	assert_int_equal(one(10 * NS_PER_SEC), -EIO);
	commit_stop(commit);
	assert_int_equal(ledger_get(&ledger, LEDGER_store_failed), 1);
}

static void stop_commits_what_was_pushed(void **)
{
	start(8);
	hold(true);
	for (int i = 0; i < 4; i++)
		push_rows(1, 2);
	hold(false);
	commit_stop(commit);
	assert_int_equal(store.rows, 8);
	commit_hurry(NULL);
	commit_stop(NULL);
}

#define PUSHERS 4
#define PUSHES 500

static void *push_many(void *arg)
{
	uint16_t entity = (uint16_t)(uintptr_t)arg;
	for (uint32_t i = 0; i < PUSHES; i++) {
		struct record_batch *b = commit_take(commit, entity);
		fill(b, i % 4);
		commit_push(commit, b);
	}
	return NULL;
}

static void many_threads_share_the_batches(void **)
{
	pthread_t threads[PUSHERS];
	start(5);
	for (uintptr_t i = 0; i < PUSHERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, push_many, (void *)i), 0);
	for (int i = 0; i < PUSHERS; i++)
		pthread_join(threads[i], NULL);
	commit_stop(commit);
	assert_int_equal(store.rows, PUSHERS * PUSHES / 4 * (0 + 1 + 2 + 3));
	assert_int_equal(ledger_get(&ledger, LEDGER_stored), store.rows);
	assert_int_equal(store.entities, (1 << PUSHERS) - 1);
	assert_true(store.largest <= 5);
}

static bool goes_on(void)
{
	bool is_full;
	return commit_goes_on(commit, &is_full);
}

static void a_write_that_hangs_is_noticed_at_the_second_look(void **)
{
	bool is_full;
	start(2);
	assert_true(commit_goes_on(commit, &is_full));
	assert_false(is_full);
	hold(true);
	push_rows(1, 5);
	wait_inside();
	assert_true(goes_on()); // it may have begun just now
	assert_false(goes_on());
	struct record_batch *b = commit_take(commit, 1);
	assert_false(commit_goes_on(commit, &is_full));
	assert_true(is_full);
	commit_push(commit, b);
	hold(false);
	commit_stop(commit);
}

static void a_store_that_refuses_is_no_hang(void **)
{
	start(2);
	store.refusals = UINT32_MAX;
	push_rows(1, 5);
	for (int i = 0; i < 3; i++) {
		pthread_mutex_lock(&store.lock);
		uint32_t seen = store.n_refused;
		pthread_mutex_unlock(&store.lock);
		for (uint32_t now = seen; now < seen + 1;) {
			nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
			pthread_mutex_lock(&store.lock);
			now = store.n_refused;
			pthread_mutex_unlock(&store.lock);
		}
		assert_true(goes_on());
	}
	commit_stop(commit);
}

static bool tell(uint64_t indicator)
{
	char value[] = "value"; // gone when the committer comes to it
	struct hit h = {.indicator = indicator, .texts[HIT_VALUE] = {value, 5}};
	return commit_hit(commit, &h);
}

static void hits_are_committed_with_rows_and_without(void **)
{
	start(4);
	assert_true(tell(1));
	push_rows(3, 5);
	assert_true(tell(20));
	commit_stop(commit);
	assert_int_equal(store.rows, 5);
	assert_int_equal(store.n_hits, 2);
	assert_int_equal(store.indicators, 21);
}

static void more_hits_than_may_wait_are_refused(void **)
{
	start(4);
	hold(true);
	push_rows(3, 1);
	wait_inside();
	uint64_t n = 0;
	while (tell(1))
		n++;
	assert_int_equal(n, TOLD_MAX);
	hold(false);
	commit_stop(commit);
	assert_int_equal(store.n_hits, n);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_pushed_are_stored),
		TEST(batches_go_round),
		TEST(empty_batches_just_go_back),
		TEST(what_gathers_during_a_commit_is_one_commit),
		TEST(taker_waits_for_a_batch),
		TEST(the_state_says_why_intake_waits),
		TEST(refused_write_is_tried_again),
		TEST(refused_write_is_given_up_at_the_end),
		TEST(one_record_is_there_when_it_is_acknowledged),
		TEST(one_record_is_not_waited_for_for_ever),
		TEST(one_record_that_is_given_up_is_told),
		TEST(stop_commits_what_was_pushed),
		TEST(many_threads_share_the_batches),
		TEST(a_write_that_hangs_is_noticed_at_the_second_look),
		TEST(a_store_that_refuses_is_no_hang),
		TEST(hits_are_committed_with_rows_and_without),
		TEST(more_hits_than_may_wait_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
