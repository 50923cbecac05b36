// SPDX-License-Identifier: Apache-2.0
#pragma once

// One column of a block as bytes: a form (see column.c), then arrays of integers (ints.h). The form
// is chosen by the size it gives. A column of zeros only is not written at all.
// Thread: the owner's of the coder.

#include "collector/store/ints.h"
#include "lib/record/batch.h"

enum column_form {
	COLUMN_INTS = 1,	// the values
	COLUMN_SINCE_START = 2, // times: value - start_ns of the same row, mod 2^64
	COLUMN_ADDR = 3,	// the high halves, the low halves
	COLUMN_ADDR_DICT = 4,	// the distinct addresses as COLUMN_ADDR, then each row's number
	COLUMN_TEXT_DICT = 5,	// the distinct texts' lengths, their bytes, then each row's number
};

struct column_coder {
	struct ints_coder ints;
	struct dedupe dedupe;
	uint64_t *hi, *lo, *dict_hi, *dict_lo; // room for cap values each
	uint32_t cap;
};

void column_init(struct column_coder *c);
void column_fini(struct column_coder *c);

// Room for n values in each array. 0, or -ENOMEM.
[[nodiscard]] int column_reserve(struct column_coder *c, uint32_t n);

// Rows of a batch in some order; `rows` NULL: all from the first on.
struct column_rows {
	const struct record_batch *batch;
	const uint32_t *rows;
	uint32_t n;
};

// Appends the column. 1; 0 when all its values are 0 (nothing appended); or -ENOMEM.
[[nodiscard]] int column_encode(
	struct column_coder *c,
	struct bytes *out,
	const struct column_rows *rows,
	enum record_field f,
	enum ints_effort effort
);

// Reads a column of n rows (at most the capacity) into the batch. The start of the rows must be in
// it already: other times refer to it. 0, -EIO or -ENOMEM.
[[nodiscard]] int column_decode(
	struct column_coder *c,
	struct buf in,
	enum record_field f,
	struct record_batch *into,
	uint32_t n
);

// The same, but a column of addresses that is stored as a dictionary stays one.
[[nodiscard]] int column_decode_coded(
	struct column_coder *c,
	struct buf in,
	enum record_field f,
	struct record_batch *into,
	uint32_t n
);
