// SPDX-License-Identifier: Apache-2.0
#pragma once

// A page of rows, newest first, and the cursor to the next one. Rows are in the order of their
// start (later first) and, of one start, of a number made from what tells records apart; neither
// changes when an hour is sealed or when other rows arrive, so that pages have no gaps and no
// repeats: every row that was there when the first page was asked for comes exactly once. Thread: a
// query worker; may block and allocate.

#include "api/query/cell.h"
#include "api/query/walk.h"

#define PAGE_CURSOR_LEN 48

struct page_row {
	uint64_t start_ns, order;
	struct cell *cells; // one per column
	char *text;	    // what the cells' texts are in
};

struct page {
	const struct cell_columns *columns;
	size_t limit;
	// Where the page before ended; all 0 for the first one.
	uint64_t after_ns, after_order, after_skip;
	bool has_cursor;
	// The rows: a heap whose root goes next, then sorted.
	struct page_row *rows;
	size_t n, cap;
	uint64_t n_equal;  // rows seen that are equal to the cursor
	uint64_t floor_ns; // rows older than this cannot enter any more
	bool more;	   // there are older rows
	struct walk_counts counts;
};

// `cursor` NULL: the first page. 0; -EINVAL: no cursor of ours; -ENOMEM.
[[nodiscard]] int
page_init(struct page *p, const struct cell_columns *columns, size_t limit, const char *cursor);
void page_fini(struct page *p);

// Fills the page. 0, or as walk_rows.
[[nodiscard]] int page_run(struct page *p, const struct run *run, const struct filter *filter);

// The cursor behind the page's last row; NULL when there is nothing more.
const char *page_next(const struct page *p, char text[static PAGE_CURSOR_LEN]);
