// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hits that sensors told of, on their way from ingest to the committer: a queue of copies with a
// cap. One that is full loses the newcomer: the flow's own record will say the same later.
// Thread: put: any; the rest: the committer's. The caller's lock.

#include "collector/store/hit.h"

#define TOLD_MAX 1024 // a second's worth of what a sensor's worker tells at most

struct told;

struct told *told_create(void); // NULL without memory
void told_free(struct told *t);

// Copies the hit with its texts; false when there is no room.
bool told_put(struct told *t, const struct hit *h);

size_t told_n(const struct told *t);

// Moves all into `ret_hits`, which has room for told_n; their texts live until the next told_take.
size_t told_take(struct told *t, struct hit *ret_hits);
