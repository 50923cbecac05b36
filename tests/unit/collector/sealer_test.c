// SPDX-License-Identifier: Apache-2.0

// The sealer's thread, on a store that this test brings.

#include "collector/sealer.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define LONG (3600 * NS_PER_SEC)
#define SHORT (5 * NS_PER_MSEC)

struct store {
	atomic_uint n_seals, n_all;
	atomic_int n_inside, most_inside;
	atomic_llong answer;
	_Atomic uint64_t now_ns;
	atomic_uint n_retains, n_scrubs;
	atomic_int retain_answer;
	_Atomic uint64_t age_ns; // asked for
};

static struct store store;
static struct ledger ledger;

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

int64_t store_seal(struct store *s, uint64_t now_ns, bool all, char error[STORE_ERROR_LEN])
{
	int n = atomic_fetch_add(&s->n_inside, 1) + 1;
	if (n > atomic_load(&s->most_inside))
		atomic_store(&s->most_inside, n);
	sleep_ms(1);
	atomic_store(&s->now_ns, now_ns);
	atomic_fetch_add(all ? &s->n_all : &s->n_seals, 1);
	atomic_fetch_sub(&s->n_inside, 1);
	int64_t answer = atomic_load(&s->answer);
	if (answer < 0)
		snprintf(error, STORE_ERROR_LEN, "the disk is full");
	return answer;
}

int store_retain(
	struct store *s,
	const struct store_retention *limits,
	uint64_t,
	struct store_expired *ret_expired,
	char error[STORE_ERROR_LEN]
)
{
	int n = atomic_fetch_add(&s->n_inside, 1) + 1;
	if (n > atomic_load(&s->most_inside))
		atomic_store(&s->most_inside, n);
	*ret_expired = (struct store_expired){.rows = 7, .hours = 2, .before_hour = 490000};
	atomic_store(&s->age_ns, limits->age_ns);
	atomic_fetch_sub(&s->n_inside, 1);
	int answer = atomic_load(&s->retain_answer);
	if (answer < 0)
		snprintf(error, STORE_ERROR_LEN, "it will not go");
	atomic_fetch_add(&s->n_retains, 1);
	return answer;
}

int store_scrub(struct store *s, struct check *c, uint64_t bytes)
{
	if (bytes == 0)
		return 0;
	atomic_fetch_add(&s->n_scrubs, 1);
	c->bytes += bytes;
	c->bad_blocks++;
	c->bad_rows += 9;
	c->is_done = c->bytes >= 3 * bytes;
	return 0;
}

static int set_up(void **)
{
	atomic_store(&store.n_seals, 0);
	atomic_store(&store.n_all, 0);
	atomic_store(&store.most_inside, 0);
	atomic_store(&store.answer, 0);
	atomic_store(&store.n_retains, 0);
	atomic_store(&store.retain_answer, 0);
	ledger = (struct ledger){};
	return 0;
}

static struct sealer *start(uint64_t interval_ns)
{
	struct sealer *s = NULL;
	struct sealer_options o = {.store = &store, .ledger = &ledger, .interval_ns = interval_ns};
	o.retention.age_ns = 99;
	assert_int_equal(sealer_start(&o, &s), 0);
	return s;
}

static void wait_for_seals(unsigned n)
{
	uint64_t until = clock_mono_ns() + 10 * NS_PER_SEC;
	while (atomic_load(&store.n_seals) < n && clock_mono_ns() < until)
		sleep_ms(1);
	assert_true(atomic_load(&store.n_seals) >= n);
}

static void seals_again_and_again(void **)
{
	struct sealer *s = start(SHORT);
	wait_for_seals(5);
	sealer_stop(s);
	assert_int_equal(atomic_load(&store.n_all), 0); // hours that are over, not the running one
	uint64_t now_ns = atomic_load(&store.now_ns);
	assert_true(now_ns <= clock_now_ns() && clock_now_ns() - now_ns < 60 * NS_PER_SEC);
}

static void failures_do_not_end_it(void **)
{
	atomic_store(&store.answer, -ENOSPC);
	struct sealer *s = start(SHORT);
	wait_for_seals(3);
	atomic_store(&store.answer, 5);
	wait_for_seals(6);
	sealer_stop(s);
}

static void first_turn_is_after_the_interval(void **)
{
	struct sealer *s = start(LONG);
	sleep_ms(30);
	assert_int_equal(atomic_load(&store.n_seals), 0);
	uint64_t before = clock_mono_ns();
	sealer_stop(s); // does not wait for the hour
	assert_true(clock_mono_ns() - before < 5 * NS_PER_SEC);
	assert_int_equal(atomic_load(&store.n_seals), 0);
	sealer_stop(NULL);
}

static void request_seals_the_running_hour_too(void **)
{
	char error[STORE_ERROR_LEN] = "";
	struct sealer *s = start(LONG);
	atomic_store(&store.answer, 42);
	assert_int_equal(sealer_seal_all(s, error), 42);
	assert_int_equal(atomic_load(&store.n_all), 1);
	assert_string_equal(error, "");
	atomic_store(&store.answer, -ENOSPC);
	assert_int_equal(sealer_seal_all(s, error), -ENOSPC);
	assert_string_equal(error, "the disk is full");
	sealer_stop(s);
}

static void what_is_too_old_goes_at_once_and_is_counted(void **)
{
	struct sealer *s = start(LONG);
	for (int i = 0; i < 10000 && atomic_load(&store.n_retains) == 0; i++)
		sleep_ms(1);
	sealer_stop(s);
	assert_int_equal(atomic_load(&store.n_retains), 1);
	assert_int_equal(atomic_load(&store.age_ns), 99);
	assert_int_equal(ledger_get(&ledger, LEDGER_expired), 7);
	assert_int_equal(ledger_get(&ledger, LEDGER_expired_hours), 2);
}

static void a_failure_to_remove_does_not_keep_from_sealing(void **)
{
	char error[STORE_ERROR_LEN] = "";
	atomic_store(&store.retain_answer, -EIO);
	struct sealer *s = start(LONG);
	assert_int_equal(sealer_seal_all(s, error), -EIO);
	assert_string_equal(error, "it will not go");
	assert_int_equal(atomic_load(&store.n_all), 1);
	sealer_stop(s);
}

static void each_turn_reads_a_bit_and_counts_what_is_damaged(void **)
{
	struct sealer_options o = {
		.store = &store, .ledger = &ledger, .interval_ns = SHORT, .scrub = 100};
	struct sealer *s;
	unsigned before = atomic_load(&store.n_scrubs);
	assert_int_equal(sealer_start(&o, &s), 0);
	wait_for_seals(7);
	sealer_stop(s);
	unsigned n = atomic_load(&store.n_scrubs) - before;
	assert_true(n >= 6);
	assert_int_equal(ledger_get(&ledger, LEDGER_scrub_bytes), 100 * n);
	assert_int_equal(ledger_get(&ledger, LEDGER_scrub_bad), n);
	assert_int_equal(ledger_get(&ledger, LEDGER_scrub_bad_rows), 9 * n);
	assert_int_equal(ledger_get(&ledger, LEDGER_scrub_rounds), n / 3);
}

static void *seal_many(void *arg)
{
	char error[STORE_ERROR_LEN];
	for (int i = 0; i < 20; i++)
		(void)!sealer_seal_all(arg, error);
	return NULL;
}

static void one_seal_at_a_time(void **)
{
	pthread_t threads[3];
	struct sealer *s = start(NS_PER_MSEC);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, seal_many, s), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	sealer_stop(s);
	assert_int_equal(atomic_load(&store.n_all), 60);
	assert_int_equal(atomic_load(&store.most_inside), 1);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(seals_again_and_again),
		TEST(failures_do_not_end_it),
		TEST(first_turn_is_after_the_interval),
		TEST(request_seals_the_running_hour_too),
		TEST(what_is_too_old_goes_at_once_and_is_counted),
		TEST(a_failure_to_remove_does_not_keep_from_sealing),
		TEST(each_turn_reads_a_bit_and_counts_what_is_damaged),
		TEST(one_seal_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
