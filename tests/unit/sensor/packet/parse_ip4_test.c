// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/sensor/packet/frames.h"

static void ip4(struct frame *f, uint8_t proto, size_t payload)
{
	frame_eth(f, TYPE_IP4);
	frame_ip4(f, proto, payload);
}

static void a_packet_gives_its_addresses_ports_and_bytes(void **)
{
	struct frame f;
	ip4(&f, PROTO_UDP, 8);
	frame_udp(&f, 40000, 53);
	struct packet p = frame_kept(&f);
	struct addr src = addr_of_v4("\x0a\0\0\1"), dst = addr_of_v4("\x0a\0\0\2");
	assert_true(addr_eq(&p.src, &src));
	assert_true(addr_eq(&p.dst, &dst));
	assert_int_equal(p.sport, 40000);
	assert_int_equal(p.dport, 53);
	assert_int_equal(p.proto, PROTO_UDP);
	assert_int_equal(p.tos, 0xb8);
	assert_int_equal(p.bytes, 28);
	assert_int_equal(p.tcp_flags, 0);
}

static void options_are_stepped_over_whatever_their_length(void **)
{
	struct frame f;
	for (unsigned words = 0; words <= 10; words++) {
		ip4(&f, PROTO_TCP, words * 4 + 20);
		frame_put(&f, 0, (uint16_t)(0x4500 + (words << 8)));
		frame_bytes(&f, 1, 4UL * words);
		frame_tcp(&f, 1000, 80, 2);
		struct packet p = frame_kept(&f);
		assert_int_equal(p.sport, 1000);
		assert_int_equal(p.dport, 80);
		assert_int_equal(p.tcp_flags, 2);
		assert_int_equal(p.bytes, 40 + words * 4);
	}
}

static void options_that_were_not_captured_are_truncated(void **)
{
	struct frame f;
	struct packet p;
	ip4(&f, PROTO_UDP, 40 + 8);
	frame_put(&f, 0, 0x4f00);
	frame_bytes(&f, 1, 40);
	frame_udp(&f, 1, 2);
	size_t end = ETH_LEN + 60;
	assert_int_equal(frame_parse_cut(&f, end - 1, 200, &p), PACKET_TRUNCATED);
	assert_int_equal(frame_parse_cut(&f, end + 3, 200, &p), PACKET_TRUNCATED);
	assert_int_equal(frame_parse_cut(&f, end + 4, 200, &p), PACKET_KEEP);
}

static void a_header_length_below_twenty_is_no_header(void **)
{
	struct frame f;
	for (unsigned words = 0; words < 5; words++) {
		ip4(&f, PROTO_TCP, 20);
		frame_put(&f, 0, (uint16_t)(0x4000 + (words << 8)));
		frame_tcp(&f, 1, 2, 0);
		frame_assert_verdict(&f, PACKET_IP_HEADER);
	}
}

static void a_total_length_below_the_header_length_is_no_header(void **)
{
	struct frame f;
	for (uint16_t total = 1; total < 24; total++) {
		ip4(&f, PROTO_UDP, 12);
		frame_put(&f, 0, 0x4600);
		frame_put(&f, 2, total);
		frame_bytes(&f, 1, 4);
		frame_udp(&f, 1, 2);
		frame_assert_verdict(&f, PACKET_IP_HEADER);
	}
}

static void the_total_length_zero_of_an_offloaded_packet_is_the_frames(void **)
{
	struct frame f;
	struct packet p;
	ip4(&f, PROTO_TCP, 0);
	frame_put(&f, 2, 0);
	frame_tcp(&f, 1, 2, 0x18);
	frame_bytes(&f, 0, 1000);
	p = frame_kept(&f);
	assert_int_equal(p.bytes, 1040);
	assert_int_equal(p.tcp_flags, 0x18);
	assert_int_equal(frame_parse_cut(&f, 60, 9014, &p), PACKET_KEEP);
	assert_int_equal(p.bytes, 9000); // of what was on the wire, not of what was captured
}

static void the_total_length_zero_behind_tags_leaves_the_tags_out(void **)
{
	struct frame f;
	frame_eth(&f, TYPE_VLAN);
	frame_tag(&f, 1, TYPE_IP4);
	frame_ip4(&f, PROTO_TCP, 20);
	wbuf_put_u16(&f.w, ETH_LEN + 4 + 2, 0);
	frame_tcp(&f, 1, 2, 0);
	assert_int_equal(frame_kept(&f).bytes, 40);
}

static void a_total_length_beyond_the_frame_is_told_as_the_header_says(void **)
{
	struct frame f;
	ip4(&f, PROTO_UDP, 8);
	frame_put(&f, 2, 65535);
	frame_udp(&f, 1, 2);
	assert_int_equal(frame_kept(&f).bytes, 65535);
	ip4(&f, PROTO_UDP, 8); // but the ports must be there
	frame_assert_verdict(&f, PACKET_TRUNCATED);
}

static void padding_behind_the_packet_is_not_taken_for_it(void **)
{
	struct frame f;
	ip4(&f, PROTO_UDP, 8);
	frame_udp(&f, 1, 2);
	frame_bytes(&f, 0xff, 18);
	assert_int_equal(frame_kept(&f).bytes, 28);

	for (size_t payload = 0; payload < 4; payload++) {
		ip4(&f, PROTO_UDP, payload);
		frame_bytes(&f, 0xff, 26);
		frame_assert_verdict(&f, PACKET_L4_HEADER);
	}
	ip4(&f, PROTO_TCP, 13);
	frame_bytes(&f, 0xff, 26); // its 14th byte, with the flags, is padding
	assert_int_equal(frame_kept(&f).tcp_flags, 0);
}

static void only_the_first_fragment_has_ports(void **)
{
	static const struct {
		uint16_t flags_offset;
		bool is_first;
	} cases[] = {
		{0x0000, true},	 // whole
		{0x4000, true},	 // don't fragment
		{0x8000, true},	 // reserved bit
		{0x2000, true},	 // first of several
		{0x2001, false}, // in the middle
		{0x0001, false}, // the last
		{0x1fff, false},
		{0x3000, false},
	};
	struct frame f;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ip4(&f, PROTO_TCP, 20);
		frame_put(&f, 6, cases[i].flags_offset);
		frame_tcp(&f, 1000, 80, 2);
		struct packet p = frame_kept(&f);
		assert_int_equal(p.proto, PROTO_TCP);
		assert_int_equal(p.bytes, 40);
		assert_int_equal(p.sport, cases[i].is_first ? 1000 : 0);
		assert_int_equal(p.dport, cases[i].is_first ? 80 : 0);
		assert_int_equal(p.tcp_flags, cases[i].is_first ? 2 : 0);
	}
}

static void a_later_fragment_of_a_byte_is_kept(void **)
{
	struct frame f;
	ip4(&f, PROTO_TCP, 1);
	frame_put(&f, 6, 0x0010);
	frame_bytes(&f, 0, 1);
	assert_int_equal(frame_kept(&f).bytes, 21);
}

static void a_first_fragment_that_ends_before_the_flags_is_a_flow_without_them(void **)
{
	struct frame f;
	ip4(&f, PROTO_TCP, 8); // RFC 1858 §3: the smallest that has ports and sequence number
	frame_put(&f, 6, 0x2000);
	frame_bytes(&f, 0x11, 8);
	struct packet p = frame_kept(&f);
	assert_int_equal(p.sport, 0x1111);
	assert_int_equal(p.tcp_flags, 0);
}

static void a_version_that_contradicts_the_ethertype_is_refused(void **)
{
	struct frame f;
	for (unsigned version = 0; version < 16; version++) {
		ip4(&f, PROTO_UDP, 8);
		frame_put(&f, 0, (uint16_t)(version << 12 | 0x0500));
		frame_udp(&f, 1, 2);
		frame_assert_verdict(&f, version == 4 ? PACKET_KEEP : PACKET_IP_VERSION);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_gives_its_addresses_ports_and_bytes),
		cmocka_unit_test(options_are_stepped_over_whatever_their_length),
		cmocka_unit_test(options_that_were_not_captured_are_truncated),
		cmocka_unit_test(a_header_length_below_twenty_is_no_header),
		cmocka_unit_test(a_total_length_below_the_header_length_is_no_header),
		cmocka_unit_test(the_total_length_zero_of_an_offloaded_packet_is_the_frames),
		cmocka_unit_test(the_total_length_zero_behind_tags_leaves_the_tags_out),
		cmocka_unit_test(a_total_length_beyond_the_frame_is_told_as_the_header_says),
		cmocka_unit_test(padding_behind_the_packet_is_not_taken_for_it),
		cmocka_unit_test(only_the_first_fragment_has_ports),
		cmocka_unit_test(a_later_fragment_of_a_byte_is_kept),
		cmocka_unit_test(a_first_fragment_that_ends_before_the_flags_is_a_flow_without_them
		),
		cmocka_unit_test(a_version_that_contradicts_the_ethertype_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
