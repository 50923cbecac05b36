// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counts of what was answered, by route and status: nothing that grows with clients or data.
// Thread: any.

#include <stddef.h>
#include <stdint.h>

struct metrics;
struct route;

struct metrics *metrics_create(void); // NULL without memory
void metrics_free(struct metrics *m);

// A request was answered; route NULL: it was for none of ours. `m` may be NULL.
void metrics_count(
	struct metrics *m, const struct route *route, int status, size_t bytes, uint64_t took_ns
);
