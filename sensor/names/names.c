// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/names.h"

#include "sensor/names/dns.h"
#include "sensor/names/http.h"
#include "sensor/names/ja4.h"
#include "sensor/names/text.h"
#include "sensor/packet/packet.h"

#include <errno.h>
#include <stdlib.h>

#define CREDIT_MAX_NS 10000000 // of time, that a burst may use at once

// What a look costs, for max_permille; measured by bench/sensor_names_bench.
static const uint32_t cost_ns[NAMES_N_KINDS] = {
	[NAMES_TLS] = 1000,
	[NAMES_QUIC] = 4000,
	[NAMES_DNS] = 100,
	[NAMES_HTTP] = 100,
	[NAMES_DTLS] = 1200,
};

struct names {
	struct names_options options;
	struct crypt *crypt;
	struct pool pool;
	uint64_t now_ns;
	int64_t credit; // ns × 1000
	struct names_counters counters;
	struct tls_scratch tls;
	struct quic_scratch quic;
};

const struct names_info names_infos[] = {
#define COUNTER(name, unit, text)
#define KIND(symbol, name, text)                                                                   \
	{name, "names", text, offsetof(struct names_counters, found[NAMES_##symbol])},             \
		{name "_malformed",                                                                \
		 "packets",                                                                        \
		 "no " name " though they begin like it",                                          \
		 offsetof(struct names_counters, malformed[NAMES_##symbol])},
#include "sensor/names/names.def"
#undef KIND
#undef COUNTER
#define KIND(symbol, name, text)
#define COUNTER(name, unit, text) {#name, unit, text, offsetof(struct names_counters, name)},
#include "sensor/names/names.def"
#undef KIND
#undef COUNTER
};
const size_t names_n_infos = sizeof(names_infos) / sizeof(names_infos[0]);

void names_free(struct names *n)
{
	if (!n)
		return;
	crypt_free(n->crypt);
	pool_fini(&n->pool);
	free(n);
}

int names_create(const struct names_options *o, struct names **ret_names)
{
	if (o->max_bytes < 512 || o->max_bytes > TLS_MESSAGE_MAX || o->max_segments < 1 ||
	    o->max_packets < 1 || o->max_permille > 1000)
		return -ERANGE;
	struct names *n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->options = *o;
	n->credit = (int64_t)CREDIT_MAX_NS * o->max_permille;
	int ret = pool_init(&n->pool, o->n_flows, o->max_bytes);
	if (ret == 0)
		ret = crypt_create(&n->crypt);
	if (ret < 0) {
		names_free(n);
		return ret;
	}
	*ret_names = n;
	return 0;
}

const struct names_counters *names_counters(const struct names *n)
{
	return &n->counters;
}

void names_turn(struct names *n, uint64_t now_ns)
{
	int64_t max = (int64_t)CREDIT_MAX_NS * n->options.max_permille;
	uint64_t passed = now_ns > n->now_ns ? now_ns - n->now_ns : 0;
	passed = passed < CREDIT_MAX_NS ? passed : CREDIT_MAX_NS;
	n->credit += (int64_t)passed * n->options.max_permille;
	n->credit = n->credit < max ? n->credit : max;
	n->now_ns = now_ns;
}

static bool pay(struct names *n, enum names_kind kind)
{
	int64_t cost = (int64_t)cost_ns[kind] * 1000;
	if (n->options.max_permille == 0)
		return true;
	if (n->credit < cost)
		return false;
	n->credit -= cost;
	return true;
}

// --- results -------------------------------------------------------------------------------------

static void put_hello(enum names_kind kind, const struct tls_hello *h, struct names_result *r)
{
	enum ja4_protocol protocol = kind == NAMES_QUIC	  ? JA4_QUIC
				     : kind == NAMES_DTLS ? JA4_DTLS
							  : JA4_TLS;
	memset(r, 0, offsetof(struct names_result, server));
	r->kind = (uint8_t)kind;
	struct text t = text_of(r->server, sizeof(r->server));
	text_put_host(&t, h->server_name.p, buf_left(&h->server_name));
	r->server_len = (uint8_t)t.len;
	r->flags = (uint8_t)((t.cut ? NAMES_CUT : 0) | (h->has_ech ? NAMES_ECH : 0));
	t = text_of(r->alpn, sizeof(r->alpn));
	text_put(&t, TEXT_PLAIN, h->alpn.p, buf_left(&h->alpn));
	r->alpn_len = (uint8_t)t.len;
	r->ja4_len = ja4_format(protocol, h, r->ja4) ? JA4_LEN : 0;
}

// Parses the beginning of a stream.
static enum look
parse_stream(struct names *n, enum names_kind kind, struct buf stream, struct names_result *r)
{
	struct tls_hello hello;
	enum look look;
	switch (kind) {
	case NAMES_TLS:
		look = tls_stream_parse(stream, n->options.max_bytes, &n->tls, &hello);
		if (look == LOOK_FOUND)
			put_hello(kind, &hello, r);
		return look;
	case NAMES_DNS:
		return dns_stream_parse(stream, n->options.max_bytes, r);
	case NAMES_HTTP:
		return http_parse(stream, r);
	default:
		return LOOK_NOTHING;
	}
}

// Adds a datagram to what is gathered.
static enum look parse_datagram(
	struct names *n, struct held *h, const struct names_packet *p, struct names_result *r
)
{
	struct buf datagram = buf_of(p->payload, p->len);
	struct assembly *a = &h->bytes;
	struct tls_hello hello;
	enum look look;
	if (h->kind == NAMES_DTLS) {
		look = dtls_datagram_parse(datagram, a, &h->sequence, &hello);
	} else {
		look = quic_datagram_parse(datagram, n->crypt, &n->quic, &h->quic, a);
		if (look != LOOK_MORE)
			return look;
		look = tls_message_parse(a->data, assembly_ready(a), a->max, &hello);
	}
	if (look == LOOK_FOUND)
		put_hello(h->kind, &hello, r);
	return look;
}

// --- stages --------------------------------------------------------------------------------------

void names_end_held(struct names *n, struct names_flow *f)
{
	pool_release(&n->pool, pool_of(&n->pool, f));
	n->counters.gave_up++;
}

static void done(struct names *n, struct names_flow *f)
{
	if (f->stage == NAMES_HELD)
		pool_release(&n->pool, pool_of(&n->pool, f));
	f->stage = NAMES_DONE;
}

// After a look that does not wait for more. A DNS flow has further messages: answers, and the same
// question for the other kind of address.
static bool conclude(struct names *n, struct names_flow *f, enum names_kind kind, enum look look)
{
	bool goes_on = kind == NAMES_DNS && f->n_packets < n->options.max_packets;
	switch (look) {
	case LOOK_FOUND:
		n->counters.found[kind]++;
		break;
	case LOOK_BAD:
		n->counters.malformed[kind]++;
		break;
	case LOOK_NOTHING:
		n->counters.other += !goes_on;
		break;
	default:
		n->counters.gave_up++;
	}
	done(n, f);
	if (goes_on)
		f->stage = NAMES_NEW;
	return look == LOOK_FOUND;
}

// The packet tells nothing; the next one may, unless this was the last to be looked at.
static bool pass(struct names *n, struct names_flow *f)
{
	if (f->n_packets < n->options.max_packets)
		return false;
	if (f->stage == NAMES_HELD)
		n->counters.gave_up++;
	else
		n->counters.other++;
	done(n, f);
	return false;
}

static void keep(struct names *n, struct held *h, struct names_flow *f)
{
	if (f->stage != NAMES_HELD)
		n->counters.pool_empty += pool_keep(&n->pool, h, f);
}

static bool too_busy(struct names *n, struct names_flow *f)
{
	n->counters.busy++;
	done(n, f);
	return false;
}

// --- TCP -----------------------------------------------------------------------------------------

static enum names_kind
kind_of_stream(const struct names_packet *p, const uint8_t *first, size_t len)
{
	bool is_dns = dns_is_port(p->sport) || dns_is_port(p->dport);
	if (is_dns && !tls_is_record(first, len))
		return NAMES_DNS;
	if (first[0] == 22)
		return NAMES_TLS;
	return first[0] >= 'A' && first[0] <= 'Z' ? NAMES_HTTP : NAMES_NONE;
}

// Puts a segment to those that are gathered; false when there are enough of them.
static bool
hold_segment(struct names *n, struct names_flow *f, struct held *h, const struct names_packet *p)
{
	int32_t at = (int32_t)(p->seq - h->base);
	uint32_t skip = at < 0 ? 0 - (uint32_t)at : 0; // sent again, with what was before
	keep(n, h, f);
	if (skip >= p->len)
		return true;
	return assembly_add(
		       &h->bytes, at < 0 ? 0 : (uint32_t)at, p->payload + skip, p->len - skip
	       ) &&
	       ++h->n_segments < n->options.max_segments &&
	       assembly_ready(&h->bytes) < h->bytes.max;
}

// A further segment of a stream that is gathered.
static bool next_segment(
	struct names *n,
	struct names_flow *f,
	struct held *h,
	const struct names_packet *p,
	struct names_result *r
)
{
	size_t before = assembly_ready(&h->bytes);
	bool has_room = hold_segment(n, f, h, p);
	size_t ready = assembly_ready(&h->bytes);
	enum look look = LOOK_MORE;
	if (ready > before) {
		if (before == 0)
			h->kind = (uint8_t)kind_of_stream(p, h->bytes.data, ready);
		if (!pay(n, h->kind))
			return too_busy(n, f);
		look = parse_stream(n, h->kind, buf_of(h->bytes.data, ready), r);
	}
	return look == LOOK_MORE && has_room ? pass(n, f) : conclude(n, f, h->kind, look);
}

// The first bytes of a stream. They are parsed where they lie; only when they are not enough they
// are gathered.
static bool first_segment(
	struct names *n, struct names_flow *f, const struct names_packet *p, struct names_result *r
)
{
	enum names_kind kind = kind_of_stream(p, p->payload, p->len);
	enum look look = LOOK_NOTHING;
	if (kind != NAMES_NONE && !pay(n, kind))
		return too_busy(n, f);
	if (kind != NAMES_NONE)
		look = parse_stream(n, kind, buf_of(p->payload, p->len), r);
	if (look == LOOK_NOTHING && f->stage == NAMES_NEW)
		return pass(n, f); // the beginning was not seen
	if (look != LOOK_MORE)
		return conclude(n, f, kind, look);
	struct held *h = pool_spare(&n->pool);
	h->kind = (uint8_t)kind;
	h->reverse = p->reverse;
	h->base = p->seq;
	return hold_segment(n, f, h, p) ? pass(n, f) : conclude(n, f, kind, look);
}

// A segment that is not the first, though the stream's beginning is known: one before it was lost
// or comes later.
static bool later_segment(struct names *n, struct names_flow *f, const struct names_packet *p)
{
	int16_t at = (int16_t)(uint16_t)(p->seq - f->at);
	if (at < 0 || at >= n->options.max_bytes)
		return pass(n, f);
	struct held *h = pool_spare(&n->pool);
	h->reverse = p->reverse;
	h->base = p->seq - (uint16_t)at;
	return hold_segment(n, f, h, p) ? pass(n, f) : conclude(n, f, NAMES_NONE, LOOK_MORE);
}

static bool look_tcp(
	struct names *n, struct names_flow *f, const struct names_packet *p, struct names_result *r
)
{
	struct names_packet shifted = *p;
	if (p->tcp_flags & TCP_SYN) {
		shifted.seq++; // the SYN itself has a number, also when there is data with it
		if (!(p->tcp_flags & TCP_ACK) && f->stage == NAMES_NEW) {
			f->at = (uint16_t)shifted.seq;
			f->stage = NAMES_SYN;
		}
	}
	if (p->len == 0)
		return false;
	f->n_packets++;
	n->counters.looked++;
	if (f->stage == NAMES_HELD) {
		struct held *h = pool_of(&n->pool, f);
		return h->reverse == p->reverse ? next_segment(n, f, h, &shifted, r) : pass(n, f);
	}
	// A server's own bytes have a name in DNS only.
	bool is_dns = dns_is_port(p->sport) || dns_is_port(p->dport);
	if (f->stage == NAMES_SYN && p->reverse && !is_dns)
		return pass(n, f);
	if (f->stage == NAMES_SYN && !p->reverse && (uint16_t)shifted.seq != f->at)
		return later_segment(n, f, &shifted);
	return first_segment(n, f, &shifted, r);
}

// --- UDP -----------------------------------------------------------------------------------------

static bool hold_datagram(
	struct names *n,
	struct names_flow *f,
	struct held *h,
	const struct names_packet *p,
	struct names_result *r
)
{
	if (!pay(n, h->kind))
		return too_busy(n, f);
	enum look look = parse_datagram(n, h, p, r);
	bool is_held = f->stage == NAMES_HELD;
	// A single datagram that cannot be read says nothing of those that are gathered already.
	if (look == LOOK_BAD && is_held) {
		n->counters.malformed[h->kind]++;
		return pass(n, f);
	}
	if (look != LOOK_MORE)
		return conclude(n, f, h->kind, look);
	keep(n, h, f);
	return pass(n, f);
}

static bool look_dns(
	struct names *n, struct names_flow *f, const struct names_packet *p, struct names_result *r
)
{
	if (!pay(n, NAMES_DNS))
		return too_busy(n, f);
	return conclude(n, f, NAMES_DNS, dns_message_parse(buf_of(p->payload, p->len), r));
}

static bool look_udp(
	struct names *n, struct names_flow *f, const struct names_packet *p, struct names_result *r
)
{
	struct held *h;
	f->n_packets++;
	n->counters.looked++;
	if (f->stage == NAMES_HELD) {
		h = pool_of(&n->pool, f);
		return h->reverse == p->reverse ? hold_datagram(n, f, h, p, r) : pass(n, f);
	}
	if (dns_is_port(p->sport) || dns_is_port(p->dport))
		return look_dns(n, f, p, r);
	bool is_quic = quic_is_initial(p->payload, p->len);
	if (!is_quic && !dtls_is_record(p->payload, p->len))
		return pass(n, f);
	h = pool_spare(&n->pool);
	h->kind = is_quic ? NAMES_QUIC : NAMES_DTLS;
	h->reverse = p->reverse;
	return hold_datagram(n, f, h, p, r);
}

bool names_look(
	struct names *n,
	struct names_flow *f,
	const struct names_packet *p,
	struct names_result *ret_result
)
{
	if (p->proto == PROTO_TCP)
		return look_tcp(n, f, p, ret_result);
	if (p->proto == PROTO_UDP && p->len > 0)
		return look_udp(n, f, p, ret_result);
	f->stage = NAMES_DONE;
	return false;
}
