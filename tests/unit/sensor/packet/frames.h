// SPDX-License-Identifier: Apache-2.0
#pragma once

// Frames for the tests of the parser: written header by header, parsed from memory of exactly the
// size that is said to be readable.

#include "lib/base/buf.h"
#include "sensor/packet/parse.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>

#define TYPE_IP4 0x0800
#define TYPE_IP6 0x86dd
#define TYPE_VLAN 0x8100
#define TYPE_QINQ 0x88a8

#define ETH_LEN 14
#define IP4_LEN 20
#define IP6_LEN 40

struct frame {
	struct wbuf w;
	uint8_t bytes[4096];
};

static const uint8_t frame_macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

// VXLAN at its port; the packets in tunnels.
static struct parse_options frame_options = {
	.inner = true,
	.vxlan_ports = {PARSE_VXLAN_PORT},
	.n_vxlan_ports = 1,
	.udp_ports = UINT64_MAX,
};

static inline size_t frame_len(const struct frame *f)
{
	return wbuf_len(&f->w);
}

// Begins a frame.
static inline void frame_eth(struct frame *f, uint16_t type)
{
	f->w = wbuf_of(f->bytes, sizeof(f->bytes));
	wbuf_bytes(&f->w, frame_macs, sizeof(frame_macs));
	wbuf_u16(&f->w, type);
}

static inline void frame_tag(struct frame *f, uint16_t tci, uint16_t type)
{
	wbuf_u16(&f->w, tci);
	wbuf_u16(&f->w, type);
}

static inline void frame_bytes(struct frame *f, uint8_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wbuf_u8(&f->w, value);
}

// 10.0.0.1 to 10.0.0.2, type of service 0xb8, without options.
static inline void frame_ip4(struct frame *f, uint8_t proto, size_t payload)
{
	wbuf_u16(&f->w, 0x45b8);
	wbuf_u16(&f->w, (uint16_t)(IP4_LEN + payload));
	wbuf_u32(&f->w, 0x12344000); // id, DF
	wbuf_u8(&f->w, 64);
	wbuf_u8(&f->w, proto);
	wbuf_u16(&f->w, 0);
	wbuf_u32(&f->w, 0x0a000001);
	wbuf_u32(&f->w, 0x0a000002);
}

// 2001:db8::1 to 2001:db8::2, traffic class 0xb8, flow label 0xfffff.
static inline void frame_ip6(struct frame *f, uint8_t next, size_t payload)
{
	wbuf_u32(&f->w, 0x6b8fffff);
	wbuf_u16(&f->w, (uint16_t)payload);
	wbuf_u8(&f->w, next);
	wbuf_u8(&f->w, 64);
	for (uint64_t host = 1; host <= 2; host++) {
		wbuf_u64(&f->w, 0x20010db800000000);
		wbuf_u64(&f->w, host);
	}
}

static inline void frame_tcp(struct frame *f, uint16_t sport, uint16_t dport, uint16_t flags)
{
	wbuf_u16(&f->w, sport);
	wbuf_u16(&f->w, dport);
	wbuf_u64(&f->w, 0x0102030405060708);
	wbuf_u16(&f->w, 0x5000 | flags); // data offset, flags
	frame_bytes(f, 0xff, 6);
}

static inline void frame_udp(struct frame *f, uint16_t sport, uint16_t dport)
{
	wbuf_u16(&f->w, sport);
	wbuf_u16(&f->w, dport);
	wbuf_u32(&f->w, 8 << 16);
}

static inline void frame_icmp(struct frame *f, uint8_t type, uint8_t code)
{
	wbuf_u8(&f->w, type);
	wbuf_u8(&f->w, code);
	frame_bytes(f, 0xff, 6);
}

// Overwrites two bytes; `at` counts from the end of the Ethernet header.
static inline void frame_put(struct frame *f, size_t at, uint16_t v)
{
	wbuf_put_u16(&f->w, ETH_LEN + at, v);
}

// The first `len` bytes of the frame of which `whole` bytes were on the wire.
static inline enum verdict
frame_parse_cut(const struct frame *f, size_t len, size_t whole, struct packet *ret_packet)
{
	assert_false(f->w.full);
	uint8_t *exact = malloc(len ? len : 1);
	assert_non_null(exact);
	memcpy(exact, f->bytes, len);
	enum verdict verdict =
		parse_frame(&frame_options, len ? exact : exact + 1, len, whole, ret_packet);
	free(exact);
	return verdict;
}

static inline enum verdict frame_parse(const struct frame *f, struct packet *ret_packet)
{
	return frame_parse_cut(f, frame_len(f), frame_len(f), ret_packet);
}

static inline struct packet frame_kept(const struct frame *f)
{
	struct packet p;
	enum verdict verdict = frame_parse(f, &p);
	if (verdict != PACKET_KEEP)
		fail_msg("dropped: %s", verdicts[verdict].name);
	return p;
}

static inline void frame_assert_verdict(const struct frame *f, enum verdict wanted)
{
	struct packet p;
	enum verdict verdict = frame_parse(f, &p);
	if (verdict != wanted)
		fail_msg("%s, wanted %s", verdicts[verdict].name, verdicts[wanted].name);
}
