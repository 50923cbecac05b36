// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ended flows on their way from one worker to the exporter: a ring of copies, one producer and one
// consumer, no lock and no call of the kernel. Where the input can wait (a file), push waits for
// room; where it cannot (a port), a full ring loses the flow and counts it.
// Thread: push, let_wait: worker; peek, release: exporter; create, free: control while both stand
// still.

#include "sensor/flow/flow.h"

struct flow_ring;

// Room for `n_flows` rounded up to a power of two; NULL without memory.
struct flow_ring *flow_ring_create(uint32_t n_flows, bool wait_for_room);
void flow_ring_free(struct flow_ring *r);

// Copies a flow in; false when it was lost for want of room.
bool flow_ring_push(struct flow_ring *r, const struct flow *f);

// From now on push waits for room: the worker has nothing else to do any more.
void flow_ring_let_wait(struct flow_ring *r);

// The flows at the front, at most `max`, in place: *ret_flows is valid until flow_ring_release.
uint32_t flow_ring_peek(struct flow_ring *r, uint32_t max, const struct flow **ret_flows);

// Gives the room of the first n flows back.
void flow_ring_release(struct flow_ring *r, uint32_t n);
