// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sets of CPUs in the kernel's writing, "0-3,8", in rising order; and which of them the sensor's
// workers get. Thread: any.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPULIST_MAX 1024 // CPUs
#define CPULIST_TEXT_LEN 512

struct cpulist {
	unsigned n;
	uint16_t cpus[CPULIST_MAX];
};

// From "0-3,8\n"; "" is the empty list. 0, or -EINVAL.
[[nodiscard]] int cpulist_parse(const char *text, struct cpulist *ret_list);

// The CPUs the calling thread may run on; CPU 0 when the kernel does not tell.
void cpulist_affinity(struct cpulist *ret_list);

// As "0-3,8", cut to whole numbers where the room ends; returns `text`.
const char *cpulist_format(const struct cpulist *l, char text[static CPULIST_TEXT_LEN]);

bool cpulist_has(const struct cpulist *l, unsigned cpu);

// The CPU of the sensor's i-th worker: each gets one of its own, from the last on, as long as there
// are enough. The list must not be empty.
unsigned cpulist_worker(const struct cpulist *l, unsigned i);
