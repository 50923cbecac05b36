// SPDX-License-Identifier: Apache-2.0
#pragma once

// Flow records as lines of text, by the names of fields.def: CSV (RFC 4180) with a header, every
// field a column; or JSON, one object a line, without the members that are 0 or empty (the ends,
// counters and times of a flow are always there). Times are UTC with nine digits (RFC 3339).
// Thread: any one at a time.

#include "lib/record/record.h"

enum rows_format { ROWS_CSV, ROWS_JSONL };

struct rows;

// Lines go to the descriptor, which stays the caller's. NULL without memory.
struct rows *rows_open(int fd, enum rows_format format);

// 0, or -errno of writing.
[[nodiscard]] int rows_add(struct rows *w, const struct record *r);

// Writes what is left; ends the rows either way.
[[nodiscard]] int rows_close(struct rows *w);
