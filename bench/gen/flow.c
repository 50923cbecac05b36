// SPDX-License-Identifier: Apache-2.0
#include "bench/gen/flow.h"

#include "bench/gen/rng.h"
#include "lib/base/buf.h"
#include "lib/record/record.h"

#define CLIENTS 20000
#define SERVERS 4000

static const struct {
	uint8_t proto;
	uint16_t port, share; // of a thousand
} services[] = {
	{6, 443, 420},
	{6, 80, 90},
	{6, 22, 30},
	{6, 25, 20},
	{6, 8080, 40},
	{17, 53, 250},
	{17, 123, 30},
	{17, 443, 80},
	{1, 0, 20},
	{47, 0, 10},
	{50, 0, 10},
};

static struct addr host(bool v6, uint16_t net, uint32_t i)
{
	uint8_t b[16] = {0x20, 0x01, 0x0d, 0xb8};
	struct wbuf w = wbuf_of(b + 4, 12);
	wbuf_u16(&w, net);
	wbuf_uint(&w, 0, 6);
	wbuf_u32(&w, i + 1);
	uint32_t v4 = htobe32((net == 1 ? 0x0a010000u : 0xc6130000u) + i);
	return v6 ? addr_of_v6(b) : addr_of_v4(&v4);
}

static uint32_t skewed(struct rng *r, uint32_t n)
{
	double u = rng_unit(r);
	return (uint32_t)(u * u * u * n);
}

static uint8_t draw_tcp_flags(struct rng *r)
{
	uint32_t at = rng_below(r, 100);
	if (at < 6)
		return TCP_RST | TCP_ACK; // refused: denied
	if (at < 9)
		return TCP_SYN | TCP_ACK | TCP_PSH | TCP_RST; // reset after it was open: allowed
	return at < 20 ? TCP_SYN : TCP_SYN | TCP_ACK | TCP_PSH | TCP_FIN;
}

void flow_draw(uint64_t seed, uint64_t i, uint64_t start_ms, bool v4_only, struct flow *ret_flow)
{
	struct rng r = rng_of(seed, i);
	uint32_t at = rng_below(&r, 1000);
	size_t k = 0;
	while (at >= services[k].share)
		at -= services[k++].share;
	bool v6 = rng_below(&r, 4) == 0 && !v4_only;
	uint8_t proto = services[k].proto;
	double u = rng_unit(&r);
	uint64_t packets = (uint64_t)(1 / (u + 0.0001));

	*ret_flow = (struct flow){
		.t =
			{
				.src = host(v6, 1, skewed(&r, CLIENTS)),
				.dst = host(v6, 2, skewed(&r, SERVERS)),
				.dport = services[k].port,
				.sport = services[k].port ? (uint16_t)rng_between(&r, 1024, 65535)
							  : 0,
				.proto = v6 && proto == 1 ? 58 : proto,
				.packets = {packets},
				.bytes = {packets * rng_between(&r, 40, 1500)},
				.start_us = start_ms * 1000,
			},
		.tcp_flags = proto == 6 ? draw_tcp_flags(&r) : 0,
		.tos = (uint8_t)(rng_below(&r, 8) << 5),
		.in_if = rng_between(&r, 1, 8),
		.out_if = rng_between(&r, 1, 8),
		.src_as = rng_between(&r, 64512, 64600),
		.dst_as = rng_between(&r, 64512, 64600),
	};
	uint32_t lasts_ms = packets > 1 ? rng_below(&r, FLOW_LASTS_MAX_MS) : 0;
	ret_flow->t.end_us = (start_ms + lasts_ms) * 1000;
	ret_flow->t.denied = ret_flow->tcp_flags & TCP_RST && !(ret_flow->tcp_flags & TCP_SYN);
}
