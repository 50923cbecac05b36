// SPDX-License-Identifier: Apache-2.0
#include "bench/gen/conv.h"
#include "bench/gen/payload.h"
#include "lib/record/record.h"

#define SEGMENT_MAX 1380
#define SUM_AT 16

struct segment {
	bool back;
	uint8_t flags;
};

// What the k-th packet of a conversation is; data packets in the middle are drawn.
static struct segment segment_of(struct conv *c)
{
	static const struct segment opening[] = {
		{false, TCP_SYN},
		{true, TCP_SYN | TCP_ACK},
		{false, TCP_ACK},
		{false, TCP_ACK | TCP_PSH},
		{true, TCP_ACK | TCP_PSH},
	};
	static const struct segment closing[] = {
		{false, TCP_FIN | TCP_ACK},
		{true, TCP_FIN | TCP_ACK},
		{false, TCP_ACK},
	};
	uint32_t k = c->n_done, left = c->n_packets - k;

	switch (c->kind) {
	case CONV_REFUSED:
		return k ? (struct segment){true, TCP_RST | TCP_ACK} : opening[0];
	case CONV_FILTERED:
		return opening[0];
	case CONV_MIDSTREAM:
		return left == 1 ? (struct segment){true, TCP_RST} : opening[3 + k % 2];
	default:
		break;
	}
	if (k < sizeof(opening) / sizeof(*opening))
		return opening[k];
	if (c->kind == CONV_ABORTED && left == 1)
		return (struct segment){true, TCP_RST | TCP_ACK};
	if (c->kind != CONV_ABORTED && left <= 3)
		return closing[3 - left];
	uint32_t at = rng_below(&c->rng, 10);
	return (struct segment){at < 6, (uint8_t)(at < 6 || at == 9 ? TCP_ACK | TCP_PSH : TCP_ACK)};
}

static void header(struct wbuf *w, const struct conv *c, struct segment s)
{
	static const uint8_t syn_options[12] = {2, 4, 0x05, 0x64, 4, 2, 1, 1, 1, 3, 3, 7};
	bool syn = s.flags & TCP_SYN;
	wbuf_u16(w, c->port[s.back]);
	wbuf_u16(w, c->port[!s.back]);
	wbuf_u32(w, c->kind == CONV_REFUSED && s.back ? 0 : c->seq[s.back]);
	wbuf_u32(w, s.flags & TCP_ACK ? c->seq[!s.back] : 0);
	wbuf_u8(w, syn ? 8 << 4 : 5 << 4);
	wbuf_u8(w, s.flags);
	wbuf_u16(w, s.flags & TCP_RST ? 0 : 64240);
	wbuf_u32(w, 0); // checksum, urgent pointer
	if (syn)
		wbuf_bytes(w, syn_options, sizeof(syn_options));
}

static size_t draw_len(struct conv *c, bool back)
{
	if (c->plain)
		return rng_below(&c->rng, 12);
	if (back && rng_below(&c->rng, 10) < 6)
		return SEGMENT_MAX;
	return back ? rng_between(&c->rng, 20, 900) : rng_between(&c->rng, 20, 300);
}

static void data(struct wbuf *w, struct conv *c, struct segment s)
{
	bool tls = c->kind == CONV_TLS || c->kind == CONV_BEACON || c->kind == CONV_ABORTED;
	size_t len = draw_len(c, s.back);
	if (tls && c->n_done == 3)
		payload_client_hello(w, c);
	else if (tls && c->n_done == 4)
		payload_server_hello(w, c);
	else if (tls)
		payload_tls_data(w, len);
	else if (c->kind == CONV_HTTP && c->n_done == 3)
		payload_http_get(w, c);
	else if (c->kind == CONV_HTTP && c->n_done == 4)
		payload_http_ok(w);
	else
		payload_filler(w, len);
}

void conv_tcp_next(struct conv *c, struct wbuf *w, struct packet *p)
{
	struct segment s = segment_of(c);
	if (c->kind == CONV_HTTP && !s.back && c->n_done > 3)
		s.flags &= (uint8_t)~TCP_PSH; // one request, then only acknowledgements
	header(w, c, s);
	size_t start = wbuf_len(w);
	if (s.flags & TCP_PSH)
		data(w, c, s);
	if (c->kind != CONV_FILTERED) // its SYN is sent again and again
		c->seq[s.back] += (uint32_t)(wbuf_len(w) - start);
	if (c->kind != CONV_FILTERED && s.flags & (TCP_SYN | TCP_FIN))
		c->seq[s.back]++;
	p->back = s.back;
	p->sum_at = SUM_AT;
	p->pseudo = true;
}
