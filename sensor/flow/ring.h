// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ended flows on their way from one worker to the exporter: a ring of copies, one producer and one
// consumer, no lock and no call of the kernel. What a flow has beside (extra.h) goes along in a
// ring of bytes. Where the input can wait (a file), push waits for room; where it cannot (a port),
// a full ring loses the flow, or only what it has beside, and the caller counts that. Thread: push,
// let_wait: worker; peek, extra, release: exporter; create, free: control while both stand still.

#include "sensor/flow/extra.h"
#include "sensor/flow/flow.h"

struct flow_ring;

// Room for `n_flows` rounded up to a power of two; NULL without memory.
struct flow_ring *flow_ring_create(uint32_t n_flows, bool wait_for_room);
void flow_ring_free(struct flow_ring *r);

enum flow_ring_push {
	FLOW_RING_LOST, // no room
	FLOW_RING_BARE, // no room for what it has beside
	FLOW_RING_OK,
};

// Copies a flow in, with `len` bytes that it has beside: 0, or at most FLOW_EXTRA_MAX and more.h's.
enum flow_ring_push
flow_ring_push_extra(struct flow_ring *r, const struct flow *f, const void *extra, size_t len);

static inline bool flow_ring_push(struct flow_ring *r, const struct flow *f)
{
	return flow_ring_push_extra(r, f, NULL, 0) != FLOW_RING_LOST;
}

// From now on push waits for room: the worker has nothing else to do any more.
void flow_ring_let_wait(struct flow_ring *r);

// The flows at the front, at most `max`, in place: *ret_flows is valid until flow_ring_release.
uint32_t flow_ring_peek(struct flow_ring *r, uint32_t max, const struct flow **ret_flows);

// What a flow got from flow_ring_peek has beside, in place: its length, 0 when nothing.
size_t flow_ring_extra(const struct flow_ring *r, const struct flow *f, const uint8_t **ret_extra);

// Gives the room of the first n flows back.
void flow_ring_release(struct flow_ring *r, uint32_t n);
