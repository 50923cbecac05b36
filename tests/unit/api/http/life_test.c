// SPDX-License-Identifier: Apache-2.0
#include "api/http/life.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#define S NS_PER_SEC
#define OPENED (1000 * S)

static const struct life_limits limits = {.max_age_ns = 600 * S, .max_requests = 1000};

static struct life fresh(void)
{
	return (struct life){.opened_ns = OPENED, .done_ns = OPENED};
}

static void a_connection_takes_requests_until_it_is_old(void **)
{
	struct life l = fresh();
	assert_false(life_is_over(&l, &limits, OPENED));
	assert_false(life_is_over(&l, &limits, OPENED + 600 * S - 1));
	assert_true(life_is_over(&l, &limits, OPENED + 600 * S));
	l.done_ns = OPENED + 599 * S; // being busy does not make it younger
	assert_true(life_is_over(&l, &limits, OPENED + 600 * S));
}

static void a_connection_takes_so_many_requests(void **)
{
	struct life l = fresh();
	l.n_requests = 999;
	assert_false(life_is_over(&l, &limits, OPENED));
	l.n_requests = 1000;
	assert_true(life_is_over(&l, &limits, OPENED));
	l.n_requests = 1001;
	assert_true(life_is_over(&l, &limits, OPENED));
}

static void an_idle_connection_is_cut(void **)
{
	struct life l = fresh();
	assert_false(life_is_stuck(&l, OPENED + LIFE_STALL_NS - 1));
	assert_true(life_is_stuck(&l, OPENED + LIFE_STALL_NS));
	l.done_ns = OPENED + 20 * S; // a request ended since
	assert_false(life_is_stuck(&l, OPENED + 20 * S + LIFE_STALL_NS - 1));
	assert_true(life_is_stuck(&l, OPENED + 20 * S + LIFE_STALL_NS));
}

static void what_trickles_without_a_request_counts_as_idle(void **)
{
	struct life l = fresh();
	l.acked_ns = OPENED + 29 * S;
	l.acked_bytes = 1;
	assert_true(life_is_stuck(&l, OPENED + LIFE_STALL_NS));
}

static void a_request_may_take_its_time_while_tcp_moves(void **)
{
	struct life l = fresh();
	l.oldest_ns = OPENED + 100 * S; // idle before, which is forgotten
	assert_false(life_is_stuck(&l, l.oldest_ns));
	assert_false(life_is_stuck(&l, l.oldest_ns + LIFE_STALL_NS - 1));
	assert_true(life_is_stuck(&l, l.oldest_ns + LIFE_STALL_NS));
	l.acked_ns = l.oldest_ns + 29 * S;
	assert_false(life_is_stuck(&l, l.oldest_ns + LIFE_STALL_NS));
	assert_true(life_is_stuck(&l, l.acked_ns + LIFE_STALL_NS));
}

static void what_tcp_moved_before_the_request_does_not_count(void **)
{
	struct life l = fresh();
	l.acked_ns = OPENED + 1 * S;
	l.oldest_ns = OPENED + 100 * S;
	assert_false(life_is_stuck(&l, l.oldest_ns + LIFE_STALL_NS - 1));
	assert_true(life_is_stuck(&l, l.oldest_ns + LIFE_STALL_NS));
}

static void no_request_takes_longer_than_a_minute(void **)
{
	struct life l = fresh();
	l.oldest_ns = OPENED;
	for (uint64_t t = OPENED; t < OPENED + LIFE_REQUEST_NS; t += S) {
		l.acked_ns = t; // a byte now and then
		assert_false(life_is_stuck(&l, t));
	}
	l.acked_ns = OPENED + LIFE_REQUEST_NS;
	assert_true(life_is_stuck(&l, OPENED + LIFE_REQUEST_NS));
}

static void limits_of_one_end_it_with_its_first_request(void **)
{
	static const struct life_limits tight = {.max_age_ns = 1, .max_requests = 1};
	struct life l = fresh();
	assert_false(life_is_over(&l, &tight, OPENED));
	assert_true(life_is_over(&l, &tight, OPENED + 1));
	l.n_requests = 1;
	assert_true(life_is_over(&l, &tight, OPENED));
}

static void a_stream_lives_as_long_as_bytes_move(void **)
{
	struct life l = {
		.opened_ns = OPENED, .done_ns = OPENED, .n_streams = 1, .stream_ns = OPENED};
	assert_false(life_is_stuck(&l, OPENED + LIFE_STALL_NS - 1));
	assert_true(life_is_stuck(&l, OPENED + LIFE_STALL_NS));
	l.acked_ns = OPENED + 1000 * LIFE_REQUEST_NS;
	assert_false(life_is_stuck(&l, l.acked_ns + LIFE_STALL_NS - 1));
	assert_true(life_is_stuck(&l, l.acked_ns + LIFE_STALL_NS));
	l.oldest_ns = l.acked_ns; // a request beside it has its own limits
	assert_true(life_is_stuck(&l, l.oldest_ns + LIFE_REQUEST_NS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_takes_requests_until_it_is_old),
		cmocka_unit_test(a_connection_takes_so_many_requests),
		cmocka_unit_test(an_idle_connection_is_cut),
		cmocka_unit_test(what_trickles_without_a_request_counts_as_idle),
		cmocka_unit_test(a_request_may_take_its_time_while_tcp_moves),
		cmocka_unit_test(what_tcp_moved_before_the_request_does_not_count),
		cmocka_unit_test(no_request_takes_longer_than_a_minute),
		cmocka_unit_test(limits_of_one_end_it_with_its_first_request),
		cmocka_unit_test(a_stream_lives_as_long_as_bytes_move),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
