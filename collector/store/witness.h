// SPDX-License-Identifier: Apache-2.0
#pragma once

// The commit mark as a value, and the witness: a small file beside the database that says what was
// acknowledged. It is written after each commit (not synced: it survives the process, and after a
// power cut an older one still bounds the loss). Two slots take turns, so one is always whole.
// Thread: committer.

#include "collector/store/state.h"

#define WITNESS_MARK_LEN 40

void witness_mark_encode(const struct commit_mark *m, uint8_t ret_bytes[WITNESS_MARK_LEN]);

// 0, or -EIO.
[[nodiscard]] int witness_mark_decode(const void *bytes, size_t len, struct commit_mark *ret_mark);

// A mark in the database by its name; none is all 0. 0, or -errno.
[[nodiscard]] int witness_mark_load(struct db *db, const char *name, struct commit_mark *ret_mark);
void witness_mark_put(struct db_batch *b, const char *name, const struct commit_mark *m);

// Opens or makes the file and reads its last mark (all 0 when it has none). 0, or -errno.
[[nodiscard]] int witness_open(const char *dir, int *ret_fd, struct commit_mark *ret_mark);

void witness_write(int fd, const struct commit_mark *m);
