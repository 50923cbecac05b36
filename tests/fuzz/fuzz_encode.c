// SPDX-License-Identifier: Apache-2.0

// The encoder against the decoder: records come back as they went. Input: enum how (1), then
// records: which members are given (8), their values, texts with their length in front (1).

#include "lib/base/utf8.h"
#include "lib/ipfix/decode.h"
#include "lib/ipfix/encode.h"
#include "lib/ipfix/wire.h"
#include "tests/fuzz/rows.h"

#include <stdlib.h>

#define NOW (1700000000 * NS_PER_SEC)
#define RECORDS_MAX 64
#define EXACT_MAX ((1ull << 31) * NS_PER_SEC) // a decoder may take later NTP times for others

enum how {
	HOW_LARGE = 1,
	HOW_EXACT = 2,
	HOW_ORIGIN = 4,
	HOW_V9 = 8,
	HOW_TEMPLATES = 16,
	HOW_UNIFLOW = 32,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t how;
static struct record sent[2 * RECORDS_MAX]; // room for the index of uniflows
static unsigned n_sent, n_back;

// Text ends before the zeros that may pad it, and is UTF-8.
static struct record_str text_of(const uint8_t *p, size_t len)
{
	while (len && p[len - 1] == 0)
		len--;
	return (struct record_str){(const char *)p, (uint16_t)(utf8_is_valid(p, len) ? len : 0)};
}

static void take_member(struct buf *b, struct record *r, enum record_field f)
{
	const struct record_field_info *info = &record_fields[f];
	void *to = (char *)r + info->offset;
	size_t len = info->type == RECORD_TYPE_STR ? buf_u8(b) : info->width;
	const uint8_t *p = buf_take(b, len);
	if (!p)
		return;
	if (info->type == RECORD_TYPE_STR)
		*(struct record_str *)to = text_of(p, len);
	else
		memcpy(to, p, len);
	r->set |= 1ull << f;
}

static bool is_sent(int f)
{
	bool is_origin = f == FIELD_exporter || f == FIELD_domain || f == FIELD_sampling;
	return record_fields[f].ie || (is_origin && how & HOW_ORIGIN);
}

// 0 is no time on the wire.
static uint64_t wire_time(uint64_t ns)
{
	ns = how & HOW_EXACT ? ns % EXACT_MAX : ns / NS_PER_MSEC * NS_PER_MSEC;
	return ns < NS_PER_MSEC ? NS_PER_MSEC : ns;
}

// A record of what the wire can carry.
static struct record take_record(struct buf *b)
{
	struct record r = {};
	uint64_t given = buf_u64(b);
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		if (given >> f & 1 && is_sent(f))
			take_member(b, &r, (enum record_field)f);
	}
	RECORD_SET(&r, start_ns, wire_time(r.start_ns));
	RECORD_SET(&r, end_ns, wire_time(r.end_ns));
	r.tcp_flags &= 0x0fff; // RFC 9565
	r.rev_tcp_flags &= 0x0fff;
	r.mpls_label &= 0xfffff;
	r.tunnel_id &= (1ull << 56) - 1;
	r.set |= RECORD_BIT(icmp_type); // or the port is taken for it
	return r;
}

// In an IPv4 template no address is 0.0.0.0, in an IPv6 one it is ::.
static void restore_none(struct addr *back, const struct addr *a)
{
	static const struct addr no_v4 = {{[10] = 0xff, 0xff}}, none;
	if (addr_eq(back, &no_v4) && addr_eq(a, &none))
		*back = none;
}

// Small messages may have room for a part of a text only.
static void restore_cut(struct record_str *back, const struct record_str *s)
{
	assert(back->len <= s->len && (!back->len || memcmp(back->p, s->p, back->len) == 0));
	*back = *s;
}

static void compare(const struct record *back)
{
	struct record *s = &sent[n_back++], r = *back;
	if (how & (HOW_V9 | HOW_UNIFLOW)) // says less, or says it in two records
		return;
	assert(n_back <= n_sent);
	if (s->proto != IPFIX_PROTO_ICMP && s->proto != IPFIX_PROTO_ICMP6)
		s->icmp_type = s->icmp_code = 0; // says nothing
	restore_none(&r.next_hop, &s->next_hop);
	restore_none(&r.exporter, &s->exporter);
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		size_t at = record_fields[f].offset;
		if (record_fields[f].type == RECORD_TYPE_STR && !(how & HOW_LARGE))
			restore_cut(
				(void *)((char *)&r + at), (const void *)((const char *)s + at)
			);
		assert(record_member_equal(s, &r, (enum record_field)f));
	}
}

static void decode(struct ipfix_domain *d, const uint8_t *bytes, size_t len, uint32_t n_records)
{
	static struct ipfix_reader reader;
	struct buf b = buf_of(bytes, len);
	struct ipfix_message m;
	struct record *r;
	assert(ipfix_message_parse(&b, NOW, &m) == IPFIX_OK && buf_left(&b) == 0);
	ipfix_reader_init(&reader, d, &m);
	while ((r = ipfix_reader_next(&reader)))
		compare(r);
	assert(reader.n_records == n_records && !reader.n_unread && !reader.is_malformed);
}

static void finish(struct ipfix_encoder *e, struct ipfix_domain *d)
{
	const uint8_t *message;
	uint32_t n;
	size_t len = ipfix_encoder_finish(e, NOW, &message, &n);
	if (len)
		decode(d, message, len, n);
	assert(how & HOW_UNIFLOW ? n_back >= n_sent && n_back <= 2 * n_sent : n_back == n_sent);
	n_sent = n_back = 0;
}

static void run(struct ipfix_encoder *e, struct ipfix_domain *d, struct buf *b)
{
	const uint8_t *message;
	n_sent = n_back = 0;
	if (how & HOW_TEMPLATES) {
		size_t len = ipfix_encoder_templates(e, NOW, &message);
		decode(d, message, len, 0);
	}
	while (buf_left(b)) {
		struct record r = take_record(b);
		if (n_sent == RECORDS_MAX || ipfix_encoder_add(e, &r) < 0) {
			finish(e, d);
			assert(ipfix_encoder_add(e, &r) == 0);
		}
		sent[n_sent++] = r;
	}
	finish(e, d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = buf_of(data, size);
	struct ipfix_limits limits = {.templates = 128, .fields = 64, .weir_pen = PEN_WEIR};
	struct ipfix_budget budget = {.max = 1 << 20};
	struct ipfix_domain *d = ipfix_domain_create(&limits, &budget);
	struct ipfix_encoder *e;
	how = buf_u8(&b);
	struct ipfix_encoder_options o = {
		.max_len = how & HOW_LARGE ? 65535 : 1400,
		.biflow = !(how & HOW_UNIFLOW),
		.version = how & HOW_V9 ? NETFLOW9_VERSION : IPFIX_VERSION,
		.exact_times = how & HOW_EXACT,
		.origin = how & HOW_ORIGIN,
		.has_entity = how & HOW_ORIGIN,
	};
	if (!d || ipfix_encoder_create(&o, &e) < 0)
		abort();
	run(e, d, &b);
	ipfix_encoder_free(e);
	ipfix_domain_free(d);
	assert(budget.used == 0);
	return 0;
}
