// SPDX-License-Identifier: Apache-2.0
#pragma once

// Queries over one view of the store: sums of a window and its newest rows. Everything an answer
// says comes from the one view it is given.
// Thread: a query worker; may block and allocate.

#include "api/query/newest.h"
#include "api/query/stop.h"
#include "api/query/window.h"
#include "collector/store/read.h"

struct run {
	struct store_view *view;
	uint16_t entity;
	const struct window *window;
	const struct query_stop *stop;
};

// Adds the window's rows to `into`: whole hours from the stored tables, hours cut by the window's
// edge and rows still in the journal from the rows themselves. *ret_scanned: whether any rows were
// looked at. 0, -ECANCELED, -ETIMEDOUT, -ENOMEM, or -EIO.
[[nodiscard]] int run_sums(const struct run *run, struct rollup *into, bool *ret_scanned);

// Collects the window's newest rows in `into` (not sorted yet). Errors as above.
[[nodiscard]] int run_newest(const struct run *run, struct newest *into);
