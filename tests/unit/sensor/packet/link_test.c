// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/sensor/packet/frames.h"

#define TYPE_MPLS 0x8847
#define TYPE_PPPOE 0x8864
#define TYPE_PPPOE_DISCOVERY 0x8863

// The IP packet that the frames here carry.
static void put_udp(struct frame *f, bool v6)
{
	if (v6)
		frame_ip6(f, PROTO_UDP, 8);
	else
		frame_ip4(f, PROTO_UDP, 8);
	frame_udp(f, 1000, 53);
}

static void assert_udp(const struct packet *p, bool v6)
{
	assert_int_equal(p->proto, PROTO_UDP);
	assert_int_equal(p->sport, 1000);
	assert_int_equal(p->dport, 53);
	assert_int_equal(p->bytes, v6 ? 48 : 28);
	assert_int_equal(p->ttl, 64);
	assert_int_equal(addr_is_v4(&p->src), !v6);
}

static void put_labels(struct frame *f, uint32_t top, int n)
{
	frame_eth(f, TYPE_MPLS);
	for (int i = 0; i < n; i++)
		wbuf_u32(&f->w, (top + (uint32_t)i) << 12 | (i == n - 1 ? 0x1ff : 0xff));
}

static void a_label_stack_gives_its_top_label(void **)
{
	struct frame f;
	for (int n = 1; n <= 8; n++) {
		for (int v6 = 0; v6 < 2; v6++) {
			put_labels(&f, 0xffff0, n);
			put_udp(&f, v6);
			struct packet p = frame_kept(&f);
			assert_udp(&p, v6);
			assert_int_equal(p.mpls_label, 0xffff0);
			assert_int_equal(p.tunnel, 0);
		}
	}
	put_labels(&f, 16, 9);
	put_udp(&f, false);
	frame_assert_verdict(&f, PACKET_MPLS_DEPTH);
}

static void a_label_stack_may_follow_vlan_tags(void **)
{
	struct frame f;
	frame_eth(&f, TYPE_QINQ);
	frame_tag(&f, 5, TYPE_VLAN);
	frame_tag(&f, 6, TYPE_MPLS);
	wbuf_u32(&f.w, 77 << 12 | 0x1ff);
	put_udp(&f, true);
	struct packet p = frame_kept(&f);
	assert_udp(&p, true);
	assert_int_equal(p.vlan, 5);
	assert_int_equal(p.cvlan, 6);
	assert_int_equal(p.mpls_label, 77);
}

static void ethernet_below_labels_is_found_with_and_without_a_control_word(void **)
{
	static const uint8_t macs[12] = {0, 0xb, 0xc, 1, 2, 3, 0, 0xb, 0xc, 1, 2, 4};
	struct frame f;
	for (int word = 0; word < 2; word++) {
		put_labels(&f, 100, 2);
		if (word)
			wbuf_u32(&f.w, 9);
		wbuf_bytes(&f.w, macs, sizeof(macs));
		wbuf_u16(&f.w, TYPE_VLAN);
		frame_tag(&f, 9, TYPE_IP4);
		put_udp(&f, false);
		struct packet p = frame_kept(&f);
		assert_udp(&p, false);
		assert_memory_equal(p.macs, macs, sizeof(macs));
		assert_int_equal(p.vlan, 9);
		assert_int_equal(p.mpls_label, 100);
		assert_int_equal(packet_tunnel_kind(p.tunnel), TUNNEL_MPLS_ETH);
		assert_int_equal(p.tunnel_id, 101);
	}
}

static void what_is_neither_ip_nor_ethernet_below_labels_is_named(void **)
{
	struct frame f;
	put_labels(&f, 100, 1);
	wbuf_u32(&f.w, 0x10000007); // an associated channel (RFC 4385 §5)
	frame_bytes(&f, 0, 40);
	frame_assert_verdict(&f, PACKET_MPLS_PAYLOAD);
	put_labels(&f, 100, 1);
	frame_bytes(&f, 0, 3);
	frame_assert_verdict(&f, PACKET_MPLS_PAYLOAD);
	put_labels(&f, 100, 1);
	frame_assert_verdict(&f, PACKET_TRUNCATED);
}

static void pppoe(struct frame *f, uint8_t code, size_t len)
{
	frame_eth(f, TYPE_PPPOE);
	wbuf_u8(&f->w, 0x11);
	wbuf_u8(&f->w, code);
	wbuf_u16(&f->w, 0xabcd);
	wbuf_u16(&f->w, (uint16_t)len);
}

static void a_pppoe_session_is_the_packets_tunnel(void **)
{
	struct frame f;
	for (int v6 = 0; v6 < 2; v6++) {
		pppoe(&f, 0, v6 ? 50 : 30);
		wbuf_u16(&f.w, v6 ? 0x57 : 0x21);
		put_udp(&f, v6);
		struct packet p = frame_kept(&f);
		assert_udp(&p, v6);
		assert_int_equal(packet_tunnel_kind(p.tunnel), TUNNEL_PPPOE);
		assert_int_equal(p.tunnel_id, 0xabcd);
	}
	pppoe(&f, 0, 29);
	wbuf_u8(&f.w, 0x21); // the protocol in one byte
	put_udp(&f, false);
	struct packet p = frame_kept(&f);
	assert_udp(&p, false);
}

static void pppoe_without_a_packet_is_named(void **)
{
	struct frame f;
	frame_eth(&f, TYPE_PPPOE_DISCOVERY);
	frame_bytes(&f, 0, 46);
	frame_assert_verdict(&f, PACKET_PPPOE_DISCOVERY);
	pppoe(&f, 0xa7, 0); // terminate
	frame_bytes(&f, 0, 40);
	frame_assert_verdict(&f, PACKET_PPPOE_DISCOVERY);
	pppoe(&f, 0, 12);
	wbuf_u16(&f.w, 0xc021); // LCP
	frame_bytes(&f, 0, 40);
	frame_assert_verdict(&f, PACKET_PPP_CONTROL);
	pppoe(&f, 0, 30);
	f.bytes[ETH_LEN] = 0x21;
	frame_bytes(&f, 0, 40);
	frame_assert_verdict(&f, PACKET_TUNNEL_HEADER);
}

static void headers_are_not_followed_for_ever(void **)
{
	struct frame f;
	frame_eth(&f, 0x6558);
	for (int i = 0; i < 20; i++) {
		wbuf_bytes(&f.w, frame_macs, sizeof(frame_macs));
		wbuf_u16(&f.w, 0x6558);
	}
	put_udp(&f, false);
	frame_assert_verdict(&f, PACKET_TUNNEL_DEPTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_label_stack_gives_its_top_label),
		cmocka_unit_test(a_label_stack_may_follow_vlan_tags),
		cmocka_unit_test(ethernet_below_labels_is_found_with_and_without_a_control_word),
		cmocka_unit_test(what_is_neither_ip_nor_ethernet_below_labels_is_named),
		cmocka_unit_test(a_pppoe_session_is_the_packets_tunnel),
		cmocka_unit_test(pppoe_without_a_packet_is_named),
		cmocka_unit_test(headers_are_not_followed_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
