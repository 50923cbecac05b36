// SPDX-License-Identifier: Apache-2.0
#pragma once

// Copies what can be read of a database to a new one, key by key, and leaps over what cannot.
// Thread: any; nobody writes the database meanwhile.

#include "collector/store/db.h"

#include <stdint.h>

struct rescue {
	uint64_t keys, gaps;
};

// 0, or -errno; `to` must not exist.
[[nodiscard]] int rescue_copy(
	struct db *from, const char *to, struct rescue *ret_rescue, char error[static DB_ERROR_LEN]
);
