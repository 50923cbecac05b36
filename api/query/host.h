// SPDX-License-Identifier: Apache-2.0
#pragma once

// One host's sums over time: from the tables of hours that lie in the window whole, and from rows
// where they do not, or are not in the tables yet.
// Thread: a query worker; may block and allocate.

#include "api/query/walk.h"

struct host_sums {
	const struct addr *host;
	uint64_t from_ns, bin_ns; // from the start of an hour; whole hours
	uint32_t n_bins;
	struct rollup_host *bins; // the caller's, zeroed
};

// Adds the window's traffic to the bins; what lies in none is not counted. 0, or as walk_rows.
[[nodiscard]] int host_run(struct host_sums *s, const struct run *run);

// All rows with the host at either end. NULL without memory.
struct filter *host_filter(const struct addr *host);
