// SPDX-License-Identifier: Apache-2.0

// NetFlow v5: a header of 24 bytes and up to 30 records of 48, all fixed (Cisco, "NetFlow Export
// Datagram Format").

#include "collector/ingest/intake.h"
#include "lib/base/clock.h"
#include "lib/ipfix/wire.h"

#define RECORDS_MAX 30

struct v5_header {
	uint16_t count;
	uint32_t uptime_ms;
	uint64_t export_ms;
	uint32_t sequence;
	uint16_t engine;
	uint16_t sampling; // 2 bits of mode, 14 of interval
};

static struct v5_header header_of(struct buf *b)
{
	struct v5_header h;
	buf_skip(b, 2);
	h.count = buf_u16(b);
	h.uptime_ms = buf_u32(b);
	h.export_ms = buf_u32(b) * 1000ull;
	h.export_ms += buf_u32(b) / NS_PER_MSEC;
	h.sequence = buf_u32(b);
	h.engine = buf_u16(b);
	h.sampling = buf_u16(b);
	return h;
}

// Uptime wraps after 49.7 days: the stamp nearest to the header's.
static uint64_t time_of(const struct v5_header *h, uint32_t uptime_ms)
{
	int64_t ms = (int64_t)h->export_ms + (int32_t)(uptime_ms - h->uptime_ms);
	return ms > 0 ? (uint64_t)ms * NS_PER_MSEC : 0;
}

#define V5_FIELDS                                                                                  \
	(RECORD_BIT(start_ns) | RECORD_BIT(end_ns) | RECORD_BIT(src) | RECORD_BIT(dst) |           \
	 RECORD_BIT(next_hop) | RECORD_BIT(in_if) | RECORD_BIT(out_if) | RECORD_BIT(packets) |     \
	 RECORD_BIT(bytes) | RECORD_BIT(sport) | RECORD_BIT(dport) | RECORD_BIT(tcp_flags) |       \
	 RECORD_BIT(proto) | RECORD_BIT(tos) | RECORD_BIT(src_as) | RECORD_BIT(dst_as) |           \
	 RECORD_BIT(src_mask) | RECORD_BIT(dst_mask))

static void decode_row(const struct v5_header *h, const uint8_t *row, struct record *r)
{
	struct buf b = buf_of(row + 12, NETFLOW5_RECORD_LEN - 12);
	memset(r, 0, sizeof(*r));
	r->set = V5_FIELDS;
	r->src = addr_of_v4(row);
	r->dst = addr_of_v4(row + 4);
	r->next_hop = addr_of_v4(row + 8);
	r->in_if = buf_u16(&b);
	r->out_if = buf_u16(&b);
	r->packets = buf_u32(&b);
	r->bytes = buf_u32(&b);
	r->start_ns = time_of(h, buf_u32(&b));
	r->end_ns = time_of(h, buf_u32(&b));
	r->sport = buf_u16(&b);
	r->dport = buf_u16(&b);
	buf_skip(&b, 1);
	r->tcp_flags = buf_u8(&b);
	r->proto = buf_u8(&b);
	r->tos = buf_u8(&b);
	r->src_as = buf_u16(&b);
	r->dst_as = buf_u16(&b);
	r->src_mask = buf_u8(&b);
	r->dst_mask = buf_u8(&b);
	if (r->proto == IPFIX_PROTO_ICMP) {
		RECORD_SET(r, icmp_type, (uint8_t)(r->dport >> 8));
		RECORD_SET(r, icmp_code, (uint8_t)r->dport);
	}
	if (h->sampling & 0x3fff)
		RECORD_SET(r, sampling, h->sampling & 0x3fff);
}

void v5_take(struct intake *in, const struct peer *p, struct buf data, uint64_t now_ns)
{
	if (buf_left(&data) < NETFLOW5_HEADER_LEN) {
		in->counts[LEDGER_bad_length]++;
		return;
	}
	struct v5_header h = header_of(&data);
	// Bytes behind the records are some exporters' padding; records that are not there are not.
	if (h.count == 0 || h.count > RECORDS_MAX ||
	    buf_left(&data) < h.count * (size_t)NETFLOW5_RECORD_LEN) {
		in->counts[LEDGER_bad_length]++;
		return;
	}
	struct session_key key = {.domain = h.engine, .is_v5 = 1};
	struct session *s = intake_session(in, p, key, now_ns);
	if (!s)
		return;
	s->version = NETFLOW5_VERSION;
	intake_clock(in, s, h.export_ms * NS_PER_MSEC, now_ns);
	intake_sequence(in, s, h.sequence, h.count, now_ns);
	for (unsigned i = 0; i < h.count; i++) {
		struct record r;
		decode_row(&h, data.p + i * (size_t)NETFLOW5_RECORD_LEN, &r);
		intake_add(in, s, &r, now_ns);
	}
}
