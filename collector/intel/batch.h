// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rows of a batch against the database: what matched is written into the batch's columns
// (indicator, score) and listed, with a reference to the database so that the hits can be told in
// its words when the batch is committed.
// Thread: the one that holds the batch; `thread` is its number at the database.

#include "collector/store/hit.h"
#include "lib/intel/match.h"
#include "lib/record/batch.h"

struct batch_match {
	uint32_t row;
	struct intel_match match;
};

struct batch_hits {
	struct intel_db *db;
	uint32_t n;
	struct batch_match matches[];
};

// Matches all rows. A row that nothing here matches but its sensor did is listed too, by what the
// row says, with no indicator. `db` may be NULL. The list is the caller's; NULL: nothing matched,
// or no memory (then the columns say it all the same).
struct batch_hits *batch_match(
	struct intel_db *db,
	unsigned thread,
	struct record_batch *b,
	struct intel_counters *counters
);
void batch_hits_free(struct batch_hits *h); // NULL is fine

// A row that matched as a change of its hit's row. Texts point into the database and the batch.
struct hit
batch_hit_of(const struct intel_match *m, const struct record *r, uint16_t entity, bool is_hunt);

// The row's change for a flow that is not counted yet, from what its sensor says; without texts.
struct hit batch_hit_told(const struct record *r, uint16_t entity);
