// SPDX-License-Identifier: Apache-2.0
#pragma once

// A walk over the rows of a window that pass a filter. The filter's columns are read first, the
// others only of blocks in which a row passes.
// Thread: a query worker; may block and allocate.

#include "api/query/filter.h"
#include "api/query/run.h"

struct walk {
	struct run run;
	const struct filter *filter; // NULL: any
	uint64_t fields;	     // columns that `rows` looks at
	bool newest_first;
	bool journal_only; // leave sealed rows out
	// Gets up to FILTER_CHUNK rows that pass, rising and no further apart than that; with
	// newest_first the end of a block before its beginning. Below 0 ends the walk.
	int (*rows)(void *ctx, const struct record_batch *b, const uint32_t *rows, uint32_t n);
	void *ctx;
	// Rows older than this are of no interest any more; may rise on the way. NULL: all are.
	const uint64_t *floor_ns;
};

struct walk_counts {
	uint64_t scanned, passed; // rows looked at, rows handed out
};

// 0, what `rows` returned, -ECANCELED, -ETIMEDOUT, -ENOMEM, or -EIO.
[[nodiscard]] int walk_rows(const struct walk *w, struct walk_counts *ret_counts);
