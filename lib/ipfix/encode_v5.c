// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/encode_v5.h"

#include "lib/ipfix/wire.h"

#include <errno.h>

#define RECORDS_MAX 30
#define INTERVAL_MAX 0x3fff // of the header's sampling field
#define MODE_SHIFT 14

static uint32_t cut32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static uint16_t cut16(uint64_t v)
{
	return v > UINT16_MAX ? 0 : (uint16_t)v; // "none" rather than another one
}

static void put_v4(struct wbuf *w, const struct addr *a)
{
	static const struct addr none;
	const struct addr *from = addr_is_v4(a) ? a : &none;
	wbuf_bytes(w, from->b + 12, 4);
}

static void put_record(struct wbuf *w, const struct record *r)
{
	bool is_icmp = r->proto == IPFIX_PROTO_ICMP;
	put_v4(w, &r->src);
	put_v4(w, &r->dst);
	put_v4(w, &r->next_hop);
	wbuf_u16(w, cut16(r->in_if));
	wbuf_u16(w, cut16(r->out_if));
	wbuf_u32(w, cut32(r->packets));
	wbuf_u32(w, cut32(r->bytes));
	wbuf_u32(w, (uint32_t)(r->start_ns / NS_PER_MSEC));
	wbuf_u32(w, (uint32_t)(r->end_ns / NS_PER_MSEC));
	wbuf_u16(w, r->sport);
	wbuf_u16(w, is_icmp ? (uint16_t)(r->icmp_type << 8 | r->icmp_code) : r->dport);
	wbuf_u8(w, 0);
	wbuf_u8(w, (uint8_t)r->tcp_flags);
	wbuf_u8(w, r->proto);
	wbuf_u8(w, r->tos);
	wbuf_u16(w, cut16(r->src_as));
	wbuf_u16(w, cut16(r->dst_as));
	wbuf_u8(w, r->src_mask);
	wbuf_u8(w, r->dst_mask);
	wbuf_u16(w, 0);
}

int encode_v5_add(struct ipfix_encoder *e, const struct record *r)
{
	struct record reverse;
	if (!addr_is_v4(&r->src) || !addr_is_v4(&r->dst))
		return -EAFNOSUPPORT;
	uint32_t n = 1 + record_reverse(r, &reverse);
	if (e->n_records + n > RECORDS_MAX || wbuf_left(&e->w) < (size_t)n * NETFLOW5_RECORD_LEN)
		return -ENOSPC;
	put_record(&e->w, r);
	if (n == 2)
		put_record(&e->w, &reverse);
	e->n_records += n;
	return 0;
}

void encode_v5_header(const struct ipfix_encoder *e, struct wbuf *head, uint64_t now_ns)
{
	const struct ipfix_sampling *s = &e->sampling5;
	unsigned n = s->n > INTERVAL_MAX ? INTERVAL_MAX : s->n;
	unsigned mode = s->n > 1 ? (s->is_random ? 2u : 1u) : 0;
	wbuf_u16(head, NETFLOW5_VERSION);
	wbuf_u16(head, (uint16_t)e->n_records);
	wbuf_u32(head, (uint32_t)((now_ns - e->boot_ns) / NS_PER_MSEC));
	wbuf_u32(head, (uint32_t)(now_ns / NS_PER_SEC));
	wbuf_u32(head, (uint32_t)(now_ns % NS_PER_SEC));
	wbuf_u32(head, e->sequence);
	wbuf_u8(head, 0);
	wbuf_u8(head, (uint8_t)e->o.domain); // the engine
	wbuf_u16(head, (uint16_t)(mode << MODE_SHIFT | (mode ? n : 0)));
}
