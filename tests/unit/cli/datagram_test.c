// SPDX-License-Identifier: Apache-2.0
#include "cli/datagram.h"
#include "lib/base/buf.h"
#include "tests/unit/cmocka.h"

#include <string.h>

static uint8_t frame[2048];
static struct wbuf w;

static void begin(const void *head, size_t len)
{
	w = wbuf_of(frame, sizeof(frame));
	wbuf_bytes(&w, head, len);
}

static void put_udp(size_t len)
{
	wbuf_u16(&w, 40000);
	wbuf_u16(&w, 2055);
	wbuf_u16(&w, (uint16_t)(8 + len));
	wbuf_u16(&w, 0);
	for (size_t i = 0; i < len; i++)
		wbuf_u8(&w, (uint8_t)i);
}

static void put_ip4(uint8_t proto, uint16_t fragment, size_t len)
{
	wbuf_u16(&w, 0x4500);
	wbuf_u16(&w, (uint16_t)(20 + 8 + len));
	wbuf_u16(&w, 0);
	wbuf_u16(&w, fragment);
	wbuf_u8(&w, 64);
	wbuf_u8(&w, proto);
	wbuf_u16(&w, 0);
	wbuf_bytes(&w, "\xc0\0\2\1\xc0\0\2\2", 8);
	put_udp(len);
}

static void put_ip6(uint8_t proto, const void *extensions, size_t extensions_len, size_t len)
{
	wbuf_u32(&w, 0x60000000);
	wbuf_u16(&w, (uint16_t)(extensions_len + 8 + len));
	wbuf_u8(&w, proto);
	wbuf_u8(&w, 64);
	wbuf_bytes(&w, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	wbuf_bytes(&w, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
	wbuf_bytes(&w, extensions, extensions_len);
	put_udp(len);
}

static enum datagram_reason parse(uint16_t link, struct datagram *ret)
{
	struct pcapfile_packet p = {.data = frame, .len = wbuf_len(&w), .link = link};
	return datagram_parse(&p, ret);
}

static void datagrams_are_found_below_every_link(void **)
{
	static const struct {
		uint16_t link;
		const char *head;
		size_t len;
	} links[] = {
		{LINK_ETHERNET, "dstdstsrcsrc\x08\0", 14},
		{LINK_ETHERNET, "dstdstsrcsrc\x81\0\0\5\x08\0", 18},
		{LINK_ETHERNET, "dstdstsrcsrc\x88\xa8\0\5\x81\0\0\6\x08\0", 22},
		{LINK_SLL, "\0\0\0\1\0\6macmac\0\0\x08\0", 16},
		{LINK_SLL2, "\x08\0\0\0\0\0\0\1\0\1\0\6macmac\0\0", 20},
		{LINK_RAW, "", 0},
		{LINK_RAW_BSD, "", 0},
		{LINK_IPV4, "", 0},
	};
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct datagram d;
		begin(links[i].head, links[i].len);
		put_ip4(17, 0x4000, 30); // may not be fragmented, and is not
		wbuf_bytes(&w, "padding", 7);
		assert_int_equal(parse(links[i].link, &d), DATAGRAM_OK);
		assert_int_equal(d.len, 30);
		assert_int_equal(d.data[29], 29);
		assert_int_equal(d.sport, 40000);
		assert_int_equal(d.dport, 2055);
		assert_memory_equal(d.src.b + 12, "\xc0\0\2\1", 4);
	}
}

static void ipv6_extensions_are_walked_over(void **)
{
	static const uint8_t extensions[] = {
		60, 0, 0, 0, 0, 0, 0, 0,			 // hop by hop
		17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // destination, 16 bytes
	};
	struct datagram d;
	begin("", 0);
	put_ip6(17, "", 0, 5);
	assert_int_equal(parse(LINK_IPV6, &d), DATAGRAM_OK);
	assert_int_equal(d.len, 5);
	assert_int_equal(d.dst.b[15], 2);
	begin("", 0);
	put_ip6(0, extensions, sizeof(extensions), 5);
	assert_int_equal(parse(LINK_RAW, &d), DATAGRAM_OK);
	assert_int_equal(d.len, 5);
}

static void what_is_no_datagram_has_a_reason(void **)
{
	struct datagram d;
	begin("dstdstsrcsrc\x08\x06", 14); // ARP
	put_ip4(17, 0, 4);
	assert_int_equal(parse(LINK_ETHERNET, &d), DATAGRAM_NOT_IP);
	assert_int_equal(parse(147, &d), DATAGRAM_LINK);
	begin("", 0);
	put_ip4(6, 0, 4);
	assert_int_equal(parse(LINK_RAW, &d), DATAGRAM_NOT_UDP);
	begin("", 0);
	put_ip4(17, 0x2000, 4); // the first of several
	assert_int_equal(parse(LINK_RAW, &d), DATAGRAM_FRAGMENT);
	begin("", 0);
	put_ip4(17, 0x00b9, 4); // a later one
	assert_int_equal(parse(LINK_RAW, &d), DATAGRAM_FRAGMENT);
	begin("", 0);
	put_ip6(44, "", 0, 4);
	assert_int_equal(parse(LINK_RAW, &d), DATAGRAM_FRAGMENT);
	for (int i = 0; i < DATAGRAM_N; i++)
		assert_non_null(datagram_reason_text((enum datagram_reason)i));
}

static void frames_cut_anywhere_are_cut(void **)
{
	for (int v6 = 0; v6 < 2; v6++) {
		begin(v6 ? "dstdstsrcsrc\x86\xdd" : "dstdstsrcsrc\x08\0", 14);
		if (v6)
			put_ip6(17, "", 0, 4);
		else
			put_ip4(17, 0, 4);
		for (size_t len = 0; len < wbuf_len(&w); len++) {
			struct pcapfile_packet p = {
				.data = frame, .len = len, .link = LINK_ETHERNET};
			struct datagram d;
			assert_int_equal(datagram_parse(&p, &d), DATAGRAM_CUT);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_are_found_below_every_link),
		cmocka_unit_test(ipv6_extensions_are_walked_over),
		cmocka_unit_test(what_is_no_datagram_has_a_reason),
		cmocka_unit_test(frames_cut_anywhere_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
