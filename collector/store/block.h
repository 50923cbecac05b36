// SPDX-License-Identifier: Apache-2.0
#pragma once

// Blocks of rows as stored values. A journal block is one value with all its columns (what one
// commit brought); of a sealed block each column is a value of its own, so that a query reads only
// the columns it needs. Beside each block lies its summary, by which scans pass it over unread.
// Every value ends with its checksum and says its version; the layout is in docs/STORE.md.
// Thread: the owner's of the coder.

#include "collector/store/column.h"

#define BLOCK_VERSION 1
#define BLOCK_ROWS_MAX (1u << 20)
#define BLOCK_SUMMARY_LEN 56
#define JOURNAL_ROWS_MAX 65536 // of a journal block

struct block_summary {
	uint32_t n_rows, n_denied;
	uint64_t start_min, start_max; // of the rows' start_ns
	uint64_t fields;	       // bit f: the block has column f
	uint64_t len;		       // bytes of its columns
};

void block_summary_encode(const struct block_summary *s, uint8_t ret_bytes[BLOCK_SUMMARY_LEN]);

// 0, or -EIO.
[[nodiscard]] int
block_summary_decode(const void *bytes, size_t len, struct block_summary *ret_summary);

// Sums up rows (fields and len: nothing yet).
struct block_summary block_summary_of(const struct column_rows *rows);

// Appends a journal block of at least 1 row. 0, -EINVAL for a number of rows that cannot be, or
// -ENOMEM.
[[nodiscard]] int block_encode(
	struct column_coder *c,
	struct bytes *out,
	const struct column_rows *rows,
	struct block_summary *ret_summary
);

// Replaces what is in the batch by the rows of a journal block, columns not in `fields` left out
// (the start always comes). -EIO for anything that is not such a block, or has more rows than the
// batch can take; the batch is then empty.
[[nodiscard]] int block_decode(
	struct column_coder *c,
	const void *bytes,
	size_t len,
	uint64_t fields,
	struct record_batch *into
);

// A column of a sealed block as a value. 1; 0: nothing but zeros, no value; -ENOMEM.
[[nodiscard]] int block_column_encode(
	struct column_coder *c,
	struct bytes *out,
	const struct column_rows *rows,
	enum record_field f
);

// Adds the column to a batch that is to have n rows; start_ns before other times. With `coded` a
// dictionary of addresses stays one. 0, -EIO or -ENOMEM.
[[nodiscard]] int block_column_decode(
	struct column_coder *c,
	struct buf bytes,
	enum record_field f,
	struct record_batch *into,
	uint32_t n,
	bool coded
);
