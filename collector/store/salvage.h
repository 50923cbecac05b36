// SPDX-License-Identifier: Apache-2.0
#pragma once

// Opens the database below a store's folder (dir/db), whatever the last end of the process left. A
// journal (RocksDB's WAL) with damaged bytes is copied to dir/lost+found first, then opened up to
// the damage.
// Thread: control.

#include "collector/store/db.h"
#include "collector/store/store.h"

// 0 (with words in `error` when something was damaged), or -errno with the reason.
[[nodiscard]] int salvage_open(
	const char *dir, int64_t cache_len, struct db **ret_db, char error[static STORE_ERROR_LEN]
);
