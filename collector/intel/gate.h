// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where batches of records pass the intelligence on their way to the store: matched by the database
// of the moment on the thread that brings them, turned into hits on the thread that commits them.
// A batch holds its database until it is committed: a hunt waits for that.
// Thread: each function says.

#include "collector/intel/batch.h"
#include "collector/intel/current.h"
#include "collector/ledger.h"

struct gate;

struct gate_options {
	struct intel_current *current;
	unsigned n_threads; // numbers 0 to this - 1 at each database are the gate's
	struct ledger *ledger;
};

// What a batch carries. All zero: nothing.
struct gate_pass {
	struct intel_db *db;
	struct batch_hits *hits;
};

struct gate *gate_create(const struct gate_options *options); // NULL without memory
void gate_free(struct gate *g);

// Matches the batch's rows. `g` may be NULL. Thread: any, n_threads at a time (more wait).
struct gate_pass gate_match(struct gate *g, struct record_batch *b);

// The hits of the batch, at most pass->hits->n, as changes of the store's rows; their number. Texts
// live as long as batch and pass. Thread: committer.
size_t gate_hits(const struct gate_pass *pass, const struct record_batch *b, struct hit *ret_hits);

void gate_release(struct gate_pass *pass);
