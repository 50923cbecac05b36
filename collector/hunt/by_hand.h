// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a hunt by hand is for: a feed's text, or one value. It is kept in a file until the hunt has
// ended, so that a restart does not end it.
// Thread: any.

#include "lib/intel/database.h"

// 0 with the database (the caller's reference), or -EINVAL with the reason, or -errno.
[[nodiscard]] int by_hand_parse(
	const char *content,
	size_t len,
	unsigned n_matchers,
	struct intel_db **ret_db,
	char error[static 256]
);

// The content of hunt `id`, in a file in `dir`. 0, or -errno.
[[nodiscard]] int by_hand_keep(const char *dir, uint64_t id, const char *content, size_t len);

// The database of a content that was kept. 0, or -errno (-ENOENT: it was not).
[[nodiscard]] int
by_hand_load(const char *dir, uint64_t id, unsigned n_matchers, struct intel_db **ret_db);

void by_hand_forget(const char *dir, uint64_t id);
