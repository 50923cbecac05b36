// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/sensor/packet/frames.h"

static void a_frame_shorter_than_its_header_is_truncated(void **)
{
	struct frame f;
	struct packet p;
	frame_eth(&f, TYPE_IP4);
	for (size_t len = 0; len < ETH_LEN; len++)
		assert_int_equal(frame_parse_cut(&f, len, 60, &p), PACKET_TRUNCATED);
}

static void what_is_not_ip_is_dropped_by_that_name(void **)
{
	static const uint16_t types[] = {0x0806, 0x88cc, 46, 1500, 0, 0xffff};
	struct frame f;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		frame_eth(&f, types[i]);
		frame_bytes(&f, 0x45, 46);
		frame_assert_verdict(&f, PACKET_NOT_IP);
		frame_eth(&f, TYPE_VLAN);
		frame_tag(&f, 7, types[i]);
		frame_assert_verdict(&f, PACKET_NOT_IP);
	}
}

static void an_untagged_frame_has_its_macs_and_no_vlan(void **)
{
	struct frame f;
	frame_eth(&f, TYPE_IP4);
	frame_ip4(&f, PROTO_UDP, 8);
	frame_udp(&f, 5353, 53);
	struct packet p = frame_kept(&f);
	assert_memory_equal(p.macs, frame_macs, 12);
	assert_int_equal(p.vlan, 0);
	assert_int_equal(p.cvlan, 0);
	assert_int_equal(p.tunnel, 0);
}

static void a_tag_of_each_kind_gives_the_vlan_without_its_priority(void **)
{
	static const uint16_t kinds[] = {TYPE_VLAN, TYPE_QINQ, 0x9100};
	struct frame f;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		frame_eth(&f, kinds[i]);
		frame_tag(&f, 0xf123, TYPE_IP4);
		frame_ip4(&f, PROTO_UDP, 8);
		frame_udp(&f, 1, 2);
		struct packet p = frame_kept(&f);
		assert_int_equal(p.vlan, 0x123);
		assert_int_equal(p.cvlan, 0);
		assert_int_equal(p.bytes, 28);
	}
}

static void of_two_tags_the_outer_one_is_the_vlan_and_the_inner_the_customers(void **)
{
	static const uint16_t outer[] = {TYPE_VLAN, TYPE_QINQ, 0x9100};
	struct frame f;
	for (size_t i = 0; i < sizeof(outer) / sizeof(outer[0]); i++) {
		frame_eth(&f, outer[i]);
		frame_tag(&f, 100, TYPE_VLAN);
		frame_tag(&f, 200, TYPE_IP6);
		frame_ip6(&f, PROTO_UDP, 8);
		frame_udp(&f, 1, 2);
		struct packet p = frame_kept(&f);
		assert_int_equal(p.vlan, 100);
		assert_int_equal(p.cvlan, 200);
		assert_int_equal(p.sport, 1);
	}
}

static void a_priority_tag_is_no_vlan(void **)
{
	struct frame f;
	frame_eth(&f, TYPE_VLAN);
	frame_tag(&f, 0xe000, TYPE_IP4);
	frame_ip4(&f, PROTO_UDP, 8);
	frame_udp(&f, 1, 2);
	assert_int_equal(frame_kept(&f).vlan, 0);
}

static void three_tags_are_more_than_are_looked_at(void **)
{
	struct frame f;
	frame_eth(&f, TYPE_QINQ);
	frame_tag(&f, 1, TYPE_VLAN);
	frame_tag(&f, 2, TYPE_VLAN);
	frame_tag(&f, 3, TYPE_IP4);
	frame_ip4(&f, PROTO_UDP, 8);
	frame_udp(&f, 1, 2);
	frame_assert_verdict(&f, PACKET_VLAN_DEPTH);
}

// Frames of all kinds that are kept when they are whole; false after the last one.
static bool sample(unsigned i, struct frame *f)
{
	static const uint8_t exts[] = {0, 43, 60, 135, 139, 140, 51, 44};
	switch (i) {
	case 0:
		frame_eth(f, TYPE_IP4);
		frame_ip4(f, PROTO_TCP, 20);
		frame_tcp(f, 1, 2, 0x12);
		return true;
	case 1:
		frame_eth(f, TYPE_QINQ);
		frame_tag(f, 1, TYPE_VLAN);
		frame_tag(f, 2, TYPE_IP4);
		frame_ip4(f, PROTO_ICMP, 8);
		frame_icmp(f, 8, 0);
		return true;
	case 2: // options
		frame_eth(f, TYPE_IP4);
		frame_ip4(f, PROTO_UDP, 40 + 8);
		frame_put(f, 0, 0x4f00);
		frame_bytes(f, 1, 40);
		frame_udp(f, 1, 2);
		return true;
	case 3: // a later fragment
		frame_eth(f, TYPE_IP4);
		frame_ip4(f, PROTO_UDP, 16);
		frame_put(f, 6, 0x2002);
		frame_bytes(f, 0xff, 16);
		return true;
	case 4:
		frame_eth(f, TYPE_VLAN);
		frame_tag(f, 5, TYPE_IP6);
		frame_ip6(f, PROTO_ICMP6, 8);
		frame_icmp(f, 128, 0);
		return true;
	case 5: // every extension header, each one longer than the one before
		frame_eth(f, TYPE_IP6);
		frame_ip6(f, exts[0], 0);
		for (unsigned e = 0; e < sizeof(exts); e++) {
			wbuf_u8(&f->w, e + 1 < sizeof(exts) ? exts[e + 1] : PROTO_TCP);
			wbuf_u8(&f->w, exts[e] == 44 ? 0 : exts[e] == 51 ? 4 : (uint8_t)e);
			frame_bytes(f, 0, exts[e] == 51 ? 22 : exts[e] == 44 ? 6 : 6 + 8 * e);
		}
		frame_tcp(f, 1, 2, 0x12);
		frame_put(f, 4, (uint16_t)(frame_len(f) - ETH_LEN - IP6_LEN));
		return true;
	case 6:
		frame_eth(f, TYPE_IP6);
		frame_ip6(f, 50, 16);
		frame_bytes(f, 0xff, 16);
		return true;
	default:
		return false;
	}
}

static void a_frame_cut_at_any_length_is_truncated_or_kept(void **)
{
	struct frame f;
	unsigned n_kept = 0;
	for (unsigned i = 0; sample(i, &f); i++) {
		struct packet whole = frame_kept(&f), p;
		size_t len = frame_len(&f);
		bool kept_before = false;
		for (size_t cut = 0; cut <= len; cut++) {
			enum verdict verdict = frame_parse_cut(&f, cut, len, &p);
			if (verdict == PACKET_TRUNCATED && !kept_before)
				continue; // once there is enough, more is enough too
			assert_int_equal(verdict, PACKET_KEEP);
			assert_int_equal(p.bytes, whole.bytes);
			assert_int_equal(p.proto, whole.proto);
			assert_int_equal(p.sport, whole.sport);
			assert_int_equal(p.dport, whole.dport);
			kept_before = true;
			n_kept++;
		}
	}
	assert_true(n_kept > 7);
}

static void bytes_are_the_ip_headers_however_little_was_captured(void **)
{
	struct frame f;
	struct packet p;
	frame_eth(&f, TYPE_IP4);
	frame_ip4(&f, PROTO_TCP, 1480);
	frame_tcp(&f, 1, 2, 0x10);
	assert_int_equal(frame_parse_cut(&f, ETH_LEN + IP4_LEN + 14, 1514, &p), PACKET_KEEP);
	assert_int_equal(p.bytes, 1500);
	assert_int_equal(p.tcp_flags, 0x10);
	frame_eth(&f, TYPE_IP6);
	frame_ip6(&f, PROTO_UDP, 1460);
	frame_udp(&f, 1, 2);
	assert_int_equal(frame_parse_cut(&f, ETH_LEN + IP6_LEN + 4, 1514, &p), PACKET_KEEP);
	assert_int_equal(p.bytes, 1500);
}

static void a_frame_length_below_the_captured_one_is_not_believed(void **)
{
	struct frame f;
	struct packet p;
	frame_eth(&f, TYPE_IP4);
	frame_ip4(&f, PROTO_UDP, 8);
	frame_put(&f, 2, 0); // the frame tells
	frame_udp(&f, 1, 2);
	assert_int_equal(frame_parse_cut(&f, frame_len(&f), 0, &p), PACKET_KEEP);
	assert_int_equal(p.bytes, 28);
}

static void drop_example(enum verdict verdict, struct frame *f)
{
	bool is_v6 = verdict == PACKET_IP6_EXT_DEPTH;
	frame_eth(f, is_v6 ? TYPE_IP6 : TYPE_IP4);
	if (is_v6)
		frame_ip6(f, 60, 200);
	else
		frame_ip4(f, PROTO_TCP, 20);
	frame_tcp(f, 1, 2, 0);
	switch (verdict) {
	case PACKET_TRUNCATED:
		frame_put(f, 0, 0x4f00);
		frame_put(f, 2, 80);
		break;
	case PACKET_NOT_IP:
		frame_eth(f, 0x0806);
		break;
	case PACKET_VLAN_DEPTH:
		frame_eth(f, TYPE_VLAN);
		for (int i = 0; i < 3; i++)
			frame_tag(f, 1, TYPE_VLAN);
		break;
	case PACKET_IP_VERSION:
		frame_put(f, 0, 0x6500);
		break;
	case PACKET_IP_HEADER:
		frame_put(f, 2, 19);
		break;
	case PACKET_IP6_EXT_DEPTH:
		frame_eth(f, TYPE_IP6);
		frame_ip6(f, 60, 200);
		for (int i = 0; i < 25; i++)
			wbuf_u64(&f->w, 60ull << 56);
		break;
	case PACKET_L4_HEADER:
		frame_put(f, 2, 23);
		break;
	default:
		break;
	}
}

static void every_verdict_can_be_met(void **)
{
	struct frame f;
	for (int v = PACKET_KEEP; v < PACKET_MPLS_DEPTH; v++) { // the others: link_test.c
		drop_example((enum verdict)v, &f);
		frame_assert_verdict(&f, (enum verdict)v);
	}
}

static uint32_t noise(void)
{
	static uint32_t state = 2463534242;
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

// Whatever the packet held before must not show in what it holds after.
static enum verdict parse_over(const struct frame *f, size_t len, int old, struct packet *p)
{
	memset(p, old, sizeof(*p));
	p->time_ns = 0;
	p->port = 0;
	return frame_parse_cut(f, len, len, p);
}

static void damaged_frames_give_a_verdict_and_a_packet_filled_throughout(void **)
{
	struct frame f;
	unsigned seen[PACKET_N_VERDICTS] = {0};
	for (unsigned round = 0; round < 100000; round++) {
		struct packet a, b;
		(void)sample(noise() % 7, &f);
		for (uint32_t n = noise() % 4; n > 0; n--)
			f.bytes[12 + noise() % (frame_len(&f) - 12)] = (uint8_t)noise();
		size_t len = noise() % 4 ? frame_len(&f) : noise() % (frame_len(&f) + 1);
		enum verdict verdict = parse_over(&f, len, 0, &a);
		assert_int_equal(parse_over(&f, len, 0xff, &b), verdict);
		assert_in_range(verdict, 0, PACKET_N_VERDICTS - 1);
		seen[verdict]++;
		if (verdict == PACKET_KEEP)
			assert_memory_equal(&a, &b, offsetof(struct packet, macs) + 12);
	}
	for (int v = 0; v < PACKET_MPLS_DEPTH; v++)
		if (seen[v] == 0 && v != PACKET_IP6_EXT_DEPTH)
			fail_msg("never met: %s", verdicts[v].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_shorter_than_its_header_is_truncated),
		cmocka_unit_test(what_is_not_ip_is_dropped_by_that_name),
		cmocka_unit_test(an_untagged_frame_has_its_macs_and_no_vlan),
		cmocka_unit_test(a_tag_of_each_kind_gives_the_vlan_without_its_priority),
		cmocka_unit_test(of_two_tags_the_outer_one_is_the_vlan_and_the_inner_the_customers),
		cmocka_unit_test(a_priority_tag_is_no_vlan),
		cmocka_unit_test(three_tags_are_more_than_are_looked_at),
		cmocka_unit_test(a_frame_cut_at_any_length_is_truncated_or_kept),
		cmocka_unit_test(bytes_are_the_ip_headers_however_little_was_captured),
		cmocka_unit_test(a_frame_length_below_the_captured_one_is_not_believed),
		cmocka_unit_test(every_verdict_can_be_met),
		cmocka_unit_test(damaged_frames_give_a_verdict_and_a_packet_filled_throughout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
