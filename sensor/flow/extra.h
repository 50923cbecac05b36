// SPDX-License-Identifier: Apache-2.0
#pragma once

// What only some flows have, so that the others do not pay for it: a name, an indicator. The table
// keeps it as bytes beside the flows, in chunks of one cache line taken from a pool with a cap; a
// slot of the table that has none costs nothing but the address space of its handle.
// Thread: worker; create, free: control.

#include <stddef.h>
#include <stdint.h>

#define FLOW_EXTRA_MAX 2048 // bytes of one flow

struct flow_extras;

// For flows in slots 0 to n_slots - 1, of `bytes` together at most. NULL without memory.
struct flow_extras *flow_extras_create(size_t n_slots, size_t bytes);
void flow_extras_free(struct flow_extras *e);

// Replaces what the slot has; -ENOSPC: it has nothing then, the pool is used up (or len is 0 or
// more than FLOW_EXTRA_MAX).
[[nodiscard]] int flow_extras_put(struct flow_extras *e, size_t slot, const void *p, size_t len);

// What the slot has; its length, 0 when it has nothing.
size_t flow_extras_get(const struct flow_extras *e, size_t slot, uint8_t to[FLOW_EXTRA_MAX]);

void flow_extras_del(struct flow_extras *e, size_t slot);

// Bytes in use, in whole chunks.
size_t flow_extras_used(const struct flow_extras *e);
