// SPDX-License-Identifier: Apache-2.0
#pragma once

// A store as it was at one moment, as a folder that is a store itself; and what is done to one that
// nobody has open.
// Thread: any; what takes a folder is for processes that have not opened the store there.

#include "collector/store/check.h"
#include "collector/store/store.h"

// Copies the running store to `dir`, which must not exist: everything committed when it is called,
// by links where it is on the same file system. It goes on taking records meanwhile. 0, or -errno.
[[nodiscard]] int
store_backup(struct store *s, const char *dir, char error[static STORE_ERROR_LEN]);

// Copies a backup to `dir`, which must not exist, or be empty. 0, or -errno.
[[nodiscard]] int
store_restore(const char *backup, const char *dir, char error[static STORE_ERROR_LEN]);

// Goes on with reading the running store, for about so many bytes. 0, or -ENOMEM. Thread: sealer.
[[nodiscard]] int store_scrub(struct store *s, struct check *c, uint64_t bytes);

struct store_condition {
	struct check check;
	uint64_t rows_expected;
	bool is_open; // a collector has it
};

// Reads everything. The store may be open. -EUCLEAN: it cannot even be opened for reading.
[[nodiscard]] int store_condition(
	const char *dir, struct store_condition *ret_condition, char error[static STORE_ERROR_LEN]
);

// Makes a damaged list of the database's files anew from those files, puts a copy of what can be
// read in the place of a database of which something cannot, and opens the store once; what it says
// of its loss is in `error`. What was damaged stays in lost+found. -EBUSY: a collector has it.
[[nodiscard]] int store_repair(const char *dir, char error[static STORE_ERROR_LEN]);
