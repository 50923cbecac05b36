// SPDX-License-Identifier: Apache-2.0
#pragma once

// A walk over the rows of a window that pass a filter. The filter's columns are read first, the
// others only of blocks in which a row passes. A walk over many blocks is shared with other threads
// while processors are idle, if its owner can put parts together.
// Thread: a query worker; may block and allocate. The callbacks of a part run on one thread.

#include "api/query/filter.h"
#include "api/query/run.h"

struct walk {
	struct run run;
	const struct filter *filter; // NULL: any
	uint64_t fields;	     // columns that `rows` looks at, beside the starts
	uint64_t coded;		     // of them: may be dictionaries, has_coded of the batch tells
	bool no_starts;		     // nor at starts, unless those are among the fields
	bool newest_first;
	bool journal_only; // leave sealed rows out
	// Gets up to FILTER_CHUNK rows that pass, rising and no further apart than that; with
	// newest_first the end of a block before its beginning. Below 0 ends the walk.
	int (*rows)(void *ctx, const struct record_batch *b, const uint32_t *rows, uint32_t n);
	// NULL, or: no more rows of this block will come. Below 0 ends the walk.
	int (*block_end)(void *ctx, const struct record_batch *b);
	void *ctx;
	// NULL, or for walks without a floor: makes a ctx for a part of the rows; and takes what is
	// in the part into ctx (if `whole`; a walk that fails has no use for it), and frees it.
	int (*fork)(void *ctx, void **ret_part);
	int (*join)(void *ctx, void *part, bool whole);
	// Rows older than this are of no interest any more; may rise on the way. NULL: all are.
	const uint64_t *floor_ns;
};

struct walk_counts {
	uint64_t scanned, passed; // rows looked at, rows handed out
};

// 0, what `rows` returned, -ECANCELED, -ETIMEDOUT, -ENOMEM, or -EIO.
[[nodiscard]] int walk_rows(const struct walk *w, struct walk_counts *ret_counts);

// The walks at work at a time, at most, before none is given more threads: 0, the default, is the
// number of processors.
void walk_set_threads(unsigned n);
