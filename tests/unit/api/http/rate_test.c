// SPDX-License-Identifier: Apache-2.0
#include "api/http/rate.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <pthread.h>
#include <stdlib.h>

#define S NS_PER_SEC
#define WINDOW (60 * S)
#define START (1000 * S) // of the tests' time

static struct addr address(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct addr numbered(uint32_t n)
{
	uint8_t b[4] = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	return addr_of_v4(b);
}

static void below_the_limit_nobody_waits(void **)
{
	struct addr a = address("192.0.2.1");
	struct rate *r = rate_create(10, WINDOW);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(rate_wait_sec(r, &a, START + (uint64_t)i), 0);
		rate_add(r, &a, START + (uint64_t)i);
	}
	assert_int_not_equal(rate_wait_sec(r, &a, START + 10), 0);
	rate_free(r);
}

static void at_the_limit_one_waits_until_the_first_has_left(void **)
{
	struct addr a = address("192.0.2.1");
	struct rate *r = rate_create(3, WINDOW);
	rate_add(r, &a, START);
	rate_add(r, &a, START + 10 * S);
	rate_add(r, &a, START + 20 * S);
	assert_int_not_equal(rate_wait_sec(r, &a, START + WINDOW - 1), 0);
	assert_int_equal(rate_wait_sec(r, &a, START + WINDOW), 0);
	rate_add(r, &a, START + WINDOW);
	// now the second is the first
	assert_int_not_equal(rate_wait_sec(r, &a, START + WINDOW + 10 * S - 1), 0);
	assert_int_equal(rate_wait_sec(r, &a, START + WINDOW + 10 * S), 0);
	rate_free(r);
}

static void the_wait_is_in_whole_seconds_and_long_enough(void **)
{
	struct addr a = address("192.0.2.1");
	struct rate *r = rate_create(1, WINDOW);
	rate_add(r, &a, START);
	static const struct {
		uint64_t after_ns;
		unsigned want;
	} cases[] = {
		{0, 60},
		{1, 60},
		{S - 1, 60},
		{S, 59},
		{S + 1, 59},
		{58 * S, 2},
		{59 * S, 1},
		{60 * S - 1, 1},
		{60 * S, 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned wait = rate_wait_sec(r, &a, START + cases[i].after_ns);
		assert_int_equal(wait, cases[i].want);
		// who waits that long gets in
		assert_int_equal(rate_wait_sec(r, &a, START + cases[i].after_ns + wait * S), 0);
	}
	rate_free(r);
}

static void asking_alone_costs_nothing(void **)
{
	struct addr a = address("192.0.2.1");
	struct rate *r = rate_create(1, WINDOW);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(rate_wait_sec(r, &a, START), 0);
	rate_free(r);
}

static void addresses_do_not_answer_for_each_other(void **)
{
	struct rate *r = rate_create(1, WINDOW);
	struct addr a = address("192.0.2.1"), b = address("192.0.2.2");
	struct addr v6 = address("::192.0.2.1"); // looks like it, and is another
	rate_add(r, &a, START);
	assert_int_not_equal(rate_wait_sec(r, &a, START), 0);
	assert_int_equal(rate_wait_sec(r, &b, START), 0);
	assert_int_equal(rate_wait_sec(r, &v6, START), 0);
	rate_free(r);
}

static void an_ipv6_address_answers_for_its_64(void **)
{
	struct rate *r = rate_create(2, WINDOW);
	struct addr a = address("2001:db8:1:2::1"), b = address("2001:db8:1:2:ffff:ffff:ffff:ffff");
	struct addr other = address("2001:db8:1:3::1");
	rate_add(r, &a, START);
	rate_add(r, &b, START);
	assert_int_not_equal(rate_wait_sec(r, &a, START), 0);
	assert_int_not_equal(rate_wait_sec(r, &b, START), 0);
	assert_int_equal(rate_wait_sec(r, &other, START), 0);
	rate_free(r);
}

static void limits_are_kept_within_what_there_is_room_for(void **)
{
	struct addr a = address("192.0.2.1");
	struct rate *r = rate_create(0, WINDOW);
	assert_int_equal(rate_wait_sec(r, &a, START), 0);
	rate_add(r, &a, START);
	assert_int_not_equal(rate_wait_sec(r, &a, START), 0);
	rate_free(r);
	r = rate_create(5000, WINDOW);
	for (int i = 0; i < RATE_LIMIT_MAX; i++) {
		assert_int_equal(rate_wait_sec(r, &a, START), 0);
		rate_add(r, &a, START);
	}
	assert_int_not_equal(rate_wait_sec(r, &a, START), 0);
	rate_free(r);
	rate_free(NULL);
}

// The definition: how many fell into the window that ends now.
static unsigned count_within(const uint64_t *at, unsigned n, uint64_t now)
{
	unsigned within = 0;
	for (unsigned i = 0; i < n; i++)
		within += at[i] + WINDOW > now;
	return within;
}

static void no_window_whatever_holds_more_than_the_limit(void **)
{
	static const unsigned limits[] = {1, 2, 7, 10, 63, 64};
	static uint64_t at[20000];
	srand(1);
	for (size_t k = 0; k < sizeof(limits) / sizeof(limits[0]); k++) {
		struct addr a = address("192.0.2.1");
		struct rate *r = rate_create(limits[k], WINDOW);
		uint64_t now = START;
		unsigned n = 0, n_refused = 0;
		for (int i = 0; i < 3000; i++) {
			now += (uint64_t)rand() * 1000 % (2 * WINDOW / limits[k]);
			bool full = count_within(at, n, now) >= limits[k];
			assert_int_equal(rate_wait_sec(r, &a, now) > 0, full);
			n_refused += full;
			if (full)
				continue;
			rate_add(r, &a, now);
			at[n++] = now;
		}
		assert_in_range(n_refused, 100, 2900); // both cases came
		rate_free(r);
	}
}

// Those who are let in at one moment may all fail afterwards, so there can be more than the limit.
static void those_that_came_above_the_limit_count_too(void **)
{
	struct addr a = address("192.0.2.1");
	struct rate *r = rate_create(3, WINDOW);
	for (uint64_t i = 0; i < 200; i++)
		rate_add(r, &a, START + i * S / 10);
	uint64_t third_last = START + 197 * S / 10;
	assert_int_not_equal(rate_wait_sec(r, &a, third_last + WINDOW - 1), 0);
	assert_int_equal(rate_wait_sec(r, &a, third_last + WINDOW), 0);
	rate_free(r);
}

static void a_clock_that_jumps_does_no_lasting_harm(void **)
{
	struct addr a = address("192.0.2.1");
	struct rate *r = rate_create(2, WINDOW);
	rate_add(r, &a, START);
	rate_add(r, &a, START);
	assert_int_not_equal(rate_wait_sec(r, &a, START - 10 * S), 0); // back: refused still
	assert_int_equal(rate_wait_sec(r, &a, START - 10 * S), 70);    // until it has caught up
	assert_int_equal(rate_wait_sec(r, &a, START + 86400 * S), 0);  // forward: forgotten
	assert_int_equal(rate_wait_sec(r, &a, UINT64_MAX / 2), 0);
	rate_free(r);
}

static void many_addresses_take_no_more_room_and_who_goes_on_is_remembered(void **)
{
	struct addr bad = address("192.0.2.1");
	struct rate *r = rate_create(3, WINDOW);
	uint64_t now = START;
	unsigned n_forgotten = 0;
	for (uint32_t i = 0; i < 100000; i++) {
		struct addr other = numbered(i);
		rate_add(r, &other, ++now);
		if (i % 20 == 0)
			rate_add(r, &bad, ++now);
	}
	assert_int_not_equal(rate_wait_sec(r, &bad, now), 0);
	struct rate *one = rate_create(1, WINDOW);
	for (uint32_t i = 0; i < 100000; i++) {
		struct addr other = numbered(i);
		rate_add(one, &other, ++now);
	}
	for (uint32_t i = 0; i < 100000; i++) {
		struct addr other = numbered(i);
		n_forgotten += rate_wait_sec(one, &other, now) == 0;
	}
	// a table of fixed size: most had to go, the latest are there
	assert_in_range(n_forgotten, 83000, 95000);
	for (uint32_t i = 99990; i < 100000; i++) {
		struct addr other = numbered(i);
		assert_int_not_equal(rate_wait_sec(one, &other, now), 0);
	}
	rate_free(one);
	rate_free(r);
}

static void *add_many(void *arg)
{
	for (uint32_t i = 0; i < 20000; i++) {
		struct addr a = numbered(i % 20);
		rate_add(arg, &a, START + i);
		(void)rate_wait_sec(arg, &a, START + i);
	}
	return NULL;
}

static void threads_may_use_it_at_once(void **)
{
	struct addr a = numbered(19);
	struct rate *r = rate_create(16, WINDOW);
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, r), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_not_equal(rate_wait_sec(r, &a, START + 20000), 0);
	rate_free(r);
}

static void nor_does_one_of_a_key(void **)
{
	uint8_t key[RATE_KEY_LEN] = {1}, other[RATE_KEY_LEN] = {1, [15] = 1};
	struct rate *r = rate_create(150, 10 * S);
	uint64_t taken[600] = {}, n = 0;
	for (uint64_t at = START; at < START + 30 * S; at += S / 20) {
		unsigned wait = rate_take(r, key, at);
		if (wait == 0)
			taken[n++] = at;
		if (wait == 0 && n > 150)
			assert_true(at - taken[n - 151] >= 10 * S);
		assert_true(wait <= 10);
	}
	assert_int_equal(n, 450);
	assert_int_equal(rate_take(r, other, START + 30 * S), 0); // the last byte counts too
	rate_free(r);
}

static void ten_thousand_keys_are_kept_apart(void **)
{
	struct rate *r = rate_create(1, 10 * S);
	uint8_t key[RATE_KEY_LEN] = {};
	unsigned forgotten = 0;
	for (int turn = 0; turn < 2; turn++) {
		for (uint32_t i = 0; i < 10000; i++) {
			memcpy(key, &i, sizeof(i));
			forgotten += rate_take(r, key, START + i) == 0 && turn;
		}
	}
	assert_in_range(forgotten, 0, 2500); // sets that were full; none when they are a thousand
	rate_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(below_the_limit_nobody_waits),
		cmocka_unit_test(at_the_limit_one_waits_until_the_first_has_left),
		cmocka_unit_test(the_wait_is_in_whole_seconds_and_long_enough),
		cmocka_unit_test(asking_alone_costs_nothing),
		cmocka_unit_test(addresses_do_not_answer_for_each_other),
		cmocka_unit_test(an_ipv6_address_answers_for_its_64),
		cmocka_unit_test(limits_are_kept_within_what_there_is_room_for),
		cmocka_unit_test(no_window_whatever_holds_more_than_the_limit),
		cmocka_unit_test(those_that_came_above_the_limit_count_too),
		cmocka_unit_test(a_clock_that_jumps_does_no_lasting_harm),
		cmocka_unit_test(many_addresses_take_no_more_room_and_who_goes_on_is_remembered),
		cmocka_unit_test(threads_may_use_it_at_once),
		cmocka_unit_test(nor_does_one_of_a_key),
		cmocka_unit_test(ten_thousand_keys_are_kept_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
