// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/ring.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define EXTRA_PER_FLOW 128 // bytes, on average; a named flow has about 100, metrics take 66
#define EXTRA_HEAD 2	   // bytes of length before each

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
	uint8_t *bytes;
	uint32_t bytes_mask;
	uint32_t bytes_head; // of the producer
	alignas(64) atomic_uint bytes_tail;
};

struct flow_ring *flow_ring_create(uint32_t n_flows, bool wait_for_room)
{
	uint32_t n = 2;
	while (n < n_flows && n < 1u << 25)
		n *= 2;
	struct flow_ring *r = aligned_alloc(alignof(struct flow_ring), sizeof(*r));
	if (!r)
		return NULL;
	*r = (struct flow_ring){.mask = n - 1, .wait_for_room = wait_for_room};
	r->slots = aligned_alloc(alignof(struct flow), n * sizeof(*r->slots));
	uint32_t n_bytes = n * EXTRA_PER_FLOW;
	if (n_bytes < 4 * FLOW_EXTRA_MAX)
		n_bytes = 4 * FLOW_EXTRA_MAX;
	r->bytes_mask = n_bytes - 1;
	r->bytes = malloc(n_bytes);
	if (!r->slots || !r->bytes) {
		flow_ring_free(r);
		return NULL;
	}
	return r;
}

void flow_ring_free(struct flow_ring *r)
{
	if (!r)
		return;
	free(r->slots);
	free(r->bytes);
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

// Where `need` bytes in a row are free, at *ret_at; those left at the ring's end are passed over.
static bool find_bytes(struct flow_ring *r, uint32_t need, uint32_t *ret_at)
{
	uint32_t at = r->bytes_head, left = r->bytes_mask + 1 - (at & r->bytes_mask);
	if (left < need)
		at += left;
	for (;;) {
		uint32_t tail = atomic_load_explicit(&r->bytes_tail, memory_order_acquire);
		if (at + need - tail <= r->bytes_mask + 1) {
			*ret_at = at;
			return true;
		}
		if (!r->wait_for_room)
			return false;
		sched_yield();
	}
}

static bool put_extra(struct flow_ring *r, struct flow *f, const void *extra, size_t len)
{
	uint16_t head = (uint16_t)len;
	uint32_t at;
	f->has_extra = false;
	if (len == 0)
		return true;
	if (!find_bytes(r, EXTRA_HEAD + (uint32_t)len, &at))
		return false;
	memcpy(r->bytes + (at & r->bytes_mask), &head, EXTRA_HEAD);
	memcpy(r->bytes + (at & r->bytes_mask) + EXTRA_HEAD, extra, len);
	r->bytes_head = at + EXTRA_HEAD + (uint32_t)len;
	f->extra_at = at;
	f->has_extra = true;
	return true;
}

enum flow_ring_push
flow_ring_push_extra(struct flow_ring *r, const struct flow *f, const void *extra, size_t len)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	if (head - r->tail_seen > r->mask && !make_room(r, head))
		return FLOW_RING_LOST;
	struct flow *slot = &r->slots[head & r->mask];
	*slot = *f;
	bool is_whole = put_extra(r, slot, extra, len);
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return is_whole ? FLOW_RING_OK : FLOW_RING_BARE;
}

size_t flow_ring_extra(const struct flow_ring *r, const struct flow *f, const uint8_t **ret_extra)
{
	uint16_t len;
	if (!f->has_extra)
		return 0;
	const uint8_t *at = r->bytes + (f->extra_at & r->bytes_mask);
	memcpy(&len, at, EXTRA_HEAD);
	*ret_extra = at + EXTRA_HEAD;
	return len;
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
	for (uint32_t i = n; i-- > 0;) { // the last one's bytes were the last to be used
		const struct flow *f = &r->slots[(tail + i) & r->mask];
		const uint8_t *extra;
		size_t len = flow_ring_extra(r, f, &extra);
		if (len == 0)
			continue;
		uint32_t end = f->extra_at + EXTRA_HEAD + (uint32_t)len;
		atomic_store_explicit(&r->bytes_tail, end, memory_order_release);
		break;
	}
	atomic_store_explicit(&r->tail, tail + n, memory_order_release);
}
