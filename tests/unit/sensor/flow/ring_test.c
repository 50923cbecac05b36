// SPDX-License-Identifier: Apache-2.0
#include "lib/base/clock.h"
#include "sensor/flow/ring.h"
#include "tests/unit/cmocka.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static struct flow_ring *ring;

static int teardown(void **)
{
	flow_ring_free(ring);
	ring = NULL;
	return 0;
}

static void create(uint32_t n_flows, bool wait)
{
	ring = flow_ring_create(n_flows, wait);
	assert_non_null(ring);
}

static bool push(uint64_t number)
{
	struct flow f = {.start_ns = number, .last_ns = ~number};
	return flow_ring_push(ring, &f);
}

static bool holds(const struct flow *f, uint64_t number)
{
	return f->start_ns == number && f->last_ns == ~number;
}

static void a_new_ring_is_empty(void **)
{
	const struct flow *flows;
	create(8, false);
	assert_int_equal(flow_ring_peek(ring, 100, &flows), 0);
}

static void room_is_rounded_up_to_a_power_of_two(void **)
{
	static const struct {
		uint32_t asked, room;
	} cases[] = {{0, 2}, {1, 2}, {2, 2}, {3, 4}, {64, 64}, {65, 128}, {1000, 1024}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t n = 0;
		create(cases[i].asked, false);
		while (push(n))
			n++;
		assert_int_equal(n, cases[i].room);
		teardown(NULL);
	}
}

static void flows_come_out_as_copies_in_their_order(void **)
{
	const struct flow *flows;
	struct flow f = {.start_ns = 1, .bytes = {5, 6}, .macs = "abcdefghijk"};
	create(4, false);
	assert_true(flow_ring_push(ring, &f));
	struct flow before = f;
	memset(&f, 0xff, sizeof(f));
	assert_true(flow_ring_push(ring, &f));
	assert_int_equal(flow_ring_peek(ring, 10, &flows), 2);
	assert_memory_equal(&flows[0], &before, sizeof(f));
	f.has_extra = false; // it has nothing beside, whatever it said
	assert_memory_equal(&flows[1], &f, sizeof(f));
}

static void peeking_takes_nothing_and_release_what_it_is_told(void **)
{
	const struct flow *flows;
	create(8, false);
	for (uint64_t i = 0; i < 5; i++)
		assert_true(push(i));
	assert_int_equal(flow_ring_peek(ring, 3, &flows), 3);
	assert_int_equal(flow_ring_peek(ring, 3, &flows), 3);
	assert_true(holds(flows, 0));
	flow_ring_release(ring, 2);
	assert_int_equal(flow_ring_peek(ring, 100, &flows), 3);
	assert_true(holds(flows, 2));
	flow_ring_release(ring, 0);
	assert_int_equal(flow_ring_peek(ring, 1, &flows), 1);
	assert_true(holds(flows, 2));
}

static void a_peek_stops_where_the_memory_begins_anew(void **)
{
	const struct flow *flows;
	create(4, false);
	for (uint64_t i = 0; i < 3; i++)
		assert_true(push(i));
	assert_int_equal(flow_ring_peek(ring, 3, &flows), 3);
	flow_ring_release(ring, 3);
	for (uint64_t i = 3; i < 7; i++)
		assert_true(push(i));
	assert_false(push(7));
	assert_int_equal(flow_ring_peek(ring, 4, &flows), 1);
	assert_true(holds(flows, 3));
	flow_ring_release(ring, 1);
	assert_int_equal(flow_ring_peek(ring, 4, &flows), 3);
	for (uint64_t i = 0; i < 3; i++)
		assert_true(holds(&flows[i], 4 + i));
}

static void a_full_ring_loses_the_new_flow_and_keeps_the_old_ones(void **)
{
	const struct flow *flows;
	create(2, false);
	assert_true(push(0));
	assert_true(push(1));
	assert_false(push(2));
	assert_false(push(3));
	assert_int_equal(flow_ring_peek(ring, 2, &flows), 2);
	assert_true(holds(&flows[0], 0) && holds(&flows[1], 1));
	flow_ring_release(ring, 1);
	assert_true(push(4));
	assert_false(push(5));
}

static void every_flow_passes_in_its_order_however_often_it_wraps(void **)
{
	uint64_t in = 0, out = 0;
	create(8, false);
	for (uint32_t round = 0; round < 100000; round++) {
		const struct flow *flows;
		for (uint32_t n = round * 7 % 9; n > 0 && push(in); n--)
			in++;
		uint32_t n = flow_ring_peek(ring, 1 + round * 5 % 8, &flows);
		for (uint32_t i = 0; i < n; i++)
			assert_true(holds(&flows[i], out + i));
		out += n;
		flow_ring_release(ring, n);
	}
	assert_true(out > 200000);
}

#ifdef __SANITIZE_THREAD__ // ten times as slow
#define N_ITEMS 1000000ull
#else
#define N_ITEMS 10000000ull
#endif
#define LIMIT_NS (60 * NS_PER_SEC)

static atomic_ullong n_pushed;

static void *producer(void *arg)
{
	uint64_t n = *(uint64_t *)arg;
	for (uint64_t i = 0; i < n; i++)
		if (push(i))
			atomic_fetch_add_explicit(&n_pushed, 1, memory_order_relaxed);
	return NULL;
}

// Takes what comes until `n` flows were taken or the time is up; how many were in their place.
static uint64_t consume(uint64_t n)
{
	uint64_t taken = 0, right = 0, end = clock_mono_ns() + LIMIT_NS;
	while (taken < n && clock_mono_ns() < end) {
		const struct flow *flows;
		uint32_t got = flow_ring_peek(ring, 64, &flows);
		for (uint32_t i = 0; i < got; i++)
			right += holds(&flows[i], taken + i);
		taken += got;
		flow_ring_release(ring, got);
		if (got == 0)
			sched_yield();
	}
	return right;
}

static void two_threads_pass_millions_of_flows_in_order(void **)
{
	uint64_t n = N_ITEMS;
	pthread_t thread;
	create(16384, true);
	assert_int_equal(pthread_create(&thread, NULL, producer, &n), 0);
	uint64_t right = consume(n);
	if (right == n)
		pthread_join(thread, NULL);
	assert_true(right == n);
}

static void a_ring_that_waits_loses_nothing_to_a_slow_reader(void **)
{
	uint64_t n = 1000;
	const struct flow *flows;
	pthread_t thread;
	create(16, true);
	n_pushed = 0;
	assert_int_equal(pthread_create(&thread, NULL, producer, &n), 0);
	while (n_pushed < 16)
		sched_yield();
	usleep(10000);
	assert_int_equal(n_pushed, 16); // the next one waits
	assert_int_equal(flow_ring_peek(ring, 100, &flows), 16);
	assert_true(holds(flows, 0));
	assert_true(consume(n) == n);
	pthread_join(thread, NULL);
	assert_int_equal(n_pushed, n);
}

static void a_ring_that_lost_flows_can_be_let_wait(void **)
{
	uint64_t n = 1000;
	const struct flow *flows;
	pthread_t thread;
	create(16, false);
	for (uint64_t i = 0; i < 16; i++)
		assert_true(push(i));
	assert_false(push(16));
	assert_int_equal(flow_ring_peek(ring, 16, &flows), 16);
	flow_ring_release(ring, 16);
	flow_ring_let_wait(ring);
	assert_int_equal(pthread_create(&thread, NULL, producer, &n), 0);
	assert_true(consume(n) == n);
	pthread_join(thread, NULL);
}

static void what_a_fast_writer_loses_is_told_to_it_and_the_rest_arrives(void **)
{
	uint64_t n = 100000, taken = 0, last = 0;
	const struct flow *flows;
	pthread_t thread;
	bool is_over = false;
	create(16, false);
	n_pushed = 0;
	assert_int_equal(pthread_create(&thread, NULL, producer, &n), 0);
	while (!is_over) {
		is_over = pthread_tryjoin_np(thread, NULL) == 0; // then a last look
		uint32_t got;
		while ((got = flow_ring_peek(ring, 64, &flows)) > 0) {
			for (uint32_t i = 0; i < got; i++) {
				assert_true(flows[i].last_ns == ~flows[i].start_ns);
				assert_true(taken + i == 0 || flows[i].start_ns > last);
				last = flows[i].start_ns;
			}
			taken += got;
			flow_ring_release(ring, got);
		}
	}
	assert_int_equal(taken, n_pushed);
}

static void freeing_no_ring_is_nothing(void **)
{
	flow_ring_free(NULL);
}

static size_t fill(uint8_t *extra, uint64_t number)
{
	size_t len = number % 5 == 0 ? 0 : 1 + number * 37 % FLOW_EXTRA_MAX;
	memset(extra, (int)(number & 0xff), len);
	return len;
}

static void check_extra(const struct flow *f, uint64_t number)
{
	uint8_t wanted[FLOW_EXTRA_MAX];
	const uint8_t *extra;
	size_t len = fill(wanted, number);
	assert_true(holds(f, number));
	assert_int_equal(flow_ring_extra(ring, f, &extra), len);
	if (len)
		assert_memory_equal(extra, wanted, len);
}

static enum flow_ring_push push_with_extra(uint64_t number)
{
	uint8_t extra[FLOW_EXTRA_MAX];
	struct flow f = {.start_ns = number, .last_ns = ~number};
	return flow_ring_push_extra(ring, &f, extra, fill(extra, number));
}

static void what_flows_have_beside_goes_along(void **)
{
	const struct flow *flows;
	uint64_t in = 0, out = 0;
	create(8, false);
	while (out < 5000) {
		while (in - out < 3) // the largest three fit, wherever the bytes begin anew
			assert_int_equal(push_with_extra(in++), FLOW_RING_OK);
		uint32_t n = flow_ring_peek(ring, (uint32_t)(1 + out % 3), &flows);
		for (uint32_t i = 0; i < n; i++)
			check_extra(&flows[i], out + i);
		flow_ring_release(ring, n);
		out += n;
	}
}

static void without_room_for_it_the_flow_goes_bare(void **)
{
	uint8_t extra[FLOW_EXTRA_MAX] = {7};
	struct flow f = {.start_ns = 1};
	const struct flow *flows;
	const uint8_t *got;
	unsigned whole = 0, bare = 0;
	create(64, false);
	for (int i = 0; i < 64; i++) {
		enum flow_ring_push p = flow_ring_push_extra(ring, &f, extra, sizeof(extra));
		whole += p == FLOW_RING_OK;
		bare += p == FLOW_RING_BARE;
	}
	assert_int_equal(flow_ring_push_extra(ring, &f, extra, 1), FLOW_RING_LOST);
	assert_true(whole >= 3);
	assert_int_equal(whole + bare, 64);
	assert_int_equal(flow_ring_peek(ring, 64, &flows), 64);
	assert_int_equal(flow_ring_extra(ring, &flows[0], &got), sizeof(extra));
	assert_int_equal(flow_ring_extra(ring, &flows[63], &got), 0);
	flow_ring_release(ring, 64);
	assert_int_equal(flow_ring_push_extra(ring, &f, extra, sizeof(extra)), FLOW_RING_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
		TEST(a_new_ring_is_empty),
		TEST(room_is_rounded_up_to_a_power_of_two),
		TEST(flows_come_out_as_copies_in_their_order),
		TEST(peeking_takes_nothing_and_release_what_it_is_told),
		TEST(a_peek_stops_where_the_memory_begins_anew),
		TEST(a_full_ring_loses_the_new_flow_and_keeps_the_old_ones),
		TEST(every_flow_passes_in_its_order_however_often_it_wraps),
		TEST(two_threads_pass_millions_of_flows_in_order),
		TEST(a_ring_that_waits_loses_nothing_to_a_slow_reader),
		TEST(a_ring_that_lost_flows_can_be_let_wait),
		TEST(what_a_fast_writer_loses_is_told_to_it_and_the_rest_arrives),
		TEST(freeing_no_ring_is_nothing),
		TEST(what_flows_have_beside_goes_along),
		TEST(without_room_for_it_the_flow_goes_bare),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
