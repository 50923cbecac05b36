// SPDX-License-Identifier: Apache-2.0

// NetFlow v1, v5 and v7: a header, and records that are all fixed (Cisco, "NetFlow Export Datagram
// Format"). The three share most of a record, and differ behind its ports.

#include "collector/ingest/intake.h"
#include "lib/base/clock.h"
#include "lib/ipfix/wire.h"

#define RECORDS_MAX 30 // of v5; the others' records bring the datagram to its end before

struct v5_header {
	uint16_t version;
	uint16_t count;
	uint32_t uptime_ms;
	uint64_t export_ms;
	uint32_t sequence; // of flows; v1 has none
	uint16_t engine;   // v5
	uint16_t sampling; // v5: 2 bits of mode, 14 of interval
};

static struct v5_header header_of(struct buf *b)
{
	struct v5_header h = {.version = buf_u16(b)};
	h.count = buf_u16(b);
	h.uptime_ms = buf_u32(b);
	h.export_ms = buf_u32(b) * 1000ull;
	h.export_ms += buf_u32(b) / NS_PER_MSEC;
	if (h.version == NETFLOW1_VERSION)
		return h;
	h.sequence = buf_u32(b);
	h.engine = buf_u16(b);
	h.sampling = buf_u16(b);
	if (h.version == NETFLOW7_VERSION) // these bytes are reserved
		h.engine = h.sampling = 0;
	return h;
}

// Uptime wraps after 49.7 days: the stamp nearest to the header's.
static uint64_t time_of(const struct v5_header *h, uint32_t uptime_ms)
{
	int64_t ms = (int64_t)h->export_ms + (int32_t)(uptime_ms - h->uptime_ms);
	return ms > 0 ? (uint64_t)ms * NS_PER_MSEC : 0;
}

#define V1_FIELDS                                                                                  \
	(RECORD_BIT(start_ns) | RECORD_BIT(end_ns) | RECORD_BIT(src) | RECORD_BIT(dst) |           \
	 RECORD_BIT(next_hop) | RECORD_BIT(in_if) | RECORD_BIT(out_if) | RECORD_BIT(packets) |     \
	 RECORD_BIT(bytes) | RECORD_BIT(sport) | RECORD_BIT(dport) | RECORD_BIT(tcp_flags) |       \
	 RECORD_BIT(proto) | RECORD_BIT(tos))

static void decode_as(struct buf *b, struct record *r)
{
	RECORD_SET(r, src_as, buf_u16(b));
	RECORD_SET(r, dst_as, buf_u16(b));
	RECORD_SET(r, src_mask, buf_u8(b));
	RECORD_SET(r, dst_mask, buf_u8(b));
}

static void decode_rest1(struct buf *b, struct record *r)
{
	buf_skip(b, 2);
	r->proto = buf_u8(b);
	r->tos = buf_u8(b);
	r->tcp_flags = buf_u8(b);
}

static void decode_rest5(struct buf *b, struct record *r)
{
	buf_skip(b, 1);
	r->tcp_flags = buf_u8(b);
	r->proto = buf_u8(b);
	r->tos = buf_u8(b);
	decode_as(b, r);
}

static void decode_row(const struct v5_header *h, const uint8_t *row, size_t len, struct record *r)
{
	struct buf b = buf_of(row + 12, len - 12);
	memset(r, 0, sizeof(*r));
	r->set = V1_FIELDS;
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
	if (h->version == NETFLOW1_VERSION)
		decode_rest1(&b, r);
	else // v7 has a byte of flags where v5 pads, and the router behind it all
		decode_rest5(&b, r);
	if (r->proto == IPFIX_PROTO_ICMP) {
		RECORD_SET(r, icmp_type, (uint8_t)(r->dport >> 8));
		RECORD_SET(r, icmp_code, (uint8_t)r->dport);
	}
	if (h->sampling & 0x3fff)
		RECORD_SET(r, sampling, h->sampling & 0x3fff);
}

// Bytes behind the records are some exporters' padding; records that are not there are not.
static size_t row_len(const struct v5_header *h, size_t left)
{
	size_t n = h->count;
	if (n == 0)
		return 0;
	if (h->version == NETFLOW5_VERSION)
		return n <= RECORDS_MAX && left >= n * NETFLOW5_RECORD_LEN ? NETFLOW5_RECORD_LEN
									   : 0;
	if (h->version == NETFLOW7_VERSION)
		return left >= n * NETFLOW7_RECORD_LEN ? NETFLOW7_RECORD_LEN : 0;
	if (left == n * NETFLOW1_RECORD_LEN_LONG)
		return NETFLOW1_RECORD_LEN_LONG;
	return left >= n * NETFLOW1_RECORD_LEN ? NETFLOW1_RECORD_LEN : 0;
}

void v5_take(struct intake *in, const struct peer *p, struct buf data, uint64_t now_ns)
{
	struct v5_header h = header_of(&data);
	size_t len = data.bad ? 0 : row_len(&h, buf_left(&data));
	if (len == 0) {
		in->counts[LEDGER_bad_length]++;
		return;
	}
	struct session_key key = {.domain = h.engine, .fixed = h.version};
	struct session *s = intake_session(in, p, key, now_ns);
	if (!s)
		return;
	s->version = h.version;
	intake_clock(in, s, h.export_ms * NS_PER_MSEC, now_ns);
	if (h.version != NETFLOW1_VERSION)
		intake_sequence(in, s, h.sequence, h.count, now_ns);
	for (unsigned i = 0; i < h.count; i++) {
		struct record r;
		decode_row(&h, data.p + i * len, len, &r);
		intake_add(in, s, &r, now_ns);
	}
}
