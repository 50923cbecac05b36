// SPDX-License-Identifier: Apache-2.0
#pragma once

// When a query has to end before it is done: its client went away, or its time is up. Queries ask
// once per block or hour, not per row.
// Thread: any; `gone` is set by the event loop and read by the worker.

#include "lib/base/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

struct query_stop {
	_Atomic bool gone;
	uint64_t deadline_ns;	       // clock_mono_ns
	const struct query_stop *also; // of the request, when its deadline is not ours; else NULL
};

// 0: go on; -ECANCELED; -ETIMEDOUT.
static inline int query_stopped(const struct query_stop *s)
{
	if (atomic_load_explicit(&s->gone, memory_order_relaxed) ||
	    (s->also && atomic_load_explicit(&s->also->gone, memory_order_relaxed)))
		return -ECANCELED;
	return clock_mono_ns() >= s->deadline_ns ? -ETIMEDOUT : 0;
}
