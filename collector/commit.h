// SPDX-License-Identifier: Apache-2.0
#pragma once

// Between ingest and store: a fixed set of batches that go round. Ingest takes an empty one, fills
// it and gives it away; the committer thread writes all that wait in one synced commit and returns
// them. When none is free the taker waits: back-pressure reaches the sockets, whose drops the
// kernel counts.
// Thread: take and push from any ingest thread; the rest control.

#include "collector/intel/gate.h"
#include "collector/ledger.h"
#include "collector/store/store.h"

struct commit;

struct commit_options {
	struct store *store;
	struct ledger *ledger; // counts `stored` and the drops of failed writes
	struct gate *gate;     // matches what is pushed; NULL: nothing does
	uint32_t n_batches;
	uint32_t batch_rows;
};

[[nodiscard]] int commit_start(const struct commit_options *options, struct commit **ret_commit);

// An empty batch of the entity, waiting for one when all are in use.
struct record_batch *commit_take(struct commit *c, uint16_t entity);

// Gives a batch away to be committed (an empty one just goes back). Its rows are matched by the
// intelligence first, on the caller's thread.
void commit_push(struct commit *c, struct record_batch *b);

// Commits one record and waits for that, at most timeout_ns. `told` gets what the record matched,
// or NULL, before. 0; -ETIMEDOUT: no batch was free, or it may yet be committed; -EIO: the store
// refused it; -ENOMEM. Thread: any.
[[nodiscard]] int commit_one(
	struct commit *c,
	uint16_t entity,
	const struct record *r,
	uint64_t timeout_ns,
	void (*told)(void *ctx, const struct hit *h),
	void *ctx
);

// A hit that a sensor told of: committed with what waits, at once. False: too many wait; it is
// lost.
bool commit_hit(struct commit *c, const struct hit *h);

// Whether what comes in is stored.
enum commit_state {
	COMMIT_OK,
	COMMIT_NO_SPACE, // no: the disk is full up to the reserve
	COMMIT_REFUSED,	 // no: the store does not take it
};

// Thread: any.
enum commit_state commit_state(struct commit *c);

// Whether every batch is back: no record is on its way. Thread: any.
bool commit_is_idle(struct commit *c);

// False when the committer has had something to write since the last call and has not tried to.
// *ret_is_full says whether takers wait for a free batch.
bool commit_goes_on(struct commit *c, bool *ret_is_full);

// The program is ending: a write that the store refuses is given up, not tried again, so that
// nobody waits for a batch for ever.
void commit_hurry(struct commit *c);

// Commits what was pushed, then ends the thread. All ingest threads have ended before.
void commit_stop(struct commit *c);
