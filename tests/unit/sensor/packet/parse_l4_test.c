// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/sensor/packet/frames.h"

static const uint8_t with_ports[] = {PROTO_TCP, PROTO_UDP, PROTO_DCCP, PROTO_SCTP, PROTO_UDPLITE};

static void ip(struct frame *f, bool v6, uint8_t proto, size_t payload)
{
	frame_eth(f, v6 ? TYPE_IP6 : TYPE_IP4);
	if (v6)
		frame_ip6(f, proto, payload);
	else
		frame_ip4(f, proto, payload);
}

static void every_tcp_flag_is_told_and_nothing_beside_them(void **)
{
	struct frame f;
	for (unsigned bit = 0; bit < 12; bit++) { // bit 8 is AE (RFC 9768)
		ip(&f, bit & 1, PROTO_TCP, 20);
		frame_tcp(&f, 1, 2, (uint16_t)(1u << bit));
		assert_int_equal(frame_kept(&f).tcp_flags, 1u << bit);
	}
	ip(&f, false, PROTO_TCP, 20);
	frame_tcp(&f, 1, 2, 0xffff); // with the data offset
	assert_int_equal(frame_kept(&f).tcp_flags, 0x0fff);
}

static void a_tcp_header_cut_behind_its_ports_is_a_flow_without_flags(void **)
{
	struct frame f;
	struct packet p;
	ip(&f, false, PROTO_TCP, 20);
	frame_tcp(&f, 1000, 80, 0xfff);
	for (size_t n = 4; n <= 20; n++) {
		assert_int_equal(
			frame_parse_cut(&f, ETH_LEN + IP4_LEN + n, frame_len(&f), &p), PACKET_KEEP
		);
		assert_int_equal(p.sport, 1000);
		assert_int_equal(p.tcp_flags, n < 14 ? 0 : 0xfff);
	}
}

static void the_protocols_with_ports_give_them(void **)
{
	struct frame f;
	for (size_t i = 0; i < 2 * sizeof(with_ports); i++) {
		ip(&f, i & 1, with_ports[i / 2], 12);
		frame_udp(&f, 0xfffe, 9);
		frame_bytes(&f, 0xff, 4);
		struct packet p = frame_kept(&f);
		assert_int_equal(p.proto, with_ports[i / 2]);
		assert_int_equal(p.sport, 0xfffe);
		assert_int_equal(p.dport, 9);
		assert_int_equal(p.tcp_flags, 0);
	}
}

static void a_packet_that_ends_within_its_ports_is_dropped_by_that_name(void **)
{
	struct frame f;
	for (size_t i = 0; i < sizeof(with_ports); i++)
		for (size_t payload = 0; payload < 4; payload++) {
			ip(&f, false, with_ports[i], payload);
			frame_bytes(&f, 0, payload);
			frame_assert_verdict(&f, PACKET_L4_HEADER);
		}
	for (size_t payload = 0; payload < 2; payload++) {
		ip(&f, false, PROTO_ICMP, payload);
		frame_bytes(&f, 0, payload);
		frame_assert_verdict(&f, PACKET_L4_HEADER);
	}
}

static void every_other_protocol_is_kept_without_ports(void **)
{
	struct frame f;
	for (unsigned proto = 0; proto < 256; proto++) {
		bool is_tunnel = proto == PROTO_IP4 || proto == PROTO_IP6 || proto == PROTO_GRE;
		if (memchr(with_ports, (int)proto, sizeof(with_ports)) || proto == PROTO_ICMP ||
		    proto == PROTO_ICMP6 || is_tunnel)
			continue;
		ip(&f, false, (uint8_t)proto, 0);
		struct packet p = frame_kept(&f);
		assert_int_equal(p.proto, proto);
		assert_int_equal(p.sport, 0);
		assert_int_equal(p.dport, 0);
	}
}

static struct packet icmp(uint8_t proto, uint8_t type, uint8_t code)
{
	struct frame f;
	ip(&f, proto == PROTO_ICMP6, proto, 8);
	frame_icmp(&f, type, code);
	struct packet p = frame_kept(&f);
	assert_int_equal(p.icmp_type, type); // as it was, whatever stands for the conversation
	assert_int_equal(p.icmp_code, code);
	assert_int_equal(p.sport, p.dport);
	return p;
}

static void an_icmp_question_and_its_answer_are_one_conversation(void **)
{
	static const uint8_t pairs[][2] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_int_equal(
			icmp(PROTO_ICMP, pairs[i][0], 0).sport,
			icmp(PROTO_ICMP, pairs[i][1], 0).sport
		);
	assert_int_equal(icmp(PROTO_ICMP6, 128, 0).sport, icmp(PROTO_ICMP6, 129, 0).sport);
}

static void icmp_types_that_are_no_pair_are_conversations_apart(void **)
{
	static const uint8_t answers[] = {0, 14, 16, 18}; // of ICMP, 129 is ICMPv6's
	for (unsigned a = 0; a < 256; a++) {
		if (memchr(answers, (int)a, sizeof(answers)))
			continue;
		assert_int_equal(icmp(PROTO_ICMP, (uint8_t)a, 3).sport, a << 8 | 3);
	}
	for (unsigned a = 0; a < 256; a++)
		if (a != 129)
			assert_int_equal(icmp(PROTO_ICMP6, (uint8_t)a, 3).sport, a << 8 | 3);
}

static void icmp_codes_are_conversations_apart(void **)
{
	assert_int_not_equal(icmp(PROTO_ICMP, 3, 1).sport, icmp(PROTO_ICMP, 3, 3).sport);
	assert_int_not_equal(icmp(PROTO_ICMP6, 1, 0).sport, icmp(PROTO_ICMP6, 1, 4).sport);
}

static void the_payload_is_told_by_its_place(void **)
{
	struct frame f;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		size_t head = ETH_LEN + (v6 ? IP6_LEN : IP4_LEN);
		ip(&f, v6, PROTO_TCP, 20 + 7);
		frame_tcp(&f, 1, 2, 0x18);
		frame_bytes(&f, 'x', 7 + 3); // and 3 bytes that pad the frame
		struct packet p = frame_kept(&f);
		assert_int_equal(p.payload_at, head + 20);
		assert_int_equal(p.payload_len, 7);
		assert_int_equal(p.tcp_seq, 0x01020304);

		ip(&f, v6, PROTO_UDP, 8 + 7);
		frame_udp(&f, 1, 2);
		frame_put(&f, head - ETH_LEN + 4, 8 + 5); // UDP's own length is less
		frame_bytes(&f, 'x', 7);
		p = frame_kept(&f);
		assert_int_equal(p.payload_at, head + 8);
		assert_int_equal(p.payload_len, 5);
	}
}

static void a_payload_is_cut_to_the_frame(void **)
{
	struct frame f;
	ip(&f, false, PROTO_UDP, 8 + 1000);
	frame_udp(&f, 1, 2);
	frame_put(&f, IP4_LEN + 4, 8 + 1000);
	frame_bytes(&f, 'x', 10);
	assert_int_equal(frame_kept(&f).payload_len, 10);
}

static void no_payload_where_none_can_be(void **)
{
	struct frame f;
	struct packet p;
	ip(&f, false, PROTO_TCP, 20 + 7);
	frame_tcp(&f, 1, 2, 0);
	frame_put(&f, IP4_LEN + 12, 0x4000); // a header of 16 bytes
	frame_bytes(&f, 'x', 7);
	assert_int_equal(frame_kept(&f).payload_len, 0);
	frame_put(&f, IP4_LEN + 12, 0x7000); // of 28: past the end
	assert_int_equal(frame_kept(&f).payload_len, 0);
	ip(&f, false, PROTO_TCP, 20);
	frame_tcp(&f, 1, 2, 0);
	assert_int_equal(frame_kept(&f).payload_len, 0);
	ip(&f, false, PROTO_UDP, 8 + 7);
	frame_udp(&f, 1, 2);
	frame_put(&f, IP4_LEN + 4, 7); // less than its header
	frame_bytes(&f, 'x', 7);
	assert_int_equal(frame_kept(&f).payload_len, 0);
	for (size_t n = 4; n < 8; n++) {
		assert_int_equal(
			frame_parse_cut(&f, ETH_LEN + IP4_LEN + n, frame_len(&f), &p), PACKET_KEEP
		);
		assert_int_equal(p.payload_len, 0);
	}
	ip(&f, false, PROTO_SCTP, 12);
	frame_udp(&f, 1, 2);
	frame_bytes(&f, 'x', 4);
	assert_int_equal(frame_kept(&f).payload_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tcp_flag_is_told_and_nothing_beside_them),
		cmocka_unit_test(a_tcp_header_cut_behind_its_ports_is_a_flow_without_flags),
		cmocka_unit_test(the_protocols_with_ports_give_them),
		cmocka_unit_test(a_packet_that_ends_within_its_ports_is_dropped_by_that_name),
		cmocka_unit_test(every_other_protocol_is_kept_without_ports),
		cmocka_unit_test(an_icmp_question_and_its_answer_are_one_conversation),
		cmocka_unit_test(icmp_types_that_are_no_pair_are_conversations_apart),
		cmocka_unit_test(icmp_codes_are_conversations_apart),
		cmocka_unit_test(the_payload_is_told_by_its_place),
		cmocka_unit_test(a_payload_is_cut_to_the_frame),
		cmocka_unit_test(no_payload_where_none_can_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
