// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bytes of a feed, from wherever it lies: a URL, a file, or all files of a directory (one after
// the other); and the last good copy of them, which outlives the source.
// Thread: feeds.

#include "collector/intel/feed_def.h"
#include "collector/intel/fetch.h"

// What a source looked like when it was last read, so that an unchanged one is not read again.
struct feed_mark {
	char tag[FETCH_TAG_LEN]; // of a URL
	uint64_t files;		 // a hash over names, sizes, times and inodes
};

struct feed_bytes {
	char *data;
	size_t len;
};

// 1 with the bytes (the caller's to free) and the new mark; 0: unchanged since *mark; -errno with
// the reason in `error`.
[[nodiscard]] int feed_source_read(
	const struct feed_def *d,
	struct feed_mark *mark,
	struct feed_bytes *ret_bytes,
	char error[static FEED_ERROR_LEN]
);

// The last good copy, in dir/NAME.feed. 0, or -errno (-ENOENT: there is none).
[[nodiscard]] int feed_copy_read(const char *dir, const char *name, struct feed_bytes *ret_bytes);
[[nodiscard]] int feed_copy_write(const char *dir, const char *name, const struct feed_bytes *b);
void feed_copy_del(const char *dir, const char *name);
