// SPDX-License-Identifier: Apache-2.0

// sFlow version 5, written by hand.

#include "tests/unit/collector/ingest/intake.h"

#include <stdio.h>

#define ETHERNET "020000000001 020000000002"
#define IP4 "4508 0064 0001 0000 40 06 0000 0a000001 0a000002"
#define IP6 "60a00000 0014 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002"
#define TCP "c000 0050 00000001 00000002 5012 0000 00000000"

static size_t sample_at, record_at, n_records_at, n_samples;

static void begin_sflow(uint32_t agent, uint32_t sub_agent, uint32_t sequence)
{
	w = wbuf_of(bytes, sizeof(bytes));
	wbuf_u32(&w, 5);
	wbuf_u32(&w, 1);
	wbuf_u32(&w, agent);
	wbuf_u32(&w, sub_agent);
	wbuf_u32(&w, sequence);
	wbuf_u32(&w, UPTIME);
	wbuf_u32(&w, 0);
	n_samples = 0;
}

static void put_u32_at(size_t at, size_t v)
{
	wbuf_put_u16(&w, at, (uint16_t)(v >> 16));
	wbuf_put_u16(&w, at + 2, (uint16_t)v);
}

static void begin_sample(uint32_t kind, const char *front)
{
	wbuf_u32(&w, kind);
	sample_at = wbuf_len(&w);
	wbuf_u32(&w, 0);
	put_hex(front);
	n_records_at = wbuf_len(&w);
	wbuf_u32(&w, 0);
	put_u32_at(24, ++n_samples);
}

static void put_record(uint32_t kind, const char *hex)
{
	wbuf_u32(&w, kind);
	record_at = wbuf_len(&w);
	wbuf_u32(&w, 0);
	put_hex(hex);
	put_u32_at(record_at, wbuf_len(&w) - record_at - 4);
	bytes[n_records_at + 3]++;
	put_u32_at(sample_at, wbuf_len(&w) - sample_at - 4);
}

// The packet's first bytes, whatever they are.
static void put_packet(uint32_t protocol, const char *hex)
{
	char text[600];
	size_t n = 0;
	for (const char *p = hex; *p; p++)
		n += *p != ' ';
	snprintf(text, sizeof(text), "%08x 00000076 00000004 %08zx %s", protocol, n / 2, hex);
	put_record(1, text);
	while (wbuf_len(&w) % 4)
		wbuf_u8(&w, 0);
	put_u32_at(record_at, wbuf_len(&w) - record_at - 4);
	put_u32_at(sample_at, wbuf_len(&w) - sample_at - 4);
}

// A flow sample of rate 512 from interface 3 to 4.
static void begin_flow(void)
{
	begin_sample(1, "00000001 00000003 00000200 00001000 00000000 00000003 00000004");
}

static struct record the_row(void)
{
	deliver();
	assert_int_equal(n_rows(), 1);
	return row_at(0);
}

static void assert_tcp(const struct record *r)
{
	assert_int_equal(r->proto, 6);
	assert_int_equal(r->sport, 0xc000);
	assert_int_equal(r->dport, 80);
	assert_int_equal(r->tcp_flags, 0x12);
}

static void a_packet_becomes_a_record_of_one(void **)
{
	begin_sflow(0xc0000201, 7, 1);
	begin_flow();
	put_packet(1, ETHERNET "8100 202a 0800" IP4 TCP);
	struct record r = the_row();
	assert_src(&r, 1);
	assert_tcp(&r);
	assert_int_equal(r.packets, 1);
	assert_int_equal(r.bytes, 100);
	assert_int_equal(r.tos, 8);
	assert_int_equal(r.vlan, 42);
	assert_int_equal(r.dst_mac.b[5], 1);
	assert_int_equal(r.src_mac.b[5], 2);
	assert_int_equal(r.in_if, 3);
	assert_int_equal(r.out_if, 4);
	assert_int_equal(r.sampling, 512);
	assert_int_equal(r.domain, 7);
	assert_int_equal(r.start_ns, now_ns);
	assert_int_equal(r.end_ns, now_ns);
	assert_exporter(&r, 1);
	assert_int_equal(count(LEDGER_sflow_samples), 1);
}

static void headers_are_followed_to_the_ports(void **)
{
	static const struct {
		uint32_t protocol;
		const char *packet;
	} packets[] = {
		{1, ETHERNET "88a8 0001 8100 0002 0800" IP4 TCP},
		{1, ETHERNET "8847 00010040 00020140" IP4 TCP},
		{1, ETHERNET "8864 11000001 0066 0021" IP4 TCP},
		{1, ETHERNET "86dd" IP6 TCP},
		{11, IP4 TCP},
		{12, IP6 TCP},
		{11, "4608 0064 0001 0000 40 06 0000 0a000001 0a000002 01010101" TCP},
		{12,
		 "60000000 0024 00 40 20010db8000000000000000000000001 "
		 "20010db8000000000000000000000002 2b00010400000000 06000000 00000000" TCP},
	};
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		begin_sflow(1, 0, (uint32_t)i);
		begin_flow();
		put_packet(packets[i].protocol, packets[i].packet);
		deliver();
		assert_int_equal(n_rows(), i + 1);
		struct record r = row_at(i);
		assert_tcp(&r);
	}
	struct record r = row_at(0);
	assert_int_equal(r.vlan, 1);
	assert_int_equal(r.cvlan, 2);
	r = row_at(1);
	assert_int_equal(r.mpls_label, 0x10);
	r = row_at(3);
	assert_int_equal(r.bytes, 60);
	assert_int_equal(r.tos, 10);
	assert_int_equal(r.src.b[0], 0x20);
}

static void a_header_cut_short_gives_what_was_there(void **)
{
	begin_sflow(1, 0, 1);
	begin_flow();
	put_packet(11, IP4 "c000 0050");
	begin_flow();
	put_packet(11, IP4);
	begin_flow();
	put_packet(11, "4508 0064 0001 2001 40 06 0000 0a000001 0a000002" TCP); // a later fragment
	begin_flow();
	put_packet(11, "4508 0064 0001 0000 40 06 0000 0a000001");
	deliver();
	assert_int_equal(n_rows(), 3);
	assert_int_equal(count(LEDGER_sflow_no_ip), 1);
	struct record r = row_at(0);
	assert_int_equal(r.dport, 80);
	assert_false(r.set & RECORD_BIT(tcp_flags));
	for (unsigned i = 1; i < 3; i++) {
		r = row_at(i);
		assert_int_equal(r.proto, 6);
		assert_false(r.set & RECORD_BIT(sport));
	}
}

static void icmp_has_a_type_and_a_code(void **)
{
	begin_sflow(1, 0, 1);
	begin_flow();
	put_packet(11, "4500 0064 0001 0000 40 01 0000 0a000001 0a000002 0304");
	struct record r = the_row();
	assert_int_equal(r.icmp_type, 3);
	assert_int_equal(r.icmp_code, 4);
}

static void what_the_agent_parsed_serves_without_a_header(void **)
{
	begin_sflow(1, 0, 1);
	begin_sample(
		3,
		"00000001 00000000 00000003 00000200 00001000 00000000 "
		"00000000 00000003 00000000 00000004"
	);
	put_record(3, "00000064 00000006 0a000001 0a000002 0000c000 00000050 00000012 00000008");
	begin_flow();
	put_record(
		4,
		"00000064 00000006 20010db8000000000000000000000001 "
		"20010db8000000000000000000000002 0000c000 00000050 00000012 00000008"
	);
	deliver();
	assert_int_equal(n_rows(), 2);
	for (unsigned i = 0; i < 2; i++) {
		struct record r = row_at(i);
		assert_tcp(&r);
		assert_int_equal(r.bytes, 100);
		assert_int_equal(r.in_if, 3);
		assert_int_equal(r.out_if, 4);
	}
}

static void the_packets_own_header_counts_more(void **)
{
	begin_sflow(1, 0, 1);
	begin_flow();
	put_packet(11, IP4 TCP);
	put_record(3, "00000001 00000011 0b000001 0b000002 00000001 00000002 00000000 00000000");
	struct record r = the_row();
	assert_src(&r, 1);
	assert_tcp(&r);
}

static void switch_router_and_gateway_add_to_it(void **)
{
	begin_sflow(1, 0, 1);
	begin_flow();
	put_record(1001, "0000002a 00000000 0000002b 00000000");
	put_record(1002, "00000001 c0000209 00000018 00000010");
	put_record(
		1003,
		"00000001 c0000209 0000fbf4 0000fbf5 0000fbf6 00000001 00000002 00000002 "
		"0000fbf7 0000fbf8 00000000 00000064"
	);
	put_packet(11, IP4 TCP);
	struct record r = the_row();
	assert_int_equal(r.vlan, 42);
	assert_int_equal(r.next_hop.b[15], 9);
	assert_int_equal(r.src_mask, 24);
	assert_int_equal(r.dst_mask, 16);
	assert_int_equal(r.src_as, 64501);
	assert_int_equal(r.dst_as, 64504);
}

static void discarded_packets_are_denied(void **)
{
	begin_sflow(1, 0, 1);
	begin_sample(1, "00000001 00000003 00000200 00001000 00000000 00000003 40000001");
	put_packet(11, IP4 TCP);
	begin_sample(5, "00000001 00000000 00000003 00000000 00000003 00000000 00000106");
	put_packet(11, IP4 TCP);
	deliver();
	assert_int_equal(n_rows(), 2);
	for (unsigned i = 0; i < 2; i++) {
		struct record r = row_at(i);
		assert_int_equal(r.verdict, VERDICT_DENY);
		assert_int_equal(r.in_if, 3);
		assert_false(r.set & RECORD_BIT(out_if));
	}
}

static void counters_and_unknown_samples_are_counted(void **)
{
	begin_sflow(1, 0, 1);
	begin_sample(2, "00000001 00000003");
	put_record(1, "00000000");
	begin_sample(4, "00000001 00000000 00000003");
	put_record(1, "00000000");
	begin_sample(0x1234567, "");
	put_record(1, "00000000");
	begin_flow();
	put_packet(1, ETHERNET "0806 0001"); // ARP
	deliver();
	assert_int_equal(n_rows(), 0);
	assert_int_equal(count(LEDGER_sflow_counters), 2);
	assert_int_equal(count(LEDGER_sflow_unknown), 1);
	assert_int_equal(count(LEDGER_sflow_no_ip), 1);
	assert_int_equal(count(LEDGER_bad_length), 0);
}

static void each_sub_agent_of_each_agent_has_its_numbers(void **)
{
	static const uint32_t sequences[] = {1, 5, 1, 5, 2, 6, 2, 8};
	for (unsigned i = 0; i < 8; i++) {
		begin_sflow(100 + i % 2, i / 2 % 2, sequences[i]);
		deliver();
	}
	assert_int_equal(count(LEDGER_sequence_reset) + count(LEDGER_sequence_duplicate), 0);
	assert_int_equal(in.sessions.n, 4);
	now_ns += 2 * NS_PER_SEC;
	intake_tick(&in, now_ns);
	assert_int_equal(count(LEDGER_sequence_lost), 2); // of the last stream: 6 and 7
}

static void ipv6_agents_are_understood(void **)
{
	begin_sflow(0, 0, 0);
	w = wbuf_of(bytes, sizeof(bytes));
	put_hex("00000005 00000002 20010db8000000000000000000000009 00000003 00000001 00000009 "
		"00000000");
	deliver();
	assert_int_equal(count(LEDGER_bad_length), 0);
	assert_int_equal(in.sessions.n, 1);
}

static void a_datagram_cut_short_is_refused_whole(void **)
{
	begin_sflow(1, 0, 1);
	for (int i = 0; i < 2; i++) {
		begin_flow();
		put_packet(11, IP4 TCP);
	}
	struct peer p = peer_of(1);
	for (size_t n = 4; n < wbuf_len(&w); n++)
		intake_datagram(&in, &p, buf_of(bytes, n), now_ns);
	assert_int_equal(n_rows(), 0);
	assert_int_equal(count(LEDGER_bad_length), wbuf_len(&w) - 4);
	bytes[24] = 0xff; // more samples than a datagram holds
	deliver();
	assert_int_equal(n_rows(), 0);
}

static void a_sample_whose_records_overrun_it_is_left_out(void **)
{
	begin_sflow(1, 0, 1);
	begin_flow();
	put_packet(11, IP4 TCP);
	bytes[n_records_at] = 0xff;
	begin_flow();
	put_packet(11, IP4 TCP);
	put_u32_at(record_at, 0xffffffff);
	begin_flow();
	put_packet(11, IP4 TCP);
	deliver();
	assert_int_equal(n_rows(), 1);
	assert_int_equal(count(LEDGER_bad_length), 2);
	assert_int_equal(count(LEDGER_sflow_samples), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_packet_becomes_a_record_of_one),
		TEST(headers_are_followed_to_the_ports),
		TEST(a_header_cut_short_gives_what_was_there),
		TEST(icmp_has_a_type_and_a_code),
		TEST(what_the_agent_parsed_serves_without_a_header),
		TEST(the_packets_own_header_counts_more),
		TEST(switch_router_and_gateway_add_to_it),
		TEST(discarded_packets_are_denied),
		TEST(counters_and_unknown_samples_are_counted),
		TEST(each_sub_agent_of_each_agent_has_its_numbers),
		TEST(ipv6_agents_are_understood),
		TEST(a_datagram_cut_short_is_refused_whole),
		TEST(a_sample_whose_records_overrun_it_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
