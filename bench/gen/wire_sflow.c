// SPDX-License-Identifier: Apache-2.0
// sFlow version 5: a flow is one sampled packet, in turns as its first bytes in a compact sample
// and as parsed fields in an expanded one. Every sample tells its VLAN, next hop and AS path.
#include "bench/gen/wire.h"

#define SAMPLE_MAX 320
#define AGENT 0xc0000201u // 192.0.2.1
#define RATE 512
#define VLAN 42

static void put_ip(struct wbuf *w, const struct flow *f, bool is_v4)
{
	uint16_t len = (uint16_t)f->t.bytes[0];
	if (is_v4) {
		wbuf_u16(w, (uint16_t)(0x4500 | f->tos));
		wbuf_u16(w, len);
		wbuf_u32(w, 0x00010000); // identification; no fragment
		wbuf_u8(w, 64);
		wbuf_u8(w, f->t.proto);
		wbuf_u16(w, 0); // checksum
		wbuf_bytes(w, f->t.src.b + 12, 4);
		wbuf_bytes(w, f->t.dst.b + 12, 4);
	} else {
		wbuf_u32(w, 0x60000000u | (uint32_t)f->tos << 20);
		wbuf_u16(w, (uint16_t)(len - 40));
		wbuf_u8(w, f->t.proto);
		wbuf_u8(w, 64);
		wbuf_bytes(w, f->t.src.b, 16);
		wbuf_bytes(w, f->t.dst.b, 16);
	}
}

// Ethernet with a tag, IP, and 20 bytes that hold TCP's flags where TCP has them.
static void put_header(struct wbuf *w, const struct flow *f, bool is_v4)
{
	size_t at = wbuf_len(w);
	wbuf_u32(w, 1); // raw packet header
	wbuf_u32(w, 0);
	wbuf_u32(w, 1); // Ethernet
	wbuf_u32(w, (uint32_t)f->t.bytes[0] + 18);
	wbuf_u32(w, 4); // stripped: the checksum
	wbuf_u32(w, is_v4 ? 58 : 78);
	wbuf_uint(w, 0x020000000001, 6);
	wbuf_uint(w, 0x020000000002, 6);
	wbuf_u32(w, 0x81000000u | VLAN);
	wbuf_u16(w, is_v4 ? 0x0800 : 0x86dd);
	put_ip(w, f, is_v4);
	bool is_icmp = f->t.proto == 1 || f->t.proto == 58;
	wbuf_u16(w, is_icmp ? f->t.dport : f->t.sport);
	wbuf_u16(w, f->t.dport);
	wbuf_u64(w, 0);
	wbuf_u16(w, (uint16_t)(0x5000 | f->tcp_flags));
	wbuf_uint(w, 0, 6);
	wbuf_u16(w, 0); // to whole words
	wbuf_put_u16(w, at + 6, (uint16_t)(wbuf_len(w) - at - 8));
}

static void put_parsed(struct wbuf *w, const struct flow *f, bool is_v4)
{
	wbuf_u32(w, is_v4 ? 3 : 4);
	wbuf_u32(w, is_v4 ? 32 : 56);
	wbuf_u32(w, (uint32_t)f->t.bytes[0]);
	wbuf_u32(w, f->t.proto);
	wbuf_bytes(w, f->t.src.b + (is_v4 ? 12 : 0), is_v4 ? 4 : 16);
	wbuf_bytes(w, f->t.dst.b + (is_v4 ? 12 : 0), is_v4 ? 4 : 16);
	wbuf_u32(w, f->t.sport);
	wbuf_u32(w, f->t.dport);
	wbuf_u32(w, f->tcp_flags);
	wbuf_u32(w, f->tos);
}

static void put_extended(struct wbuf *w, const struct flow *f)
{
	const uint32_t words[] = {
		1001, 16, VLAN, 0,	   VLAN,      0,  // switch
		1002, 16, 1,	AGENT + 1, 24,	      16, // router
		1003, 44, 1,	AGENT + 1, 64500,     f->src_as, 64501,
		1,    2,  2,	64502,	   f->dst_as, 0, // gateway
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		wbuf_u32(w, words[i]);
	wbuf_u32(w, 100); // of the gateway: local preference
}

bool wire_sflow_add(struct wire *s, const struct flow *f)
{
	struct wbuf *w = &s->w;
	bool is_v4 = addr_is_v4(&f->t.src), is_wide = s->n_flows % 2;
	if (wbuf_left(w) < SAMPLE_MAX)
		return false;
	size_t at = wbuf_len(w);
	wbuf_u32(w, is_wide ? 3 : 1);
	wbuf_u32(w, 0);
	wbuf_u32(w, s->n_records + s->n_flows);
	wbuf_u32(w, is_wide ? 0 : f->in_if);
	if (is_wide)
		wbuf_u32(w, f->in_if);
	wbuf_u32(w, RATE);
	wbuf_u32(w, (s->n_records + s->n_flows) * RATE);
	wbuf_u32(w, 0);
	if (is_wide)
		wbuf_u32(w, 0);
	wbuf_u32(w, f->in_if);
	if (is_wide)
		wbuf_u32(w, 0);
	wbuf_u32(w, f->out_if);
	wbuf_u32(w, 4);
	if (is_wide)
		put_parsed(w, f, is_v4);
	else
		put_header(w, f, is_v4);
	put_extended(w, f);
	wbuf_put_u16(w, at + 6, (uint16_t)(wbuf_len(w) - at - 8));
	return true;
}

void wire_sflow_close(struct wire *s, uint64_t now_ms)
{
	struct wbuf w = wbuf_of(s->bytes, WIRE_SFLOW_HEADER);
	wbuf_u32(&w, 5);
	wbuf_u32(&w, 1);
	wbuf_u32(&w, AGENT);
	wbuf_u32(&w, s->domain);
	wbuf_u32(&w, s->n_messages);
	wbuf_u32(&w, (uint32_t)(now_ms - s->boot_ms));
	wbuf_u32(&w, s->n_flows);
}
