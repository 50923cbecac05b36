// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/table.h"
#include "tests/unit/sensor/flow/flows.h"

#include <errno.h>

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

// A packet and the answer to it are one flow that began at the packet's source.
static void assert_one_flow(const struct packet *p)
{
	struct packet answer = flows_answer(p);
	answer.bytes = 1500;
	flows_put(&flows, p);
	flows_put(&flows, &answer);
	struct flow f = flows_flushed(&flows);
	struct addr initiator = flows_initiator(&f);
	assert_int_equal(f.packets[FLOW_FORWARD], 1);
	assert_int_equal(f.packets[FLOW_REVERSE], 1);
	assert_int_equal(f.bytes[FLOW_FORWARD], p->bytes);
	assert_int_equal(f.bytes[FLOW_REVERSE], 1500);
	assert_true(addr_eq(&initiator, &p->src));
	assert_int_equal(flow_key_port(&f.key, f.forward_is_high), p->sport);
	assert_int_equal(flow_key_port(&f.key, !f.forward_is_high), p->dport);
}

static void both_directions_meet_in_one_flow(void **)
{
	struct packet p = flows_packet(1, 2, PROTO_UDP);
	assert_one_flow(&p);
	p = flows_answer(&p); // the other end first
	assert_one_flow(&p);
}

static void both_directions_of_ipv6_meet_in_one_flow(void **)
{
	struct packet p = flows_packet(1, 2, PROTO_TCP);
	assert_int_equal(addr_parse("2001:db8::2:1", &p.src), 0);
	assert_int_equal(addr_parse("2001:db8::1:2", &p.dst), 0);
	assert_one_flow(&p);
	p = flows_answer(&p);
	assert_one_flow(&p);
	assert_int_equal(addr_parse("fe80::1", &p.src), 0); // apart in their first half
	assert_one_flow(&p);
	p = flows_answer(&p);
	assert_one_flow(&p);
}

static void equal_addresses_are_told_apart_by_their_ports(void **)
{
	struct packet p = flows_packet(1, 1, PROTO_UDP);
	assert_one_flow(&p);
	p = flows_answer(&p);
	assert_one_flow(&p);
}

static void ends_alike_in_address_and_port_are_all_forward(void **)
{
	struct packet p = flows_packet(1, 1, PROTO_UDP);
	p.dport = p.sport;
	struct packet answer = flows_answer(&p);
	flows_put(&flows, &p);
	flows_put(&flows, &answer);
	struct flow f = flows_flushed(&flows);
	assert_int_equal(f.packets[FLOW_FORWARD], 2);
	assert_int_equal(f.packets[FLOW_REVERSE], 0);
}

static void a_handshakes_answer_seen_first_comes_from_the_end_that_did_not_begin(void **)
{
	struct packet syn = flows_packet(1, 2, PROTO_TCP), answer = flows_answer(&syn);
	answer.tcp_flags = TCP_SYN | TCP_ACK;
	syn.tcp_flags = TCP_ACK;
	flows_put(&flows, &answer);
	flows_put(&flows, &syn);
	struct flow f = flows_flushed(&flows);
	struct addr initiator = flows_initiator(&f);
	assert_true(addr_eq(&initiator, &syn.src));
	assert_int_equal(f.tcp_flags[FLOW_FORWARD], TCP_ACK);
	assert_int_equal(f.tcp_flags[FLOW_REVERSE], TCP_SYN | TCP_ACK);
	assert_memory_equal(f.macs, syn.macs, 12);
}

static void flows_differ_by_each_part_of_their_key(void **)
{
	struct packet base = flows_packet(1, 2, PROTO_TCP), p[7];
	for (int i = 0; i < 7; i++)
		p[i] = base;
	p[1].dst = flows_host(3);
	p[2].sport++;
	p[3].dport++;
	p[4].proto = PROTO_UDP;
	p[5].vlan = 9;
	p[6].cvlan = 9;
	for (int i = 0; i < 14; i++)
		flows_put(&flows, &p[i % 7]);
	flow_table_flush(flows.table);
	struct flow f;
	unsigned n = 0;
	for (; flows_next(&flows, &f); n++)
		assert_int_equal(f.packets[FLOW_FORWARD], 2);
	assert_int_equal(n, 7);
}

static void vlans_share_a_flow_when_they_are_not_in_the_key(void **)
{
	struct flow_table_options o = flows_options();
	o.key_vlan = false;
	flows_open(&flows, &o);
	struct packet p = flows_packet(1, 2, PROTO_UDP), answer = flows_answer(&p);
	p.vlan = 100;
	p.cvlan = 7;
	answer.vlan = 200;
	flows_put(&flows, &p);
	flows_put(&flows, &answer);
	struct flow f = flows_flushed(&flows);
	assert_int_equal(f.packets[FLOW_FORWARD] + f.packets[FLOW_REVERSE], 2);
	assert_int_equal(f.vlan, 100); // the first packet's
	assert_int_equal(f.cvlan, 7);
}

static void a_ping_and_its_answer_are_one_flow(void **)
{
	struct packet ping = flows_packet(1, 2, PROTO_ICMP);
	ping.sport = ping.dport = 8 << 8; // as the parser gives both
	ping.icmp_type = 8;
	struct packet pong = flows_answer(&ping);
	pong.icmp_type = 0;
	flows_put(&flows, &ping);
	flows_put(&flows, &pong);
	struct flow f = flows_flushed(&flows);
	assert_int_equal(f.packets[FLOW_FORWARD], 1);
	assert_int_equal(f.packets[FLOW_REVERSE], 1);
	assert_int_equal(f.icmp_type, 8);
}

static void a_flow_keeps_what_its_first_packet_was_like(void **)
{
	struct packet p = flows_packet(1, 2, PROTO_UDP);
	p.tos = 0xb8;
	p.port = 3;
	p.vlan = 5;
	flows_put(&flows, &p);
	p.tos = 0;
	p.port = 4;
	memset(p.macs, 9, sizeof(p.macs));
	flows_put(&flows, &p);
	struct flow f = flows_flushed(&flows);
	assert_int_equal(f.tos, 0xb8);
	assert_int_equal(f.port, 3);
	assert_int_equal(f.vlan, 5);
	assert_memory_equal(f.macs, "\1\1\1\1\1\1\2\2\2\2\2\2", 12);
}

static void flags_are_gathered_by_direction(void **)
{
	struct packet p = flows_packet(1, 2, PROTO_TCP), answer = flows_answer(&p);
	static const uint16_t there[] = {TCP_SYN, TCP_ACK, 0x100}, back[] = {TCP_ACK, TCP_PSH, 0};
	for (int i = 0; i < 3; i++) {
		p.tcp_flags = there[i];
		answer.tcp_flags = back[i];
		flows_put(&flows, &p);
		flows_put(&flows, &answer);
	}
	struct flow f = flows_flushed(&flows);
	assert_int_equal(f.tcp_flags[FLOW_FORWARD], TCP_SYN | TCP_ACK | 0x100);
	assert_int_equal(f.tcp_flags[FLOW_REVERSE], TCP_ACK | TCP_PSH);
}

static void a_flow_spans_its_packets_in_whatever_order_they_come(void **)
{
	struct packet p = flows_packet(1, 2, PROTO_UDP);
	flows_put_at(&flows, p, T0 + 5);
	flows_put_at(&flows, p, T0 + 9);
	flows_put_at(&flows, p, T0 + 2);
	flows_put_at(&flows, p, T0 + 7);
	struct flow f = flows_flushed(&flows);
	assert_true(f.start_ns == T0 + 2);
	assert_true(f.last_ns == T0 + 9);
	assert_int_equal(f.packets[FLOW_FORWARD], 4);
}

static void the_packets_of_a_burst_may_belong_to_one_new_flow(void **)
{
	struct packet p[FLOW_BURST];
	struct flow_probe probes[FLOW_BURST];
	for (int i = 0; i < FLOW_BURST; i++) {
		p[i] = flows_packet(1, 2, PROTO_UDP);
		if (i % 2)
			p[i] = flows_answer(&p[i]);
	}
	flow_table_probe(flows.table, p, FLOW_BURST, probes);
	struct flow *out[FLOW_BURST];
	flow_table_update(flows.table, p, FLOW_BURST, probes, out);
	struct flow f = flows_flushed(&flows);
	assert_int_equal(f.packets[FLOW_FORWARD], FLOW_BURST / 2);
	assert_int_equal(f.packets[FLOW_REVERSE], FLOW_BURST / 2);
}

static void a_flush_ends_every_flow_once_and_the_table_goes_on(void **)
{
	for (uint32_t i = 0; i < 500; i++) {
		struct packet p = flows_packet(i, 1000 + i, PROTO_UDP);
		flows_put(&flows, &p);
	}
	flow_table_flush(flows.table);
	assert_int_equal(flows_n_ended(&flows), 500);
	flow_table_flush(flows.table);
	assert_int_equal(flows_n_ended(&flows), 0);
	struct packet p = flows_packet(1, 2, PROTO_UDP);
	assert_one_flow(&p);
	assert_int_equal(flow_table_counters(flows.table)->flows, 501);
}

// Whatever a flow's hash: also those whose tag would be the one of a free slot, one in 65536.
static void no_flow_of_half_a_million_is_overlooked(void **)
{
	struct flow_table_options o = flows_options();
	o.n_flows = 50000;
	flows_open(&flows, &o);
	for (uint32_t round = 0; round < 100 / FLOWS_SHARE; round++) {
		for (uint32_t i = 0; i < 5000; i++) {
			struct packet p = flows_packet(round * 5000 + i, 0x800000, PROTO_UDP);
			flows_put(&flows, &p);
		}
		flow_table_flush(flows.table);
		assert_int_equal(flows_n_ended(&flows), 5000);
	}
}

static void counters_tell_packets_bytes_and_flows(void **)
{
	const struct flow_counters *c = flow_table_counters(flows.table);
	struct packet p = flows_packet(1, 2, PROTO_UDP), answer = flows_answer(&p);
	p.bytes = 1ull << 40;
	flows_put(&flows, &p);
	flows_put(&flows, &answer);
	assert_int_equal(c->packets, 2);
	assert_true(c->bytes == (1ull << 40) + 100);
	assert_int_equal(c->flows, 0); // until they end
	flow_table_flush(flows.table);
	assert_int_equal(c->flows, 1);
	assert_int_equal(c->evicted + c->lost + c->rewinds, 0);
}

static void flows_that_do_not_fit_the_ring_are_counted_as_lost(void **)
{
	struct flow_table_options o = flows_options();
	struct flow_table *table;
	struct flow_ring *small = flow_ring_create(4, false);
	o.out = small;
	assert_int_equal(flow_table_create(&o, &table), 0);
	flow_table_free(flows.table);
	flow_ring_free(flows.ring);
	flows = (struct flows){table, small};
	const struct flow_counters *c = flow_table_counters(table);
	for (uint32_t i = 0; i < 10; i++) {
		struct packet p = flows_packet(i, 100, PROTO_UDP);
		flows_put(&flows, &p);
	}
	flow_table_flush(table);
	assert_int_equal(c->flows, 10);
	assert_int_equal(c->lost, 6);
	assert_int_equal(flows_n_ended(&flows), 4);
}

static void a_table_beyond_all_bounds_is_refused(void **)
{
	struct flow_table_options o = flows_options();
	struct flow_table *table = NULL;
	o.n_flows = 1ull << 40;
	assert_int_equal(flow_table_create(&o, &table), -ERANGE);
	o.n_flows = SIZE_MAX;
	assert_int_equal(flow_table_create(&o, &table), -ERANGE);
	assert_null(table);
	flow_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(both_directions_meet_in_one_flow),
		TEST(both_directions_of_ipv6_meet_in_one_flow),
		TEST(equal_addresses_are_told_apart_by_their_ports),
		TEST(ends_alike_in_address_and_port_are_all_forward),
		TEST(a_handshakes_answer_seen_first_comes_from_the_end_that_did_not_begin),
		TEST(flows_differ_by_each_part_of_their_key),
		TEST(vlans_share_a_flow_when_they_are_not_in_the_key),
		TEST(a_ping_and_its_answer_are_one_flow),
		TEST(a_flow_keeps_what_its_first_packet_was_like),
		TEST(flags_are_gathered_by_direction),
		TEST(a_flow_spans_its_packets_in_whatever_order_they_come),
		TEST(the_packets_of_a_burst_may_belong_to_one_new_flow),
		TEST(a_flush_ends_every_flow_once_and_the_table_goes_on),
		TEST(no_flow_of_half_a_million_is_overlooked),
		TEST(counters_tell_packets_bytes_and_flows),
		TEST(flows_that_do_not_fit_the_ring_are_counted_as_lost),
		TEST(a_table_beyond_all_bounds_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
