// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/table.h"
#include "sensor/flow/tcp.h"
#include "tests/unit/sensor/flow/flows.h"

#define STEP_NS (50 * NS_PER_MSEC)
#define SLACK_NS NS_PER_SEC // timeouts hold to a second
#define DAY_NS (24 * NS_PER_HOUR)
#define WRAP_NS (65536ull << 27) // due times have 16 bits of ticks of 2^27 ns

static struct flows flows;

static int setup(void **)
{
	struct flow_table_options o = flows_options();
	flows_open(&flows, &o);
	return 0;
}

static int teardown(void **)
{
	flows_close(&flows);
	return 0;
}

static void reopen(size_t n_flows, uint64_t idle_ns, uint64_t active_ns)
{
	struct flow_table_options o = flows_options();
	o.n_flows = n_flows;
	o.idle_ns = idle_ns;
	o.active_ns = active_ns;
	flows_open(&flows, &o);
}

static struct packet udp(void)
{
	return flows_packet(1, 2, PROTO_UDP);
}

static void put_tcp(uint16_t flags, bool is_answer, uint64_t time_ns)
{
	struct packet p = flows_packet(1, 2, PROTO_TCP);
	p.tcp_flags = flags;
	flows_put_at(&flows, is_answer ? flows_answer(&p) : p, time_ns);
}

// Sweeps on; the only flow ends for the reason at `due_ns`, no earlier and at most a second later.
static struct flow
assert_ends_at(uint64_t from_ns, uint64_t due_ns, uint64_t step_ns, enum flow_end reason)
{
	flows_expire(&flows, from_ns, due_ns - 1, step_ns);
	assert_int_equal(flows_n_ended(&flows), 0);
	flows_expire(&flows, due_ns, due_ns + SLACK_NS, step_ns);
	return flows_only(&flows, reason);
}

static void a_silent_flow_ends_at_its_idle_timeout(void **)
{
	flows_put_at(&flows, udp(), T0);
	flows_put_at(&flows, udp(), T0 + NS_PER_SEC);
	struct flow f = assert_ends_at(T0, T0 + NS_PER_SEC + IDLE_NS, STEP_NS, FLOW_END_IDLE);
	assert_true(f.start_ns == T0);
	assert_true(f.last_ns == T0 + NS_PER_SEC);
	assert_int_equal(f.packets[FLOW_FORWARD], 2);
}

static void the_packet_at_the_idle_timeout_is_of_a_new_flow(void **)
{
	struct packet p = udp();
	flows_put_at(&flows, p, T0);
	flows_put_at(&flows, p, T0 + IDLE_NS - 1);
	flows_put_at(&flows, p, T0 + 2 * IDLE_NS - 2);
	assert_int_equal(flows_n_ended(&flows), 0);
	flows_put_at(&flows, flows_answer(&p), T0 + 3 * IDLE_NS - 2);
	struct flow f = flows_only(&flows, FLOW_END_IDLE);
	assert_int_equal(f.packets[FLOW_FORWARD], 3);
	f = flows_flushed(&flows);
	struct addr initiator = flows_initiator(&f); // the new one began at the other end
	assert_true(addr_eq(&initiator, &p.dst));
	assert_true(f.start_ns == T0 + 3 * IDLE_NS - 2);
}

static void a_long_flow_is_told_in_parts_by_its_packets(void **)
{
	struct flow f;
	struct packet p = flows_packet(1, 2, PROTO_TCP);
	p.tcp_flags = TCP_SYN;
	flows_put_at(&flows, p, T0);
	p.tcp_flags = TCP_ACK;
	for (uint64_t at = NS_PER_SEC; at < ACTIVE_NS; at += NS_PER_SEC)
		flows_put_at(&flows, flows_answer(&p), T0 + at);
	assert_int_equal(flows_n_ended(&flows), 0);
	flows_put_at(&flows, flows_answer(&p), T0 + ACTIVE_NS);
	f = flows_only(&flows, FLOW_END_ACTIVE);
	assert_true(f.start_ns == T0);
	assert_true(f.last_ns == T0 + ACTIVE_NS - NS_PER_SEC);
	assert_int_equal(f.packets[FLOW_FORWARD], 1);
	assert_int_equal(f.packets[FLOW_REVERSE], 299);
	f = flows_flushed(&flows);
	assert_true(f.start_ns == T0 + ACTIVE_NS);
	assert_int_equal(f.packets[FLOW_FORWARD], 0); // who began stays the same
	assert_int_equal(f.packets[FLOW_REVERSE], 1);
	assert_int_equal(f.bytes[FLOW_REVERSE], 100);
	assert_int_equal(f.tcp_flags[FLOW_FORWARD], 0); // flags are the part's own
	assert_int_equal(f.tcp_flags[FLOW_REVERSE], TCP_ACK);
}

static void a_long_flow_is_told_in_parts_by_the_sweep(void **)
{
	uint64_t next = T0 + 7 * NS_PER_SEC;
	struct flow f;
	unsigned n = 0, packets = 0;
	flows_put_at(&flows, udp(), T0);
	for (uint64_t now = T0; now <= T0 + 4 * ACTIVE_NS; now += STEP_NS) {
		if (now >= next) {
			flows_put_at(&flows, udp(), now);
			next = now + 7 * NS_PER_SEC;
		}
		flow_table_expire(flows.table, now);
		for (; flows_next(&flows, &f); n++) {
			assert_int_equal(f.end_reason, FLOW_END_ACTIVE);
			assert_in_range(now - f.start_ns, ACTIVE_NS, ACTIVE_NS + SLACK_NS);
			packets += (unsigned)f.packets[FLOW_FORWARD];
		}
	}
	assert_int_equal(n, 3); // each part begins with its first packet, up to 7 s later
	f = flows_flushed(&flows);
	assert_int_equal(packets + f.packets[FLOW_FORWARD], 1 + 4 * 300 / 7);
}

static void the_end_of_a_part_is_the_last_of_its_own_packets(void **)
{
	uint64_t last = T0 + ACTIVE_NS - 1;
	for (uint64_t at = T0; at < last; at += IDLE_NS / 2)
		flows_put_at(&flows, udp(), at);
	flows_put_at(&flows, udp(), last);
	flows_expire(&flows, last, last + NS_PER_SEC, STEP_NS);
	(void)flows_only(&flows, FLOW_END_ACTIVE);
	flows_put_at(&flows, udp(), last - NS_PER_MSEC); // overtaken on its way
	struct flow f = flows_flushed(&flows);
	assert_true(f.start_ns == last - NS_PER_MSEC);
	assert_true(f.last_ns == last - NS_PER_MSEC);
}

static void silence_after_an_active_timeout_gives_no_empty_record(void **)
{
	for (uint64_t at = 0; at < ACTIVE_NS; at += IDLE_NS / 2)
		flows_put_at(&flows, udp(), T0 + at);
	flows_expire(&flows, T0, T0 + 3 * ACTIVE_NS, STEP_NS);
	struct flow f = flows_only(&flows, FLOW_END_ACTIVE);
	assert_int_equal(f.packets[FLOW_FORWARD], 20);
	flow_table_flush(flows.table);
	assert_int_equal(flows_n_ended(&flows), 0);
	assert_int_equal(flow_table_counters(flows.table)->flows, 1);
}

static void the_timeout_that_comes_first_names_the_reason_however_late_one_looks(void **)
{
	uint64_t last = T0 + ACTIVE_NS - IDLE_NS / 2, late = last + NS_PER_HOUR;
	for (int by_packet = 0; by_packet < 2; by_packet++) {
		setup(NULL);
		flow_table_expire(flows.table, T0);
		for (uint64_t at = T0; at <= last; at += IDLE_NS / 2)
			flows_put_at(&flows, udp(), at);
		struct packet p = udp();
		if (by_packet)
			flows_put_at(&flows, flows_answer(&p), late);
		else
			flow_table_expire(flows.table, late);
		(void)flows_only(&flows, FLOW_END_ACTIVE);
		if (by_packet) { // and the flow was over all the same
			struct flow f = flows_flushed(&flows);
			assert_true(f.start_ns == late);
			assert_int_equal(f.packets[FLOW_FORWARD], 1);
		}
	}
}

static void a_conversation_closed_by_both_ends_lingers_and_ends(void **)
{
	put_tcp(TCP_SYN, false, T0);
	put_tcp(TCP_FIN | TCP_ACK, false, T0 + 1);
	put_tcp(TCP_FIN | TCP_ACK, true, T0 + 2);
	put_tcp(TCP_ACK, false, T0 + NS_PER_SEC / 2); // the last one still belongs to it
	uint64_t due = T0 + NS_PER_SEC / 2 + TCP_LINGER_NS;
	struct flow f = assert_ends_at(T0, due, STEP_NS, FLOW_END_DETECTED);
	assert_int_equal(f.packets[FLOW_FORWARD], 3);
	assert_int_equal(f.packets[FLOW_REVERSE], 1);
}

static void a_reset_conversation_lingers_and_ends(void **)
{
	put_tcp(TCP_SYN, false, T0);
	put_tcp(TCP_RST | TCP_ACK, true, T0 + 5);
	struct flow f = assert_ends_at(T0, T0 + 5 + TCP_LINGER_NS, STEP_NS, FLOW_END_DETECTED);
	assert_int_equal(f.tcp_flags[FLOW_REVERSE], TCP_RST | TCP_ACK);
}

static void a_conversation_closed_by_one_end_is_not_over(void **)
{
	put_tcp(TCP_SYN, false, T0);
	put_tcp(TCP_FIN | TCP_ACK, false, T0 + 1);
	put_tcp(TCP_FIN | TCP_ACK, false, T0 + 2); // again
	(void)assert_ends_at(T0, T0 + 2 + IDLE_NS, STEP_NS, FLOW_END_IDLE);
}

static void a_new_syn_after_the_close_begins_a_new_flow_at_once(void **)
{
	put_tcp(TCP_SYN, false, T0);
	put_tcp(TCP_RST, true, T0 + 1);
	put_tcp(TCP_SYN | TCP_ACK, true, T0 + 2); // no beginning
	put_tcp(TCP_RST, true, T0 + 3);
	assert_int_equal(flows_n_ended(&flows), 0);
	put_tcp(TCP_SYN, true, T0 + 4);
	struct flow f = flows_only(&flows, FLOW_END_DETECTED);
	assert_int_equal(f.packets[FLOW_FORWARD] + f.packets[FLOW_REVERSE], 4);
	f = assert_ends_at(T0, T0 + 4 + IDLE_NS, STEP_NS, FLOW_END_IDLE); // open again
	assert_int_equal(f.packets[FLOW_FORWARD], 1);
	assert_int_equal(f.tcp_flags[FLOW_FORWARD], TCP_SYN);
	assert_true(f.start_ns == T0 + 4);
}

static void a_packet_after_the_linger_is_of_a_new_flow(void **)
{
	put_tcp(TCP_RST, false, T0);
	put_tcp(TCP_ACK, true, T0 + TCP_LINGER_NS);
	(void)flows_only(&flows, FLOW_END_DETECTED);
	struct flow f = flows_flushed(&flows);
	assert_int_equal(f.packets[FLOW_FORWARD], 1);
}

static void a_closed_flow_ends_as_closed_when_flushed(void **)
{
	put_tcp(TCP_RST, false, T0);
	flow_table_flush(flows.table);
	(void)flows_only(&flows, FLOW_END_DETECTED);
}

// Nothing is swept for `pause_ns`; the flow that was there ends at once, a new one in its time.
static void assert_exact_after(uint64_t pause_ns)
{
	uint64_t now = T0 + pause_ns;
	setup(NULL);
	flow_table_expire(flows.table, T0);
	flows_put_at(&flows, udp(), T0);
	flow_table_expire(flows.table, now);
	(void)flows_only(&flows, FLOW_END_IDLE);
	flows_put_at(&flows, udp(), now);
	(void)assert_ends_at(now, now + IDLE_NS, STEP_NS, FLOW_END_IDLE);
	flows_put_at(&flows, udp(), now + pause_ns); // and again, the packet first
	(void)assert_ends_at(now + pause_ns, now + pause_ns + IDLE_NS, STEP_NS, FLOW_END_IDLE);
}

static void timeouts_are_exact_after_pauses_of_any_length(void **)
{
	static const uint64_t pauses[] = {
		IDLE_NS + NS_PER_SEC,
		NS_PER_HOUR,
		WRAP_NS / 4,
		WRAP_NS / 2 - NS_PER_SEC,
		WRAP_NS / 2,
		WRAP_NS / 2 + NS_PER_SEC,
		WRAP_NS - IDLE_NS,
		WRAP_NS,
		WRAP_NS + IDLE_NS,
		3 * WRAP_NS / 2,
		100 * WRAP_NS + 17,
		365 * DAY_NS,
	};
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++)
		assert_exact_after(pauses[i]);
}

static void a_timeout_of_a_day_is_exact(void **)
{
	reopen(1000, DAY_NS, 2 * DAY_NS);
	flows_put_at(&flows, udp(), T0);
	(void)assert_ends_at(T0, T0 + DAY_NS, 4 * STEP_NS, FLOW_END_IDLE);
}

static void a_flow_that_speaks_once_an_hour_lives_through_days(void **)
{
	reopen(1000, DAY_NS, 4 * DAY_NS);
	for (uint64_t hour = 0; hour < 50; hour++) {
		uint64_t at = T0 + hour * NS_PER_HOUR;
		flows_put_at(&flows, udp(), at);
		flows_expire(&flows, at, at + NS_PER_HOUR, NS_PER_SEC);
		assert_int_equal(flows_n_ended(&flows), 0);
	}
	uint64_t last = T0 + 49 * NS_PER_HOUR;
	struct flow f = assert_ends_at(last, last + DAY_NS, NS_PER_SEC / 4, FLOW_END_IDLE);
	assert_int_equal(f.packets[FLOW_FORWARD], 50);
}

static void a_clock_far_back_ends_all_flows_and_begins_anew(void **)
{
	struct packet p = udp();
	flow_table_expire(flows.table, T0);
	flows_put_at(&flows, p, T0);
	flow_table_expire(flows.table, T0 - IDLE_NS - 1);
	(void)flows_only(&flows, FLOW_END_FORCED);
	assert_int_equal(flow_table_counters(flows.table)->rewinds, 1);
	uint64_t now = T0 - 10 * NS_PER_HOUR; // further back, with nothing to end
	flow_table_expire(flows.table, now);
	assert_int_equal(flow_table_counters(flows.table)->rewinds, 2);
	flows_put_at(&flows, p, now);
	(void)assert_ends_at(now, now + IDLE_NS, STEP_NS, FLOW_END_IDLE);
}

static void a_clock_a_little_back_ends_nothing(void **)
{
	flow_table_expire(flows.table, T0);
	flows_put_at(&flows, udp(), T0);
	for (uint64_t back = 0; back <= IDLE_NS; back += NS_PER_SEC)
		flow_table_expire(flows.table, T0 - back);
	flows_put_at(&flows, udp(), T0 - IDLE_NS / 2);
	assert_int_equal(flows_n_ended(&flows), 0);
	assert_int_equal(flow_table_counters(flows.table)->rewinds, 0);
	struct flow f = assert_ends_at(T0 - IDLE_NS, T0 + IDLE_NS, STEP_NS, FLOW_END_IDLE);
	assert_int_equal(f.packets[FLOW_FORWARD], 2);
}

static void a_call_looks_at_a_slice_of_the_table_and_a_quarter_second_at_all(void **)
{
	enum { N = 10000 };
	reopen(100000, IDLE_NS, ACTIVE_NS);
	for (uint32_t i = 0; i < N; i++)
		flows_put_at(&flows, flows_packet(i, 0x800000, PROTO_UDP), T0);
	uint64_t now = T0 + IDLE_NS - NS_PER_MSEC;
	flow_table_expire(flows.table, now);
	assert_int_equal(flows_n_ended(&flows), 0);
	now += 300 * NS_PER_MSEC; // surely due
	for (unsigned n = 0, calls = 0; n < N; calls++) {
		assert_true(calls <= 51);
		now += 5 * NS_PER_MSEC;
		flow_table_expire(flows.table, now);
		unsigned ended = flows_n_ended(&flows);
		assert_true(calls == 0 || ended < N / 25);
		n += ended;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_silent_flow_ends_at_its_idle_timeout),
		TEST(the_packet_at_the_idle_timeout_is_of_a_new_flow),
		TEST(a_long_flow_is_told_in_parts_by_its_packets),
		TEST(a_long_flow_is_told_in_parts_by_the_sweep),
		TEST(the_end_of_a_part_is_the_last_of_its_own_packets),
		TEST(silence_after_an_active_timeout_gives_no_empty_record),
		TEST(the_timeout_that_comes_first_names_the_reason_however_late_one_looks),
		TEST(a_conversation_closed_by_both_ends_lingers_and_ends),
		TEST(a_reset_conversation_lingers_and_ends),
		TEST(a_conversation_closed_by_one_end_is_not_over),
		TEST(a_new_syn_after_the_close_begins_a_new_flow_at_once),
		TEST(a_packet_after_the_linger_is_of_a_new_flow),
		TEST(a_closed_flow_ends_as_closed_when_flushed),
		TEST(timeouts_are_exact_after_pauses_of_any_length),
		TEST(a_timeout_of_a_day_is_exact),
		TEST(a_flow_that_speaks_once_an_hour_lives_through_days),
		TEST(a_clock_far_back_ends_all_flows_and_begins_anew),
		TEST(a_clock_a_little_back_ends_nothing),
		TEST(a_call_looks_at_a_slice_of_the_table_and_a_quarter_second_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
