// SPDX-License-Identifier: Apache-2.0
#include "bench/gen/frame.h"

#define ETHER_MIN 60
#define TYPE_IPV4 0x0800
#define TYPE_VLAN 0x8100
#define TYPE_QINQ 0x88a8
#define TYPE_IPV6 0x86dd
#define TTL 57

// The ones' complement sum of RFC 1071, not folded.
static uint64_t sum(const void *data, size_t n, uint64_t acc)
{
	const uint8_t *p = data;
	for (; n >= 2; n -= 2, p += 2) {
		uint16_t v;
		memcpy(&v, p, sizeof(v));
		acc += v;
	}
	if (n) {
		uint8_t last[2] = {*p, 0};
		uint16_t v;
		memcpy(&v, last, sizeof(v));
		acc += v;
	}
	return acc;
}

// Folds and stores the sum as it lies in memory, which is right in either byte order.
static void put_sum(uint8_t *at, uint64_t acc, bool is_udp)
{
	while (acc >> 16)
		acc = (acc & 0xffff) + (acc >> 16);
	uint16_t v = (uint16_t)~acc;
	if (is_udp && v == 0) // RFC 768: 0 means none
		v = 0xffff;
	memcpy(at, &v, sizeof(v));
}

static void seal_l4(const struct conv *c, struct packet *p)
{
	uint64_t acc = 0;
	if (p->sum_at < 0)
		return;
	if (p->pseudo) {
		bool v4 = addr_is_v4(&c->addr[0]);
		size_t skip = v4 ? 12 : 0;
		acc = sum(c->addr[0].b + skip, 16 - skip, acc);
		acc = sum(c->addr[1].b + skip, 16 - skip, acc);
		acc += htobe16((uint16_t)p->len) + htobe16(c->proto);
	}
	put_sum(p->l4 + p->sum_at, sum(p->l4, p->len, acc), c->proto == 17);
}

static void link_header(struct wbuf *w, const struct conv *c, bool back)
{
	const uint8_t macs[2][6] = {
		{2, 0, c->addr[0].b[12], c->addr[0].b[13], c->addr[0].b[14], c->addr[0].b[15]},
		{2, 0, 0, 0, 0, 1}, // the gateway
	};
	wbuf_bytes(w, macs[!back], 6);
	wbuf_bytes(w, macs[back], 6);
	if (c->vlan) {
		wbuf_u16(w, c->cvlan ? TYPE_QINQ : TYPE_VLAN);
		wbuf_u16(w, c->vlan);
	}
	if (c->cvlan) {
		wbuf_u16(w, TYPE_VLAN);
		wbuf_u16(w, c->cvlan);
	}
}

static void ipv4_header(struct wbuf *w, const struct conv *c, const struct packet *p)
{
	size_t len = c->ip_extra ? 24 : 20;
	wbuf_u16(w, TYPE_IPV4);
	uint8_t *start = w->p;
	wbuf_u16(w, (uint16_t)(0x4000 | (len / 4) << 8));
	wbuf_u16(w, (uint16_t)(len + p->len));
	wbuf_u16(w, (uint16_t)(c->seq[0] + c->n_done));
	wbuf_u16(w, 0x4000); // don't fragment
	wbuf_u8(w, TTL);
	wbuf_u8(w, c->proto);
	wbuf_u16(w, 0);
	wbuf_bytes(w, c->addr[p->back].b + 12, 4);
	wbuf_bytes(w, c->addr[!p->back].b + 12, 4);
	if (c->ip_extra)
		wbuf_u32(w, 0x94040000); // router alert (RFC 2113)
	if (!w->full)
		put_sum(start + 10, sum(start, len, 0), false);
}

static void ipv6_header(struct wbuf *w, const struct conv *c, const struct packet *p)
{
	wbuf_u16(w, TYPE_IPV6);
	wbuf_u32(w, 0x60000000);
	wbuf_u16(w, (uint16_t)(p->len + (c->ip_extra ? 8 : 0)));
	wbuf_u8(w, c->ip_extra ? 60 : c->proto);
	wbuf_u8(w, TTL);
	wbuf_bytes(w, c->addr[p->back].b, 16);
	wbuf_bytes(w, c->addr[!p->back].b, 16);
	if (c->ip_extra) { // destination options: six bytes of padding (RFC 8200 §4.2)
		wbuf_u16(w, (uint16_t)(c->proto << 8));
		wbuf_u16(w, 0x0104);
		wbuf_u32(w, 0);
	}
}

static size_t pad(struct wbuf *w)
{
	while (!w->full && wbuf_len(w) < ETHER_MIN)
		wbuf_u8(w, 0);
	return wbuf_len(w);
}

size_t frame_build(
	uint8_t frame[static FRAME_MAX], const struct conv *c, struct packet *p, size_t *ret_ip_len
)
{
	struct wbuf w = wbuf_of(frame, FRAME_MAX);
	seal_l4(c, p);
	link_header(&w, c, p->back);
	size_t ip_start = wbuf_len(&w) + 2; // after the type
	if (addr_is_v4(&c->addr[0]))
		ipv4_header(&w, c, p);
	else
		ipv6_header(&w, c, p);
	wbuf_bytes(&w, p->l4, p->len);
	*ret_ip_len = wbuf_len(&w) - ip_start;
	return pad(&w);
}

size_t frame_build_arp(uint8_t frame[static FRAME_MAX], uint32_t i)
{
	// 10.0.0.1 asks everybody who has 10.0.0.0 + n (RFC 826).
	static const uint8_t request[ETHER_MIN] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  1, 0x08, 0x06,
		0,    1,    0x08, 0,	6,    4,    0, 1, 2, 0, 0,  0, 0,    1,
		10,   0,    0,	  1,	0,    0,    0, 0, 0, 0, 10, 0,
	};
	memcpy(frame, request, sizeof(request));
	frame[40] = (uint8_t)(i >> 8);
	frame[41] = (uint8_t)i;
	return sizeof(request);
}
