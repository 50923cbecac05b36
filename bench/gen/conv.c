// SPDX-License-Identifier: Apache-2.0
#include "bench/gen/conv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CLIENTS_MIN 16
#define CLIENTS_MAX 65536
#define FLOWS_PER_CLIENT 25
#define SERVERS 1200
#define PORT_FIRST 1024
#define LASTS_MAX_US 240000000ull // below the usual active timeout of 300 s
#define RTT_MAX_US 40000
#define PAUSE_MAX_US 14000000ull // two of them stay below the usual idle timeout of 30 s

struct kind {
	uint8_t proto;
	uint16_t port;
	uint16_t share, plain_share; // of a thousand conversations
	uint8_t least;		     // packets
	uint8_t head, tail;	     // packets that answer the one before at once, at either end
	bool elastic;		     // may have more
	bool denied, malicious;
	void (*next)(struct conv *c, struct wbuf *w, struct packet *p);
};

static const struct kind kinds[CONV_KINDS] = {
	[CONV_TLS] = {6, 443, 330, 600, 10, 5, 2, true, .next = conv_tcp_next},
	[CONV_HTTP] = {6, 80, 90, 0, 9, 5, 2, true, .next = conv_tcp_next},
	[CONV_BULK] = {6, 9100, 30, 0, 10, 5, 2, true, .next = conv_tcp_next},
	[CONV_BEACON] = {6, 443, 8, 8, 10, 5, 2, .malicious = true, .next = conv_tcp_next},
	[CONV_REFUSED] = {6, 8080, 60, 32, 2, 2, 0, .denied = true, .next = conv_tcp_next},
	[CONV_ABORTED] = {6, 993, 20, 0, 8, 5, 0, true, .next = conv_tcp_next},
	[CONV_FILTERED] = {6, 3389, 20, 0, 3, 0, 0, .next = conv_tcp_next},
	[CONV_MIDSTREAM] = {6, 9101, 5, 0, 4, 0, 0, .denied = true, .next = conv_tcp_next},
	[CONV_DNS] = {17, 53, 270, 360, 2, 2, 0, .next = conv_udp_next},
	[CONV_NTP] = {17, 123, 30, 0, 2, 2, 0, .next = conv_udp_next},
	[CONV_QUIC] = {17, 443, 100, 0, 4, 2, 0, true, .next = conv_udp_next},
	[CONV_ECHO] = {1, 0, 30, 0, 2, 2, 0, true, .next = conv_echo_next},
	[CONV_SCTP] = {132, 36500, 4, 0, 11, 5, 2, .next = conv_sctp_next},
	[CONV_ESP] = {50, 0, 3, 0, 2, 0, 0, true, .next = conv_esp_next},
};

// Documentation ranges (RFC 5737, RFC 3849): nobody's real address is called malicious.
static const char *const feed[] = {
	"203.0.113.7",
	"203.0.113.66",
	"203.0.113.129",
	"198.51.100.23",
	"198.51.100.200",
	"2001:db8:bad::7",
	"2001:db8:bad::c2",
};
#define FEED_N (sizeof(feed) / sizeof(*feed))

struct conv_plan {
	struct conv_options o;
	uint32_t n_clients, i, n_lone;
	uint32_t last_elastic;
	uint16_t *ports; // used so far, per client
	double weights, weights_done;
	uint64_t extra, extra_done; // packets beyond the least
	uint64_t lasts_max_us;
};

const char *conv_feed_entry(uint32_t i)
{
	return i < FEED_N ? feed[i] : NULL;
}

bool conv_is_denied(const struct conv *c)
{
	return kinds[c->kind].denied;
}

bool conv_is_malicious(const struct conv *c)
{
	return kinds[c->kind].malicious;
}

static enum conv_kind draw_kind(struct rng *r, bool plain)
{
	uint32_t at = rng_below(r, 1000);
	for (int k = 0; k < CONV_KINDS; k++) {
		uint32_t share = plain ? kinds[k].plain_share : kinds[k].share;
		if (at < share)
			return k;
		at -= share;
	}
	return CONV_TLS;
}

// How much a conversation gets of the packets there are: few get most (Pareto).
static double draw_weight(struct rng *r, enum conv_kind kind)
{
	double u = rng_unit(r);
	return kinds[kind].elastic ? 1 / (u + 0.0005) : 0;
}

static void measure(struct conv_plan *p, uint64_t *ret_least)
{
	*ret_least = 0;
	for (uint32_t i = 0; i < p->o.n_flows; i++) {
		struct rng r = rng_of(p->o.seed, i);
		enum conv_kind kind = draw_kind(&r, p->o.plain);
		*ret_least += kinds[kind].least;
		p->weights += draw_weight(&r, kind);
		if (kinds[kind].elastic)
			p->last_elastic = i;
	}
}

int conv_plan_create(const struct conv_options *o, struct conv_plan **ret_plan, uint64_t *ret_least)
{
	struct conv_plan *p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->o = *o;
	p->n_clients = o->n_flows / FLOWS_PER_CLIENT;
	p->n_clients = p->n_clients < CLIENTS_MIN ? CLIENTS_MIN : p->n_clients;
	p->n_clients = p->n_clients > CLIENTS_MAX ? CLIENTS_MAX : p->n_clients;
	p->lasts_max_us = o->duration_us / 3 < LASTS_MAX_US ? o->duration_us / 3 : LASTS_MAX_US;
	p->ports = calloc(p->n_clients, sizeof(*p->ports));

	int ret = p->ports ? 0 : -ENOMEM;
	if (ret == 0) {
		measure(p, ret_least);
		ret = o->n_packets >= *ret_least && p->weights > 0 ? 0 : -ERANGE;
	}
	if (ret < 0) {
		conv_plan_free(p);
		return ret;
	}
	p->extra = o->n_packets - *ret_least;
	*ret_plan = p;
	return 0;
}

void conv_plan_free(struct conv_plan *p)
{
	if (p)
		free(p->ports);
	free(p);
}

static struct addr v4(uint32_t host_order)
{
	uint32_t be = htobe32(host_order);
	return addr_of_v4(&be);
}

// 2001:db8:<net>::<i>
static struct addr v6(uint16_t net, uint32_t i)
{
	uint8_t b[16] = {0x20, 0x01, 0x0d, 0xb8};
	struct wbuf w = wbuf_of(b + 4, 12);
	wbuf_u16(&w, net);
	wbuf_uint(&w, 0, 6);
	wbuf_u32(&w, i);
	return addr_of_v6(b);
}

// A port of the client that it has not used before. A few clients make most of the traffic; one
// whose ports are used up leaves the work to the next.
static void draw_client(struct conv_plan *p, struct conv *c, bool is_v6)
{
	double u = rng_unit(&c->rng);
	uint32_t i = (uint32_t)(u * u * u * p->n_clients);
	for (uint32_t tries = 0; tries < p->n_clients; tries++) {
		if (p->ports[i] < UINT16_MAX - PORT_FIRST)
			break;
		i = (i + 1) % p->n_clients;
	}
	c->addr[0] = is_v6 ? v6(0xc, i + 256) : v4(0x0a000000 + i + 256);
	c->port[0] = (uint16_t)(PORT_FIRST + p->ports[i]++);
}

static void draw_server(struct conv_plan *p, struct conv *c, bool is_v6)
{
	double u = rng_unit(&c->rng);
	c->port[1] = kinds[c->kind].port;
	c->host = (uint32_t)(u * u * SERVERS);
	if (c->kind == CONV_BEACON) {
		c->host = rng_below(&c->rng, FEED_N);
		while ((strchr(feed[c->host], ':') != NULL) != is_v6)
			c->host = (c->host + 1) % FEED_N;
		int ret = addr_parse(feed[c->host], &c->addr[1]);
		assert(ret == 0);
		(void)ret;
		return;
	}
	if (c->port[1] == 0) { // no ports: the pair of addresses must be new
		c->host = p->n_lone++;
		c->port[0] = 0;
		c->addr[1] = is_v6 ? v6(0xe, c->host + 1) : v4(0x64400001 + c->host % 0x3ffffe);
		return;
	}
	c->addr[1] = is_v6 ? v6(0x5, c->host + 1) : v4(0xc6120001 + c->host);
}

static void draw_tags(struct conv *c)
{
	uint32_t at = rng_below(&c->rng, 1000);
	if (at < 100)
		c->vlan = (uint16_t)(10 + at % 8);
	if (at < 10)
		c->cvlan = (uint16_t)(100 + at);
	c->ip_extra = rng_below(&c->rng, 100) == 0;
}

// Pauses in a conversation: packets that answer at once make none.
static uint64_t n_steps(const struct conv *c)
{
	const struct kind *k = &kinds[c->kind];
	return c->n_packets - k->head - k->tail + 1;
}

static void draw_time(struct conv_plan *p, struct conv *c)
{
	uint64_t most = n_steps(c) * PAUSE_MAX_US;
	most = most < p->lasts_max_us ? most : p->lasts_max_us;
	double u = rng_unit(&c->rng);
	c->duration_us = (uint64_t)((double)most * u * u * u) + c->n_packets * 20ull;
	c->duration_us = c->duration_us < p->lasts_max_us ? c->duration_us : p->lasts_max_us;

	double slot = (double)(p->o.duration_us - p->lasts_max_us) / p->o.n_flows;
	c->rtt_us = rng_between(&c->rng, 200, RTT_MAX_US);
	c->start_us = p->o.start_us + (uint64_t)(slot * (p->i + rng_unit(&c->rng)));
}

bool conv_plan_next(struct conv_plan *p, struct conv *ret_conv)
{
	if (p->i >= p->o.n_flows)
		return false;
	struct conv *c = ret_conv;
	*c = (struct conv){.rng = rng_of(p->o.seed, p->i), .plain = p->o.plain};
	c->kind = draw_kind(&c->rng, p->o.plain);
	p->weights_done += draw_weight(&c->rng, c->kind);
	bool is_v6 = !p->o.plain && rng_below(&c->rng, 4) == 0;
	c->proto = kinds[c->kind].proto;
	if (c->kind == CONV_ECHO && is_v6)
		c->proto = 58;

	c->n_packets = kinds[c->kind].least;
	if (kinds[c->kind].elastic) {
		// Shares are cut from the running sum, so that they add up to the whole exactly.
		uint64_t until = (uint64_t)((double)p->extra * (p->weights_done / p->weights));
		until = p->i == p->last_elastic ? p->extra : until;
		c->n_packets += (uint32_t)(until - p->extra_done);
		p->extra_done = until;
	}
	draw_client(p, c, is_v6);
	draw_server(p, c, is_v6);
	if (!p->o.plain)
		draw_tags(c);
	draw_time(p, c);
	c->seq[0] = (uint32_t)rng_next(&c->rng);
	c->seq[1] = (uint32_t)rng_next(&c->rng);
	p->i++;
	return true;
}

// Even steps with some jitter, but handshakes go as fast as the round trip allows.
uint64_t conv_time_us(struct conv *c)
{
	const struct kind *k = &kinds[c->kind];
	uint64_t step = c->duration_us / n_steps(c);
	uint64_t n = c->n_done > k->head ? c->n_done - k->head : 0;
	uint64_t at_us = c->start_us + n * step + rng_next(&c->rng) % (step + 1);
	bool answers = c->n_done < k->head || c->n_done + k->tail >= c->n_packets;
	if (c->n_done == 0)
		at_us = c->start_us;
	else if (answers)
		at_us = c->last_us + c->rtt_us;
	else if (at_us <= c->last_us) // the handshake took longer than a step
		at_us = c->last_us + 1;
	c->last_us = at_us;
	return at_us;
}

void conv_next(struct conv *c, struct packet *ret_packet)
{
	struct wbuf w = wbuf_of(ret_packet->l4, sizeof(ret_packet->l4));
	ret_packet->sum_at = -1;
	ret_packet->pseudo = false;
	ret_packet->back = false;
	kinds[c->kind].next(c, &w, ret_packet);
	assert(!w.full);
	ret_packet->len = wbuf_len(&w);
	c->n_done++;
}
