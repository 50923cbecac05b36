// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a thread that must not wait is asked for its counters. The one who asks raises a number; the
// thread sees it between two turns, leaves a copy of its counters, all of one moment, and raises
// its own number. While nobody asks that costs it one load per turn. Thread: ask_wait: one at a
// time, may block; ask_is_open, ask_answer: the thread that is asked.

#include "lib/base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#define ASK_PAUSE_NS 20000

struct ask {
	atomic_uint asked, answered;
};

static inline bool ask_is_open(const struct ask *a)
{
	return atomic_load_explicit(&a->asked, memory_order_acquire) !=
	       atomic_load_explicit(&a->answered, memory_order_relaxed);
}

// The answer is in its place.
static inline void ask_answer(struct ask *a)
{
	unsigned asked = atomic_load_explicit(&a->asked, memory_order_relaxed);
	atomic_store_explicit(&a->answered, asked, memory_order_release);
}

// Asks and waits. False after wait_ns: the answer's place may be written to at any time from now
// on, and must not be read before the next question is answered.
[[nodiscard]] static inline bool ask_wait(struct ask *a, uint64_t wait_ns)
{
	const struct timespec pause = {.tv_nsec = ASK_PAUSE_NS};
	uint64_t deadline = clock_mono_ns() + wait_ns;
	unsigned asked = atomic_load_explicit(&a->asked, memory_order_relaxed);
	if (asked == atomic_load_explicit(&a->answered, memory_order_acquire)) // else: still open
		atomic_store_explicit(&a->asked, ++asked, memory_order_release);
	while (atomic_load_explicit(&a->answered, memory_order_acquire) != asked) {
		if (clock_mono_ns() >= deadline)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}
