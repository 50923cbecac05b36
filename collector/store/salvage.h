// SPDX-License-Identifier: Apache-2.0
#pragma once

// Opens the database below a store's folder (dir/db), whatever the last end of the process left.
// Opening uses the journal (RocksDB's WAL) up: before, it is linked to dir/lost+found/opening, and
// it is kept there under another name when its bytes are damaged or rows turn out to be missing.
// Thread: control.

#include "collector/store/db.h"
#include "collector/store/store.h"

#include <limits.h>

struct salvage {
	char aside[PATH_MAX]; // the folder with the links; "": none
	bool damaged;	      // opened up to the damage only
};

// 0 (with words in `error` when the journal was damaged), or -errno with the reason. After 0 one of
// the two below ends it.
[[nodiscard]] int salvage_open(
	const char *dir,
	int64_t cache_len,
	struct db **ret_db,
	struct salvage *ret_salvage,
	char error[static STORE_ERROR_LEN]
);

// Keeps the journal as it was, and adds to the words where it is.
void salvage_keep(struct salvage *s, char error[static STORE_ERROR_LEN]);

// Nothing is missing: removes the links.
void salvage_drop(struct salvage *s);
