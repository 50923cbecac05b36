// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/sensor/packet/frames.h"

#define GRE_C 0x8000
#define GRE_K 0x2000
#define GRE_S 0x1000
#define TYPE_ETHER 0x6558
#define TYPE_PPP 0x880b

static const uint8_t inner_macs[12] = {6, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 2};

// An IP header whose length is not looked at by the tunnels: the frame's end tells.
static void outer(struct frame *f, bool v6, uint8_t proto)
{
	frame_eth(f, TYPE_VLAN);
	frame_tag(f, 7, v6 ? TYPE_IP6 : TYPE_IP4);
	if (v6)
		frame_ip6(f, proto, 1400);
	else
		frame_ip4(f, proto, 1400);
}

static void outer_udp(struct frame *f, bool v6, uint16_t dport)
{
	outer(f, v6, PROTO_UDP);
	wbuf_u16(&f->w, 50000);
	wbuf_u16(&f->w, dport);
	wbuf_u32(&f->w, 1400u << 16);
}

static void inner_ip(struct frame *f, bool v6)
{
	if (v6)
		frame_ip6(f, PROTO_TCP, 20);
	else
		frame_ip4(f, PROTO_TCP, 20);
	frame_tcp(f, 2222, 443, 0x12);
	frame_bytes(f, 0, 2);
}

static void inner_ether(struct frame *f, bool v6)
{
	wbuf_bytes(&f->w, inner_macs, sizeof(inner_macs));
	wbuf_u16(&f->w, v6 ? TYPE_IP6 : TYPE_IP4);
	inner_ip(f, v6);
}

// What comes out is the inner packet, and one cut short is truncated or the same.
static struct packet inner(const struct frame *f, bool v6, enum tunnel_kind kind, uint32_t id)
{
	struct packet p = frame_kept(f), cut;
	assert_int_equal(p.proto, PROTO_TCP);
	assert_int_equal(p.sport, 2222);
	assert_int_equal(p.dport, 443);
	assert_int_equal(p.tcp_flags, 0x12);
	assert_int_equal(p.bytes, v6 ? 60 : 40);
	assert_int_equal(addr_is_v4(&p.src), !v6);
	assert_int_equal(packet_tunnel_kind(p.tunnel), kind);
	assert_int_equal(p.tunnel, packet_tunnel(kind, id));
	assert_int_equal(p.tunnel_id, id);
	for (size_t len = 0; len < frame_len(f); len++) {
		if (frame_parse_cut(f, len, frame_len(f), &cut) != PACKET_KEEP)
			continue;
		assert_int_equal(cut.sport, 2222);
		assert_int_equal(cut.tunnel, p.tunnel);
		assert_int_equal(cut.bytes, p.bytes);
	}
	return p;
}

static void assert_outer(const struct frame *f, uint8_t proto)
{
	struct packet p = frame_kept(f);
	assert_int_equal(p.proto, proto);
	assert_int_equal(p.tunnel, 0);
	assert_int_equal(p.tunnel_id, 0);
	assert_int_equal(p.vlan, 7);
	assert_int_equal(p.bytes, addr_is_v4(&p.src) ? 1420 : 1440);
}

static void ip_in_ip_is_opened_in_all_four_ways(void **)
{
	static const enum tunnel_kind kinds[2][2] = {
		{TUNNEL_IP4_IP4, TUNNEL_IP4_IP6}, {TUNNEL_IP6_IP4, TUNNEL_IP6_IP6}};
	struct frame f;
	for (int out = 0; out < 2; out++) {
		for (int in = 0; in < 2; in++) {
			outer(&f, out, in ? PROTO_IP6 : PROTO_IP4);
			inner_ip(&f, in);
			struct packet p = inner(&f, in, kinds[out][in], 0);
			assert_int_equal(p.vlan, 7); // of the frame that both are in
			assert_memory_equal(p.macs, frame_macs, 12);
		}
	}
}

static void gre(struct frame *f, bool v6, uint16_t flags, uint16_t type, uint32_t key)
{
	outer(f, v6, PROTO_GRE);
	wbuf_u16(&f->w, flags);
	wbuf_u16(&f->w, type);
	if (flags & GRE_C)
		wbuf_u32(&f->w, 0xfeed0000);
	if (flags & GRE_K)
		wbuf_u32(&f->w, key);
	if (flags & GRE_S)
		wbuf_u32(&f->w, 4711);
}

static void gre_is_opened_whatever_it_has_of_key_checksum_and_sequence(void **)
{
	struct frame f;
	for (unsigned bits = 0; bits < 32; bits++) {
		uint16_t flags = (uint16_t
		)((bits & 1 ? GRE_C : 0) | (bits & 2 ? GRE_K : 0) | (bits & 4 ? GRE_S : 0));
		bool out = bits & 8, in = bits & 16;
		gre(&f, out, flags, in ? TYPE_IP6 : TYPE_IP4, 0xcafe0001);
		inner_ip(&f, in);
		inner(&f, in, TUNNEL_GRE, flags & GRE_K ? 0xcafe0001 : 0);
	}
}

static void ethernet_in_gre_is_nvgre_where_its_key_may_be_a_subnet(void **)
{
	struct frame f;
	gre(&f, false, GRE_K, TYPE_ETHER, 0x12345678);
	inner_ether(&f, true);
	struct packet p = inner(&f, true, TUNNEL_NVGRE, 0x123456);
	assert_memory_equal(p.macs, inner_macs, 12);
	assert_int_equal(p.vlan, 0);		      // of the inner frame
	gre(&f, true, GRE_K, TYPE_ETHER, 0x000fff01); // a reserved one: a mere key
	inner_ether(&f, false);
	inner(&f, false, TUNNEL_GRE, 0x000fff01);
	gre(&f, true, 0, TYPE_ETHER, 0);
	inner_ether(&f, false);
	inner(&f, false, TUNNEL_GRE, 0);
}

static void mirrored_frames_have_their_session_and_vlan(void **)
{
	struct frame f;
	gre(&f, false, 0, 0x88be, 0);
	inner_ether(&f, false);
	inner(&f, false, TUNNEL_ERSPAN1, 0);

	gre(&f, false, GRE_S, 0x88be, 0);
	wbuf_u32(&f.w, 0x10330000 | 0x1c00 | 0x3fe); // version 1, VLAN 51
	wbuf_u32(&f.w, 0x00012345);
	inner_ether(&f, true);
	struct packet p = inner(&f, true, TUNNEL_ERSPAN2, 0x3fe);
	assert_int_equal(p.vlan, 51);

	for (int platform = 0; platform < 2; platform++) {
		gre(&f, true, GRE_S, 0x22eb, 0);
		wbuf_u32(&f.w, 0x20330000 | 0x155); // version 2
		wbuf_u32(&f.w, 0x01020304);
		wbuf_u32(&f.w, (uint32_t)platform);
		if (platform)
			wbuf_u64(&f.w, 1);
		inner_ether(&f, false);
		inner(&f, false, TUNNEL_ERSPAN3, 0x155);
	}
	gre(&f, false, GRE_S, 0x22eb, 0);
	wbuf_u32(&f.w, 0x20000000);
	wbuf_u32(&f.w, 0);
	wbuf_u32(&f.w, 2 << 10); // an IP packet
	inner_ip(&f, true);
	inner(&f, true, TUNNEL_ERSPAN3, 0);
	gre(&f, false, GRE_S, 0x88be, 0);
	wbuf_u32(&f.w, 0x50000000); // no such version
	frame_bytes(&f, 0, 60);
	assert_outer(&f, PROTO_GRE);
}

static void pptp_is_opened_and_its_acknowledgements_are_not(void **)
{
	struct frame f;
	outer(&f, false, PROTO_GRE);
	wbuf_u16(&f.w, 0x3081);
	wbuf_u16(&f.w, TYPE_PPP);
	wbuf_u32(&f.w, 46u << 16 | 99);
	wbuf_u64(&f.w, 1);
	wbuf_u32(&f.w, 0xff030021);
	inner_ip(&f, false);
	struct packet p = inner(&f, false, TUNNEL_PPTP, 99);
	assert_int_equal(p.tunnel & UINT32_MAX, 0); // the other direction has another id
	outer(&f, false, PROTO_GRE);
	wbuf_u16(&f.w, 0x2081);
	wbuf_u16(&f.w, TYPE_PPP);
	wbuf_u32(&f.w, 99);
	wbuf_u32(&f.w, 1);
	assert_outer(&f, PROTO_GRE);
}

static void vxlan_is_opened_at_its_ports(void **)
{
	struct frame f;
	for (int out = 0; out < 2; out++) {
		for (int in = 0; in < 2; in++) {
			outer_udp(&f, out, PARSE_VXLAN_PORT);
			wbuf_u32(&f.w, 0x08000000);
			wbuf_u32(&f.w, 0xabcdef00);
			inner_ether(&f, in);
			inner(&f, in, TUNNEL_VXLAN, 0xabcdef);
		}
	}
	outer_udp(&f, false, 8472);
	wbuf_u32(&f.w, 0x08000000);
	wbuf_u32(&f.w, 0xabcdef00);
	inner_ether(&f, false);
	assert_outer(&f, PROTO_UDP);
	outer_udp(&f, false, PARSE_VXLAN_PORT);
	wbuf_u32(&f.w, 0x0c000002); // IPv6, by VXLAN-GPE
	wbuf_u32(&f.w, 0x00000100);
	inner_ip(&f, true);
	inner(&f, true, TUNNEL_VXLAN_GPE, 1);
}

static void options_give_vxlan_its_ports(void **)
{
	static const uint16_t ports[] = {8472, 1234};
	struct parse_options was = frame_options;
	struct frame f;
	parse_options_init(&frame_options, true, ports, 2);
	for (size_t i = 0; i < 2; i++) {
		outer_udp(&f, false, ports[i]);
		wbuf_u32(&f.w, 0x08000000);
		wbuf_u32(&f.w, 0x00000700);
		inner_ether(&f, false);
		inner(&f, false, TUNNEL_VXLAN, 7);
	}
	f.bytes[ETH_LEN + 4 + IP4_LEN + 3]++;
	assert_outer(&f, PROTO_UDP);
	parse_options_init(&frame_options, true, NULL, 0);
	outer_udp(&f, false, PARSE_VXLAN_PORT);
	wbuf_u32(&f.w, 0x08000000);
	wbuf_u32(&f.w, 0x00000700);
	inner_ether(&f, false);
	inner(&f, false, TUNNEL_VXLAN, 7);
	frame_options = was;
}

static void geneve_is_opened_behind_its_options(void **)
{
	struct frame f;
	for (unsigned words = 0; words < 64; words += 9) {
		outer_udp(&f, words & 1, 6081);
		wbuf_u16(&f.w, (uint16_t)(words << 8));
		wbuf_u16(&f.w, TYPE_ETHER);
		wbuf_u32(&f.w, 0x00fffe00);
		frame_bytes(&f, 0x45, (size_t)words * 4);
		inner_ether(&f, true);
		inner(&f, true, TUNNEL_GENEVE, 0xfffe);
	}
	outer_udp(&f, false, 6081);
	wbuf_u32(&f.w, TYPE_IP4);
	wbuf_u32(&f.w, 0);
	inner_ip(&f, false);
	inner(&f, false, TUNNEL_GENEVE, 0);
}

static void gtp(struct frame *f, uint8_t flags, uint8_t type)
{
	outer_udp(f, false, 2152);
	wbuf_u8(&f->w, flags);
	wbuf_u8(&f->w, type);
	wbuf_u16(&f->w, 1000);
	wbuf_u32(&f->w, 0xdeadbeef);
}

static void gtp_is_opened_behind_its_extensions(void **)
{
	struct frame f;
	for (int in = 0; in < 2; in++) {
		gtp(&f, 0x30, 255);
		inner_ip(&f, in);
		struct packet p = inner(&f, in, TUNNEL_GTP, 0xdeadbeef);
		assert_int_equal(p.tunnel & UINT32_MAX, 0);
		gtp(&f, 0x32, 255); // a sequence number
		wbuf_u32(&f.w, 0x00050000);
		inner_ip(&f, in);
		inner(&f, in, TUNNEL_GTP, 0xdeadbeef);
		gtp(&f, 0x34, 255); // a PDU session container, then another
		wbuf_u32(&f.w, 0x00000085);
		wbuf_u32(&f.w, 0x01000985);
		wbuf_u64(&f.w, 0x0200000000000000);
		inner_ip(&f, in);
		inner(&f, in, TUNNEL_GTP, 0xdeadbeef);
	}
	gtp(&f, 0x30, 1); // an echo request
	inner_ip(&f, false);
	assert_outer(&f, PROTO_UDP);
	gtp(&f, 0x34, 255);
	wbuf_u32(&f.w, 0x00000085);
	wbuf_u32(&f.w, 0x00000085); // an extension of no length
	inner_ip(&f, false);
	assert_outer(&f, PROTO_UDP);
}

static void l2tp_is_opened_whatever_stands_before_the_frame(void **)
{
	struct frame f;
	for (size_t before = 0; before <= 12; before += 4) {
		outer(&f, before & 4, PROTO_L2TP);
		wbuf_u32(&f.w, 0x01020304);
		frame_bytes(&f, 0x5a, before);
		inner_ether(&f, before & 8);
		inner(&f, before & 8, TUNNEL_L2TP3, 0x01020304);
	}
	outer(&f, false, PROTO_L2TP);
	wbuf_u32(&f.w, 0); // control
	inner_ether(&f, false);
	assert_outer(&f, PROTO_L2TP);
	outer(&f, false, PROTO_L2TP);
	wbuf_u32(&f.w, 1);
	frame_bytes(&f, 0x5a, 100);
	assert_outer(&f, PROTO_L2TP);
}

static void a_tunnel_of_something_else_is_a_packet_itself(void **)
{
	struct frame f;
	gre(&f, false, 0, 0x2000, 0); // a discovery protocol
	frame_bytes(&f, 0, 40);
	assert_outer(&f, PROTO_GRE);
	gre(&f, false, GRE_K, TYPE_ETHER, 0x12345678);
	wbuf_bytes(&f.w, inner_macs, sizeof(inner_macs));
	wbuf_u16(&f.w, 0x0806);
	frame_bytes(&f, 0, 28);
	struct packet p = frame_kept(&f);
	assert_memory_equal(p.macs, frame_macs, 12); // nothing of the inner frame remains
	assert_outer(&f, PROTO_GRE);
	outer_udp(&f, true, PARSE_VXLAN_PORT); // whoever else uses the port
	frame_bytes(&f, 0xff, 100);
	assert_outer(&f, PROTO_UDP);
	outer_udp(&f, true, PARSE_VXLAN_PORT);
	frame_bytes(&f, 0xff, 3);
	assert_outer(&f, PROTO_UDP);
}

static void a_tunnel_that_must_be_one_and_is_not_is_named(void **)
{
	struct frame f;
	outer(&f, false, PROTO_GRE);
	frame_bytes(&f, 0, 3);
	frame_assert_verdict(&f, PACKET_TUNNEL_HEADER);
	outer(&f, false, PROTO_IP4);
	frame_bytes(&f, 0x45, 10);
	frame_assert_verdict(&f, PACKET_TUNNEL_HEADER);
	outer(&f, false, PROTO_IP4);
	frame_bytes(&f, 0x65, 40);
	frame_assert_verdict(&f, PACKET_IP_VERSION);
}

// Ethernet's padding is no part of a tunnel.
static void a_tunnel_ends_with_the_packet_that_carries_it(void **)
{
	struct frame f;
	frame_eth(&f, TYPE_IP4);
	frame_ip4(&f, PROTO_GRE, 3);
	frame_bytes(&f, 0, 60);
	frame_assert_verdict(&f, PACKET_TUNNEL_HEADER);
	frame_eth(&f, TYPE_IP4);
	frame_ip4(&f, PROTO_IP4, 10);
	inner_ip(&f, false);
	frame_assert_verdict(&f, PACKET_TUNNEL_HEADER);
}

static void tunnels_in_tunnels_are_opened_to_a_depth(void **)
{
	struct frame f;
	for (int n = 1; n <= 6; n++) {
		outer(&f, false, PROTO_IP4);
		for (int i = 1; i < n; i++)
			frame_ip4(&f, PROTO_IP4, 200);
		inner_ip(&f, false);
		if (n <= 4)
			inner(&f, false, TUNNEL_IP4_IP4, 0);
		else
			frame_assert_verdict(&f, PACKET_TUNNEL_DEPTH);
	}
	outer_udp(&f, false, PARSE_VXLAN_PORT); // the innermost one counts
	wbuf_u64(&f.w, 0x0800000000000700);
	wbuf_bytes(&f.w, inner_macs, sizeof(inner_macs));
	wbuf_u16(&f.w, TYPE_IP6);
	frame_ip6(&f, PROTO_GRE, 200);
	wbuf_u32(&f.w, GRE_K << 16 | TYPE_IP4);
	wbuf_u32(&f.w, 5);
	inner_ip(&f, false);
	struct packet p = inner(&f, false, TUNNEL_GRE, 5);
	assert_memory_equal(p.macs, inner_macs, 12);
}

static void of_outer_packets_no_tunnel_is_opened(void **)
{
	struct parse_options was = frame_options;
	struct frame f;
	parse_options_init(&frame_options, false, NULL, 0);
	gre(&f, false, 0, TYPE_IP4, 0);
	inner_ip(&f, false);
	assert_outer(&f, PROTO_GRE);
	outer_udp(&f, true, PARSE_VXLAN_PORT);
	wbuf_u64(&f.w, 0x0800000000000700);
	inner_ether(&f, false);
	assert_outer(&f, PROTO_UDP);
	outer(&f, true, PROTO_IP4);
	assert_outer(&f, PROTO_IP4);
	frame_options = was;
}

static void the_payload_of_an_inner_packet_is_told_by_its_place(void **)
{
	struct frame f;
	gre(&f, false, 0, TYPE_IP4, 0);
	frame_ip4(&f, PROTO_UDP, 13);
	size_t at = frame_len(&f) + 8;
	wbuf_u32(&f.w, 5u << 16 | 53);
	wbuf_u32(&f.w, 13u << 16);
	wbuf_bytes(&f.w, "hello", 5);
	struct packet p = frame_kept(&f);
	assert_int_equal(p.payload_at, at);
	assert_int_equal(p.payload_len, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip_in_ip_is_opened_in_all_four_ways),
		cmocka_unit_test(gre_is_opened_whatever_it_has_of_key_checksum_and_sequence),
		cmocka_unit_test(ethernet_in_gre_is_nvgre_where_its_key_may_be_a_subnet),
		cmocka_unit_test(mirrored_frames_have_their_session_and_vlan),
		cmocka_unit_test(pptp_is_opened_and_its_acknowledgements_are_not),
		cmocka_unit_test(vxlan_is_opened_at_its_ports),
		cmocka_unit_test(options_give_vxlan_its_ports),
		cmocka_unit_test(geneve_is_opened_behind_its_options),
		cmocka_unit_test(gtp_is_opened_behind_its_extensions),
		cmocka_unit_test(l2tp_is_opened_whatever_stands_before_the_frame),
		cmocka_unit_test(a_tunnel_of_something_else_is_a_packet_itself),
		cmocka_unit_test(a_tunnel_that_must_be_one_and_is_not_is_named),
		cmocka_unit_test(a_tunnel_ends_with_the_packet_that_carries_it),
		cmocka_unit_test(tunnels_in_tunnels_are_opened_to_a_depth),
		cmocka_unit_test(of_outer_packets_no_tunnel_is_opened),
		cmocka_unit_test(the_payload_of_an_inner_packet_is_told_by_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
