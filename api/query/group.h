// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows summed up by any columns, and by steps of time if wanted: what /top and /series answer.
// Thread: a query worker; may block and allocate.

#include "api/query/cell.h"
#include "api/query/walk.h"

#define GROUP_COLUMNS_MAX 8

enum group_metric { GROUP_FLOWS, GROUP_PACKETS, GROUP_BYTES, GROUP_DENIED, GROUP_N_METRICS };

extern const char *const group_metrics[GROUP_N_METRICS + 1]; // their names; NULL at the end

struct group_sums {
	uint64_t v[GROUP_N_METRICS]; // packets and bytes: of both directions
};

struct groups;

// `step_ns` 0: no steps. `memory`: bytes that groups may take. 0, or -ENOMEM.
[[nodiscard]] int groups_create(
	const struct cell_columns *by, uint64_t step_ns, size_t memory, struct groups **ret_groups
);
void groups_free(struct groups *g);

// Adds the window's rows that pass the filter. 0, -E2BIG when the groups would take too much
// memory, or as walk_rows.
[[nodiscard]] int groups_run(
	struct groups *g,
	const struct run *run,
	const struct filter *filter,
	struct walk_counts *ret_counts
);

struct group_row {
	uint64_t bucket; // start_ns / step_ns; 0 without steps
	struct group_sums sums;
	const uint8_t *key; // the columns' values: equal keys are equal groups
	uint32_t key_len;
};

size_t groups_count(const struct groups *g);

// All sums together. Rows of a column of either end are in it once.
struct group_sums groups_total(const struct groups *g);

// The `max` rows with the largest metric, largest first (ties: by key, then by time); how many
// there are in *ret_n. They are g's. No run afterwards.
const struct group_row *
groups_largest(struct groups *g, enum group_metric by, size_t max, size_t *ret_n);

// The rows by key, then time.
const struct group_row *groups_by_key(struct groups *g);

// Column i's value of a row; texts are g's.
struct cell groups_cell(const struct groups *g, const struct group_row *row, size_t i);
