// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/ring.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

// Each side keeps a copy of the other's index and reads the real one only when the copy says full
// or empty: the shared lines then move between cores once per lap, not once per flow.
struct flow_ring {
	alignas(64) atomic_uint head; // next to write
	uint32_t tail_seen;
	alignas(64) atomic_uint tail; // next to read
	uint32_t head_seen;
	alignas(64) uint32_t mask;
	bool wait_for_room;
	struct flow *slots;
};

struct flow_ring *flow_ring_create(uint32_t n_flows, bool wait_for_room)
{
	uint32_t n = 2;
	while (n < n_flows && n < 1u << 30)
		n *= 2;
	struct flow_ring *r = aligned_alloc(alignof(struct flow_ring), sizeof(*r));
	if (!r)
		return NULL;
	*r = (struct flow_ring){.mask = n - 1, .wait_for_room = wait_for_room};
	r->slots = aligned_alloc(alignof(struct flow), n * sizeof(*r->slots));
	if (!r->slots) {
		free(r);
		return NULL;
	}
	return r;
}

void flow_ring_free(struct flow_ring *r)
{
	if (!r)
		return;
	free(r->slots);
	free(r);
}

static __attribute__((noinline)) bool make_room(struct flow_ring *r, uint32_t head)
{
	for (;;) {
		r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
		if (head - r->tail_seen <= r->mask)
			return true;
		if (!r->wait_for_room)
			return false;
		sched_yield(); // the exporter may need this very core
	}
}

bool flow_ring_push(struct flow_ring *r, const struct flow *f)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	if (head - r->tail_seen > r->mask && !make_room(r, head))
		return false;
	r->slots[head & r->mask] = *f;
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return true;
}

void flow_ring_let_wait(struct flow_ring *r)
{
	r->wait_for_room = true;
}

uint32_t flow_ring_peek(struct flow_ring *r, uint32_t max, const struct flow **ret_flows)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	if (r->head_seen == tail)
		r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
	uint32_t n = r->head_seen - tail;
	uint32_t to_end = r->mask + 1 - (tail & r->mask);
	n = n < to_end ? n : to_end;
	*ret_flows = &r->slots[tail & r->mask];
	return n < max ? n : max;
}

void flow_ring_release(struct flow_ring *r, uint32_t n)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	atomic_store_explicit(&r->tail, tail + n, memory_order_release);
}
