// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sums of the rows that pass a filter, as run_sums gives them of all.
// Thread: a query worker; may block and allocate.

#include "api/query/walk.h"

// Adds them to `into`. 0, or as walk_rows.
[[nodiscard]] int sums_run(
	const struct run *run,
	const struct filter *filter,
	struct rollup *into,
	struct walk_counts *ret_counts
);
