// SPDX-License-Identifier: Apache-2.0
// NetFlow version 5: a header of 24 bytes, up to 30 records of 48. Version 1: 16 and 48, version 7:
// 24 and 52.
#include "bench/gen/wire.h"

#define RECORDS_MAX 29 // 24 + 29 * 48 fits WIRE_MAX; the protocol allows 30
#define RECORD_LEN_MAX 52

bool wire5_add(struct wire *s, const struct flow *f)
{
	struct wbuf *w = &s->w;
	if (s->n_flows == RECORDS_MAX || wbuf_left(w) < RECORD_LEN_MAX)
		return false;
	wbuf_bytes(w, f->t.src.b + 12, 4);
	wbuf_bytes(w, f->t.dst.b + 12, 4);
	wbuf_u32(w, 0); // next hop
	wbuf_u16(w, (uint16_t)f->in_if);
	wbuf_u16(w, (uint16_t)f->out_if);
	wbuf_u32(w, (uint32_t)f->t.packets[0]);
	wbuf_u32(w, (uint32_t)f->t.bytes[0]);
	wbuf_u32(w, (uint32_t)(f->t.start_us / 1000 - s->boot_ms));
	wbuf_u32(w, (uint32_t)(f->t.end_us / 1000 - s->boot_ms));
	wbuf_u16(w, f->t.sport);
	wbuf_u16(w, f->t.dport);
	if (s->proto == WIRE_V1) {
		wbuf_u16(w, 0);
		wbuf_u8(w, f->t.proto);
		wbuf_u8(w, f->tos);
		wbuf_u8(w, f->tcp_flags);
		wbuf_uint(w, 0, 7);
		return true;
	}
	wbuf_u8(w, 0);
	wbuf_u8(w, f->tcp_flags);
	wbuf_u8(w, f->t.proto);
	wbuf_u8(w, f->tos);
	wbuf_u16(w, (uint16_t)f->src_as);
	wbuf_u16(w, (uint16_t)f->dst_as);
	wbuf_u32(w, 0); // masks, padding
	if (s->proto == WIRE_V7)
		wbuf_u32(w, 0xc0000209); // the router that was bypassed
	return true;
}

void wire5_close(struct wire *s, uint64_t now_ms)
{
	struct wbuf w = wbuf_of(s->bytes, 24);
	wbuf_u16(&w, s->proto == WIRE_V1 ? 1 : s->proto == WIRE_V7 ? 7 : 5);
	wbuf_u16(&w, (uint16_t)s->n_flows);
	wbuf_u32(&w, (uint32_t)(now_ms - s->boot_ms));
	wbuf_u32(&w, (uint32_t)(now_ms / 1000));
	wbuf_u32(&w, (uint32_t)(now_ms % 1000 * 1000000));
	if (s->proto == WIRE_V1)
		return;
	wbuf_u32(&w, s->n_records);
	wbuf_u32(&w, s->proto == WIRE_V5 ? s->domain & 0xffff : 0); // engine; not sampled
}
