// SPDX-License-Identifier: Apache-2.0
#pragma once

// The store, seen by its single writer, the collector. Rows are committed to the journal (one
// synced write), and hours that are over are sealed: their rows move into sorted columnar blocks
// and tables of sums. Nothing is acknowledged before rocksdb_write has returned.
// Thread: each function says which; the struct itself may be shared between them.

#include "collector/store/model.h"
#include "lib/record/batch.h"

#include <stddef.h>

#define STORE_ERROR_LEN 512

struct store;

struct store_options {
	const char *dir;       // made when absent, mode 0750
	int64_t cache_len;     // bytes of RocksDB's block cache
	int64_t seal_grace_ns; // an hour is sealed this long after its end
	uint32_t block_rows;   // rows of a sealed block, at most
	uint64_t reserve;      // commits are refused while less is free on the disk
};

// Opens or makes the store; a damaged journal is kept aside, the rest opened and the exact loss
// said in `error` (may be non-empty on success). 0, or -errno with the reason in `error`.
[[nodiscard]] int store_open(
	const struct store_options *options,
	struct store **ret_store,
	char error[static STORE_ERROR_LEN]
);
void store_close(struct store *s);

// The number of an entity, made when new; 0..65535, or -errno. Thread: any.
[[nodiscard]] int store_entity(struct store *s, const char *name);

// How many entities there are: numbers 0 to this - 1. Thread: any.
unsigned store_n_entities(const struct store *s);

// Commits all rows of all batches in one synced write; each row goes to the hour of its start.
// 0, or -errno and then nothing is stored; -ENOSPC: the disk has no more than the reserve. Thread:
// committer.
[[nodiscard]] int store_commit(
	struct store *s,
	struct record_batch *const *batches,
	size_t n,
	char error[static STORE_ERROR_LEN]
);

// The same with the hits of those rows (collector/store/hit.h), in the same write: neither is ever
// there without the other. Thread: committer.
struct hit;
[[nodiscard]] int store_commit_hits(
	struct store *s,
	struct record_batch *const *batches,
	size_t n,
	const struct hit *hits,
	size_t n_hits,
	char error[static STORE_ERROR_LEN]
);

// Seals every hour that ended more than seal_grace_ns before `now_ns` and has rows in the journal
// (with `all`, the running hour too). Late rows of a sealed hour join it. Returns the rows sealed,
// or -errno. Thread: sealer.
[[nodiscard]] int64_t
store_seal(struct store *s, uint64_t now_ns, bool all, char error[static STORE_ERROR_LEN]);

// Users. 0, or -errno (-EEXIST: a new api_id is taken; -ENOENT: none by that id). Thread: any.
[[nodiscard]] int store_user_add(struct store *s, const struct store_user *user);
[[nodiscard]] int store_user_update(struct store *s, const struct store_user *user);
[[nodiscard]] int store_user_del(struct store *s, const char *api_id);
// Calls fn for each user in order of api_id until it returns other than 0.
int store_user_each(
	struct store *s, int (*fn)(void *ctx, const struct store_user *user), void *ctx
);

struct store_stats {
	uint64_t committed_rows; // by this process
	uint64_t sealed_rows;	 // by this process
	uint64_t commits;
	uint64_t commit_ns;	    // spent in committing
	uint64_t size;		    // bytes of the store's files
	uint64_t journal_rows;	    // waiting to be sealed
	uint64_t total_rows;	    // in the store
	uint64_t first_ns, last_ns; // span of hours held; 0, 0 when empty
};

// Thread: any.
void store_stats(struct store *s, struct store_stats *ret_stats);
