// SPDX-License-Identifier: Apache-2.0
#include "lib/base/clock.h"
#include "sensor/flow/more.h"
#include "tests/unit/sensor/flow/flows.h"

static struct flow_more more;
static uint64_t now_ns;

static int setup(void **)
{
	struct packet p = flows_packet(1, 2, PROTO_TCP);
	now_ns = 1700000000 * NS_PER_SEC;
	flow_more_init(&more, &p, true);
	return 0;
}

// A segment, each a millisecond after the one before.
static void segment(unsigned dir, uint16_t flags, uint32_t seq, uint16_t len)
{
	struct packet p = flows_packet(1, 2, PROTO_TCP);
	p.time_ns = now_ns += NS_PER_MSEC;
	p.tcp_flags = flags;
	p.tcp_seq = seq;
	p.tcp_len = len;
	p.tcp_window = 1000;
	flow_more_count(&more, &p, dir);
}

static void the_handshake_gives_both_round_trips(void **)
{
	segment(FLOW_FORWARD, TCP_SYN, 100, 0);
	now_ns += 20 * NS_PER_MSEC;
	segment(FLOW_REVERSE, TCP_SYN | TCP_ACK, 500, 0);
	now_ns += 4 * NS_PER_MSEC;
	segment(FLOW_FORWARD, TCP_ACK, 101, 0);
	assert_int_equal(more.rtt_server, 21000);
	assert_int_equal(more.rtt_client, 5000);
	segment(FLOW_FORWARD, TCP_SYN, 100, 0); // too late to change it
	segment(FLOW_REVERSE, TCP_SYN | TCP_ACK, 500, 0);
	segment(FLOW_FORWARD, TCP_ACK, 101, 0);
	assert_int_equal(more.rtt_server, 21000);
	assert_int_equal(more.rtt_client, 5000);
}

static void of_a_syn_sent_again_the_last_one_counts(void **)
{
	segment(FLOW_FORWARD, TCP_SYN, 100, 0);
	now_ns += 3 * NS_PER_SEC;
	segment(FLOW_FORWARD, TCP_SYN, 100, 0);
	segment(FLOW_REVERSE, TCP_SYN | TCP_ACK, 500, 0);
	segment(FLOW_FORWARD, TCP_ACK, 101, 0);
	assert_int_equal(more.rtt_server, 1000);
	assert_int_equal(more.retransmitted[FLOW_FORWARD], 1);
}

static void half_a_handshake_gives_no_round_trip(void **)
{
	segment(FLOW_REVERSE, TCP_SYN | TCP_ACK, 500, 0);
	assert_int_equal(more.rtt_server, 0);
	segment(FLOW_FORWARD, TCP_ACK, 101, 0);
	assert_int_equal(more.rtt_server, 0);
	assert_int_equal(more.rtt_client, 1000);
}

static void bytes_seen_before_are_sent_again(void **)
{
	uint32_t begin = UINT32_MAX - 150; // it wraps
	for (unsigned dir = 0; dir < 2; dir++) {
		for (uint32_t i = 0; i < 5; i++)
			segment(dir, TCP_ACK, begin + i * 100, 100);
		assert_int_equal(more.retransmitted[dir], 0);
		segment(dir, TCP_ACK, begin + 300, 100);
		segment(dir, TCP_ACK, begin, 500);
		assert_int_equal(more.retransmitted[dir], 2);
		segment(dir, TCP_ACK, begin + 400, 200); // some of it is new
		assert_int_equal(more.retransmitted[dir], 2);
	}
}

static void what_fills_a_gap_is_not_sent_again(void **)
{
	segment(FLOW_FORWARD, TCP_ACK, 0, 100);
	segment(FLOW_FORWARD, TCP_ACK, 300, 100);
	segment(FLOW_FORWARD, TCP_ACK, 100, 100);
	segment(FLOW_FORWARD, TCP_ACK, 200, 100);
	assert_int_equal(more.retransmitted[FLOW_FORWARD], 0);
	segment(FLOW_FORWARD, TCP_ACK, 200, 100);
	segment(FLOW_FORWARD, TCP_ACK, 100, 100);
	assert_int_equal(more.retransmitted[FLOW_FORWARD], 2);
}

static void signs_of_life_and_mere_answers_are_not_sent_again(void **)
{
	segment(FLOW_FORWARD, TCP_ACK, 0, 100);
	for (int i = 0; i < 3; i++) {
		segment(FLOW_FORWARD, TCP_ACK, 100, 0);
		segment(FLOW_FORWARD, TCP_ACK, 99, 0);
		segment(FLOW_FORWARD, TCP_ACK, 99, 1);
	}
	segment(FLOW_FORWARD, TCP_RST, 5, 10);
	assert_int_equal(more.retransmitted[FLOW_FORWARD], 0);
}

static void shut_windows_are_counted_by_direction(void **)
{
	struct packet p = flows_packet(1, 2, PROTO_TCP);
	p.tcp_window = 0;
	p.tcp_flags = TCP_ACK;
	for (int i = 0; i < 3; i++)
		flow_more_count(&more, &p, FLOW_REVERSE);
	p.tcp_flags = TCP_RST;
	flow_more_count(&more, &p, FLOW_REVERSE);
	p.tcp_flags = TCP_SYN;
	flow_more_count(&more, &p, FLOW_FORWARD);
	assert_int_equal(more.zero_window[FLOW_FORWARD], 0);
	assert_int_equal(more.zero_window[FLOW_REVERSE], 3);
	p.tcp_flags = TCP_ACK;
	for (int i = 0; i < UINT16_MAX + 9; i++)
		flow_more_count(&more, &p, FLOW_REVERSE);
	assert_int_equal(more.zero_window[FLOW_REVERSE], UINT16_MAX);
}

static void sizes_and_ttl_are_of_the_way_forward(void **)
{
	static const uint64_t lens[] = {500, 40, 100000, 1500};
	struct packet p = flows_packet(1, 2, PROTO_UDP);
	for (unsigned i = 0; i < 4; i++) {
		p.bytes = lens[i];
		p.ttl = (uint8_t)(60 + (i ^ 2));
		flow_more_count(&more, &p, FLOW_FORWARD);
	}
	p.bytes = 20;
	p.ttl = 255;
	flow_more_count(&more, &p, FLOW_REVERSE);
	assert_int_equal(more.min_len, 40);
	assert_int_equal(more.max_len, UINT16_MAX);
	assert_int_equal(more.min_ttl, 60);
	assert_int_equal(more.max_ttl, 63);
	flow_more_restart(&more);
	p.bytes = 20;
	flow_more_count(&more, &p, FLOW_FORWARD);
	assert_int_equal(more.min_len, 20);
	assert_int_equal(more.max_len, 20);
	assert_int_equal(more.min_ttl, 255);
}

static void the_next_record_counts_anew_where_the_last_one_stopped(void **)
{
	segment(FLOW_FORWARD, TCP_ACK, 0, 100);
	segment(FLOW_FORWARD, TCP_ACK, 0, 100);
	assert_int_equal(more.retransmitted[FLOW_FORWARD], 1);
	flow_more_restart(&more);
	assert_int_equal(more.retransmitted[FLOW_FORWARD], 0);
	segment(FLOW_FORWARD, TCP_ACK, 0, 100);
	assert_int_equal(more.retransmitted[FLOW_FORWARD], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, setup)
		TEST(the_handshake_gives_both_round_trips),
		TEST(of_a_syn_sent_again_the_last_one_counts),
		TEST(half_a_handshake_gives_no_round_trip),
		TEST(bytes_seen_before_are_sent_again),
		TEST(what_fills_a_gap_is_not_sent_again),
		TEST(signs_of_life_and_mere_answers_are_not_sent_again),
		TEST(shut_windows_are_counted_by_direction),
		TEST(sizes_and_ttl_are_of_the_way_forward),
		TEST(the_next_record_counts_anew_where_the_last_one_stopped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
