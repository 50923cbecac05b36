// SPDX-License-Identifier: Apache-2.0
#pragma once

// A counter beside the database that grows with every change that readers must know of at once:
// credentials, documents, hits, sealed hours. Flow records may be seen a moment later; an ended
// credential may not be honoured for that moment. A reader compares eight bytes per view instead of
// catching up with the database. Thread: bump: the store's writer, under its lock; read: any.

#include <stdbool.h>
#include <stdint.h>

// Opens the counter of a store's folder; the writer makes it. The descriptor, or -errno.
[[nodiscard]] int changes_open(const char *dir, bool is_writer);

// One more change, which is in the database already.
void changes_bump(int fd);

// Whether the store's folder has been removed since (or removed and made anew).
bool changes_is_gone(int fd);

// 0 when there is no counter (yet): fd may be negative.
uint64_t changes_read(int fd);
