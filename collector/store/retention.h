// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the store no longer keeps: hours that are too old, or the oldest ones when the store is too
// large or the disk too full. An hour goes whole, of all entities and with all kinds of keys, in
// one synced write, so that no reader ever sees a part of it; the running hour always stays.
// Thread: sealer; never beside store_seal.

#include "collector/store/store.h"

struct store_retention {
	uint64_t age_ns; // an hour goes this long after its end; 0: never
	uint64_t size;	 // bytes of the store's files; 0: no limit
	uint64_t free;	 // bytes that others find free on the file system; 0: no matter
};

struct store_expired {
	uint64_t rows;
	uint32_t hours;	      // of an entity each
	uint32_t before_hour; // nothing older is left; 0: nothing went
};

// Removes what the limits demand now, and gives its space back. What it frees may take a moment to
// show: it removes what it thinks will do, at least one hour, and the next call goes on. 0 with
// what went, or -errno.
[[nodiscard]] int store_retain(
	struct store *s,
	const struct store_retention *limits,
	uint64_t now_ns,
	struct store_expired *ret_expired,
	char error[static STORE_ERROR_LEN]
);
