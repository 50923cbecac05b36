// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sets of indicator ids, sorted: what has been hunted for already is kept in a file beside the
// feeds, so that after a restart only what is new is hunted.
// Thread: the owner's.

#include "lib/intel/database.h"

struct ids {
	uint64_t *v; // rising, each once
	size_t n;
};

void ids_free(struct ids *s);
bool ids_has(const struct ids *s, uint64_t id);

// All indicators of the database that can be hits (those of allow-lists cannot). 0, or -ENOMEM.
[[nodiscard]] int ids_of(const struct intel_db *db, struct ids *ret);

// Those of `now` that are not in `before`. 0, or -ENOMEM.
[[nodiscard]] int ids_new(const struct ids *now, const struct ids *before, struct ids *ret);

// 0 (an absent or damaged file is an empty set), or -ENOMEM.
[[nodiscard]] int ids_load(const char *path, struct ids *ret);
[[nodiscard]] int ids_save(const char *path, const struct ids *s);

// The same for the same set.
uint64_t ids_hash(const struct ids *s);
