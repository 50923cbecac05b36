// SPDX-License-Identifier: Apache-2.0
#pragma once

// A hit as key and value, and the writer's side of the hits: for hit.c, hit_read.c and journal.c.
// Thread: each says.

#include "collector/store/changes.h"
#include "collector/store/hit.h"
#include "collector/store/key.h"
#include "collector/store/state.h"

struct key hit_key(const struct hit *h);
struct key hit_log_key(uint64_t number);
bool hit_log_parse(struct slice key, uint64_t *ret_number);

[[nodiscard]] int hit_encode(const struct hit *h, struct bytes *out);

// The texts point into the value. 0, or -EIO.
[[nodiscard]] int hit_decode(struct slice key, struct slice value, struct hit *ret_hit);

// Lays the changes into a batch that is about to be written, the hits' lock held until it has been.
// When it could not be, the caller puts s->hits_number back.
[[nodiscard]] int
hits_lay(struct store *s, struct db_batch *batch, const struct hit *deltas, size_t n);

// At the store's opening: where the log stands.
[[nodiscard]] int hits_load(struct store *s);
