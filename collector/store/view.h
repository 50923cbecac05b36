// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of a view (collector/store/read.h): two iterators over one state of the database, one
// for the small values and one for the large. A reader opens views of its secondary, the sealer of
// the database it writes.
// Thread: one.

#include "collector/store/db.h"
#include "collector/store/read.h"
#include "collector/store/table.h"

struct store_view {
	struct db_snapshot *snapshot; // NULL on a secondary
	struct db_iter *keys;	      // summaries, tables: cached
	struct db_iter *values;	      // blocks: not cached
	struct ints_coder ints;
	struct store_reader *reader; // NULL: of the writer
	uint64_t n_caught_up;	     // of the reader, when it was opened
};

// NULL without memory. `writable`: of a database that is being written.
struct store_view *view_open(struct db *db, bool writable);

// The first hour >= from (last hour <= to) with rows, or that has an entry: 1, 0, -EIO.
[[nodiscard]] int
view_hour_first(struct store_view *v, uint16_t entity, uint32_t from, uint32_t *ret_hour);
[[nodiscard]] int
view_hour_last(struct store_view *v, uint16_t entity, uint32_t to, uint32_t *ret_hour);

// The sums of an hour's sealed rows; 1, 0 when there are none, -EIO.
[[nodiscard]] int
view_table_hour(struct store_view *v, uint16_t entity, uint32_t hour, struct table_hour *ret_hour);

// -EIO for what the iterator met, 0 for a plain end.
[[nodiscard]] int view_error(struct db_iter *it);
