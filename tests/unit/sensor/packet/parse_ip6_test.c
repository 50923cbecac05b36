// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/sensor/packet/frames.h"

#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define ESP 50
#define AUTH 51
#define NO_NEXT 59
#define DEST_OPTIONS 60
#define MOBILITY 135
#define HIP 139
#define SHIM6 140

static void ip6(struct frame *f, uint8_t next, size_t payload)
{
	frame_eth(f, TYPE_IP6);
	frame_ip6(f, next, payload);
}

// An extension header of `len` bytes of zeros behind its first two.
static void ext(struct frame *f, uint8_t next, uint8_t len_field, size_t len)
{
	wbuf_u8(&f->w, next);
	wbuf_u8(&f->w, len_field);
	frame_bytes(f, 0, len - 2);
}

static void a_packet_gives_its_addresses_ports_and_bytes(void **)
{
	struct frame f;
	ip6(&f, PROTO_TCP, 20);
	frame_tcp(&f, 40000, 443, 2);
	struct packet p = frame_kept(&f);
	struct addr src, dst;
	assert_int_equal(addr_parse("2001:db8::1", &src), 0);
	assert_int_equal(addr_parse("2001:db8::2", &dst), 0);
	assert_true(addr_eq(&p.src, &src));
	assert_true(addr_eq(&p.dst, &dst));
	assert_int_equal(p.sport, 40000);
	assert_int_equal(p.dport, 443);
	assert_int_equal(p.tcp_flags, 2);
	assert_int_equal(p.tos, 0xb8); // nothing of the flow label in it
	assert_int_equal(p.bytes, 60);
}

static void each_extension_header_leads_to_the_ports(void **)
{
	static const uint8_t kinds[] = {HOP_BY_HOP, ROUTING, DEST_OPTIONS, MOBILITY, HIP, SHIM6};
	struct frame f;
	for (size_t i = 0; i < sizeof(kinds); i++) {
		for (uint8_t len = 0; len < 40; len++) {
			size_t ext_len = (len + 1UL) * 8;
			ip6(&f, kinds[i], ext_len + 8);
			ext(&f, PROTO_UDP, len, ext_len);
			frame_udp(&f, 1000, 53);
			struct packet p = frame_kept(&f);
			assert_int_equal(p.proto, PROTO_UDP);
			assert_int_equal(p.sport, 1000);
			assert_int_equal(p.dport, 53);
			assert_int_equal(p.bytes, 48 + ext_len);
		}
	}
}

static void an_authentication_header_counts_in_words_of_four_bytes(void **)
{
	struct frame f;
	for (uint8_t len = 0; len < 40; len++) {
		size_t ext_len = (len + 2UL) * 4;
		ip6(&f, AUTH, ext_len + 20);
		ext(&f, PROTO_TCP, len, ext_len);
		frame_tcp(&f, 1000, 80, 0x10);
		struct packet p = frame_kept(&f);
		assert_int_equal(p.proto, PROTO_TCP);
		assert_int_equal(p.sport, 1000);
		assert_int_equal(p.tcp_flags, 0x10);
	}
}

static void only_the_first_fragment_has_ports(void **)
{
	static const struct {
		uint16_t offset;
		bool is_first;
	} cases[] = {{0, true}, {1, true}, {6, true}, {8, false}, {9, false}, {0xfff8, false}};
	struct frame f;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ip6(&f, FRAGMENT, 28);
		wbuf_u16(&f.w, PROTO_TCP << 8 | 99); // the reserved byte is no length
		wbuf_u16(&f.w, cases[i].offset);
		wbuf_u32(&f.w, 0xdeadbeef);
		frame_tcp(&f, 1000, 80, 2);
		struct packet p = frame_kept(&f);
		assert_int_equal(p.proto, PROTO_TCP);
		assert_int_equal(p.bytes, 68);
		assert_int_equal(p.sport, cases[i].is_first ? 1000 : 0);
		assert_int_equal(p.dport, cases[i].is_first ? 80 : 0);
		assert_int_equal(p.tcp_flags, cases[i].is_first ? 2 : 0);
	}
}

static void chain(struct frame *f, unsigned n)
{
	ip6(f, n ? DEST_OPTIONS : PROTO_UDP, n * 8 + 8);
	for (unsigned i = 1; i <= n; i++)
		ext(f, i < n ? DEST_OPTIONS : PROTO_UDP, 0, 8);
	frame_udp(f, 1000, 53);
}

static void a_chain_is_walked_to_its_depth_and_no_further(void **)
{
	struct frame f;
	for (unsigned n = 0; n <= 8; n++) {
		chain(&f, n);
		struct packet p = frame_kept(&f);
		assert_int_equal(p.dport, 53);
		assert_int_equal(p.bytes, 48 + n * 8);
	}
	for (unsigned n = 9; n < 20; n++) {
		chain(&f, n);
		frame_assert_verdict(&f, PACKET_IP6_EXT_DEPTH);
	}
}

static void an_extension_header_that_was_not_captured_is_truncated(void **)
{
	struct frame f;
	ip6(&f, ROUTING, 2048 + 8);
	ext(&f, PROTO_UDP, 255, 2048);
	frame_udp(&f, 1, 2);
	struct packet p;
	size_t begin = ETH_LEN + IP6_LEN;
	for (size_t len = begin; len < begin + 2048 + 4; len += 4)
		assert_int_equal(frame_parse_cut(&f, len, frame_len(&f), &p), PACKET_TRUNCATED);
	assert_int_equal(frame_parse_cut(&f, begin + 2052, frame_len(&f), &p), PACKET_KEEP);
}

static void the_end_of_the_chain_may_have_no_ports(void **)
{
	static const uint8_t ends[] = {ESP, NO_NEXT, 47, 89, 255};
	struct frame f;
	for (size_t i = 0; i < sizeof(ends); i++) {
		ip6(&f, DEST_OPTIONS, 16);
		ext(&f, ends[i], 0, 8);
		frame_bytes(&f, 0xff, 8);
		struct packet p = frame_kept(&f);
		assert_int_equal(p.proto, ends[i]);
		assert_int_equal(p.sport, 0);
		assert_int_equal(p.bytes, 56);
	}
}

static void ports_behind_the_payload_are_not_the_packets(void **)
{
	struct frame f;
	for (size_t payload = 1; payload < 12; payload++) {
		ip6(&f, DEST_OPTIONS, payload); // shorter than its own chain, then than the ports
		ext(&f, PROTO_UDP, 0, 8);
		frame_bytes(&f, 0xff, 20);
		frame_assert_verdict(&f, PACKET_L4_HEADER);
	}
	ip6(&f, DEST_OPTIONS, 8 + 13);
	ext(&f, PROTO_TCP, 0, 8);
	frame_bytes(&f, 0xff, 20);
	assert_int_equal(frame_kept(&f).tcp_flags, 0);
}

static void a_payload_length_of_zero_is_the_frames(void **)
{
	struct frame f;
	struct packet p;
	ip6(&f, PROTO_TCP, 0);
	frame_tcp(&f, 1, 2, 0x10);
	frame_bytes(&f, 0, 100);
	assert_int_equal(frame_kept(&f).bytes, 160);
	assert_int_equal(frame_parse_cut(&f, 80, 5014, &p), PACKET_KEEP);
	assert_int_equal(p.bytes, 5000);
}

static void a_packet_of_a_header_alone_has_its_forty_bytes(void **)
{
	struct frame f;
	ip6(&f, NO_NEXT, 0);
	frame_bytes(&f, 0, 6); // padding
	assert_int_equal(frame_kept(&f).bytes, 40);
}

// A jumbogram of `payload` bytes, as its option says; `before` bytes of padding options before it.
static void jumbo(struct frame *f, uint32_t payload, uint16_t header_payload, const char *before)
{
	size_t pad = strlen(before), len = pad == 0 ? 8 : 16;
	ip6(f, HOP_BY_HOP, header_payload);
	wbuf_u8(&f->w, PROTO_TCP);
	wbuf_u8(&f->w, (uint8_t)(len / 8 - 1));
	for (size_t i = 0; i < pad; i++)
		wbuf_u8(&f->w, (uint8_t)(before[i] - '0'));
	wbuf_u16(&f->w, 0xc204);
	wbuf_u32(&f->w, payload);
	frame_bytes(f, 0, len - 8 - pad); // Pad1
	frame_tcp(f, 1000, 80, 0x10);
}

static void a_jumbogram_has_the_bytes_of_its_option(void **)
{
	static const char *const before[] = {"", "0000", "10", "1300000", "12000", "9200"};
	struct frame f;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		jumbo(&f, 100000, 0, before[i]);
		struct packet p = frame_kept(&f);
		assert_int_equal(p.bytes, 100040);
		assert_int_equal(p.sport, 1000);
		assert_int_equal(p.tcp_flags, 0x10);
	}
	jumbo(&f, UINT32_MAX, 0, "");
	assert_true(frame_kept(&f).bytes == 40ull + UINT32_MAX);
}

static void a_jumbo_length_that_fits_the_header_is_none(void **)
{
	struct frame f;
	jumbo(&f, 65535, 0, ""); // RFC 2675 §3: an error; the frame tells
	assert_int_equal(frame_kept(&f).bytes, 68);
	jumbo(&f, 65536, 0, "");
	assert_int_equal(frame_kept(&f).bytes, 40 + 65536);
}

static void a_jumbo_option_beside_a_payload_length_is_not_believed(void **)
{
	struct frame f;
	jumbo(&f, 1u << 30, 28, ""); // RFC 2675 §3: an error
	assert_int_equal(frame_kept(&f).bytes, 68);
}

static void a_jumbo_option_elsewhere_or_misshapen_is_none(void **)
{
	struct frame f;
	jumbo(&f, 100000, 0, "");
	frame_put(&f, 6, DEST_OPTIONS << 8 | 64);
	assert_int_equal(frame_kept(&f).bytes, 68);
	jumbo(&f, 100000, 0, "0000");
	frame_put(&f, IP6_LEN + 6, 0xc205); // a byte too long
	assert_int_equal(frame_kept(&f).bytes, 76);
	jumbo(&f, 100000, 0, "");
	frame_put(&f, IP6_LEN + 2, 0x01ff); // an option that runs out of its header
	assert_int_equal(frame_kept(&f).bytes, 68);
	jumbo(&f, 100000, 0, "0000"); // one whose value does
	frame_put(&f, IP6_LEN, PROTO_TCP << 8);
	assert_int_equal(frame_kept(&f).bytes, 76);
}

static void a_version_that_contradicts_the_ethertype_is_refused(void **)
{
	struct frame f;
	for (unsigned version = 0; version < 16; version++) {
		ip6(&f, PROTO_UDP, 8);
		frame_put(&f, 0, (uint16_t)(version << 12));
		frame_udp(&f, 1, 2);
		frame_assert_verdict(&f, version == 6 ? PACKET_KEEP : PACKET_IP_VERSION);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_gives_its_addresses_ports_and_bytes),
		cmocka_unit_test(each_extension_header_leads_to_the_ports),
		cmocka_unit_test(an_authentication_header_counts_in_words_of_four_bytes),
		cmocka_unit_test(only_the_first_fragment_has_ports),
		cmocka_unit_test(a_chain_is_walked_to_its_depth_and_no_further),
		cmocka_unit_test(an_extension_header_that_was_not_captured_is_truncated),
		cmocka_unit_test(the_end_of_the_chain_may_have_no_ports),
		cmocka_unit_test(ports_behind_the_payload_are_not_the_packets),
		cmocka_unit_test(a_payload_length_of_zero_is_the_frames),
		cmocka_unit_test(a_packet_of_a_header_alone_has_its_forty_bytes),
		cmocka_unit_test(a_jumbogram_has_the_bytes_of_its_option),
		cmocka_unit_test(a_jumbo_length_that_fits_the_header_is_none),
		cmocka_unit_test(a_jumbo_option_beside_a_payload_length_is_not_believed),
		cmocka_unit_test(a_jumbo_option_elsewhere_or_misshapen_is_none),
		cmocka_unit_test(a_version_that_contradicts_the_ethertype_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
