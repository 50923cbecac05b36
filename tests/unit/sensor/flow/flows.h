// SPDX-License-Identifier: Apache-2.0
#pragma once

// A flow table with its ring, packets to put into it, and the flows that come out.

#include "lib/base/clock.h"
#include "lib/record/record.h"
#include "sensor/flow/table.h"
#include "tests/unit/cmocka.h"

#include <string.h>

#define T0 (1700000000 * NS_PER_SEC)
#define IDLE_NS (30 * NS_PER_SEC)
#define ACTIVE_NS (300 * NS_PER_SEC)
#define FLOWS_RING 65536

#ifdef __SANITIZE_THREAD__ // ten times as slow, and these tests have but one thread
#define FLOWS_SHARE 8
#else
#define FLOWS_SHARE 1
#endif

struct flows {
	struct flow_table *table;
	struct flow_ring *ring;
};

static inline struct flow_table_options flows_options(void)
{
	return (struct flow_table_options){
		.n_flows = 1000,
		.idle_ns = IDLE_NS,
		.active_ns = ACTIVE_NS,
		.key_vlan = true,
		.key_tunnel = true,
	};
}

static inline void flows_close(struct flows *f)
{
	flow_table_free(f->table);
	flow_ring_free(f->ring);
	*f = (struct flows){0};
}

// Opens (anew) with other options than the usual ones; `o->out` is ours.
static inline void flows_open(struct flows *f, struct flow_table_options *o)
{
	flows_close(f);
	f->ring = flow_ring_create(FLOWS_RING, false);
	assert_non_null(f->ring);
	o->out = f->ring;
	assert_int_equal(flow_table_create(o, &f->table), 0);
}

static inline struct addr flows_host(uint32_t host)
{
	uint8_t b[4] = {10, (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host};
	return addr_of_v4(b);
}

// A packet of 100 bytes from one numbered host to another at T0, port 1000 to port 80.
static inline struct packet flows_packet(uint32_t src, uint32_t dst, uint8_t proto)
{
	return (struct packet){
		.time_ns = T0,
		.bytes = 100,
		.src = flows_host(src),
		.dst = flows_host(dst),
		.sport = 1000,
		.dport = 80,
		.proto = proto,
		.macs = {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2},
	};
}

// The same packet from the other end.
static inline struct packet flows_answer(const struct packet *p)
{
	struct packet a = *p;
	a.src = p->dst;
	a.dst = p->src;
	a.sport = p->dport;
	a.dport = p->sport;
	memcpy(a.macs, p->macs + 6, 6);
	memcpy(a.macs + 6, p->macs, 6);
	return a;
}

static inline void flows_put(struct flows *f, const struct packet *p)
{
	struct flow_probe probe;
	flow_table_probe(f->table, p, 1, &probe);
	struct flow *flow;
	flow_table_update(f->table, p, 1, &probe, &flow);
}

static inline void flows_put_at(struct flows *f, struct packet p, uint64_t time_ns)
{
	p.time_ns = time_ns;
	flows_put(f, &p);
}

// The next flow that ended; false when there is none.
static inline bool flows_next(struct flows *f, struct flow *ret_flow)
{
	const struct flow *at;
	if (flow_ring_peek(f->ring, 1, &at) == 0)
		return false;
	*ret_flow = *at;
	flow_ring_release(f->ring, 1);
	return true;
}

static inline unsigned flows_n_ended(struct flows *f)
{
	struct flow ended;
	unsigned n = 0;
	while (flows_next(f, &ended))
		n++;
	return n;
}

// The only flow that ended, for the reason.
static inline struct flow flows_only(struct flows *f, enum flow_end reason)
{
	struct flow ended = {};
	assert_true(flows_next(f, &ended));
	assert_int_equal(ended.end_reason, reason);
	assert_int_equal(flows_n_ended(f), 0);
	return ended;
}

// Flushes, and the only flow there was.
static inline struct flow flows_flushed(struct flows *f)
{
	flow_table_flush(f->table);
	return flows_only(f, FLOW_END_FORCED);
}

static inline struct addr flows_initiator(const struct flow *f)
{
	return f->forward_is_high ? f->key.high : f->key.low;
}

// Calls expire every `step_ns` until `to_ns`, as a worker's turns do.
static inline void flows_expire(struct flows *f, uint64_t from_ns, uint64_t to_ns, uint64_t step_ns)
{
	for (uint64_t now = from_ns; now < to_ns; now += step_ns)
		flow_table_expire(f->table, now);
	flow_table_expire(f->table, to_ns);
}

// A number below n from a fixed sequence.
static inline uint32_t flows_below(uint32_t n)
{
	static uint64_t state = 0x9e3779b97f4a7c15;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) * n >> 32);
}
