// SPDX-License-Identifier: Apache-2.0
#pragma once

// The store, seen by those who only read it: a RocksDB secondary that follows the collector's
// files, and views of it. A view is one consistent state of the whole store (a row is either in
// the journal or in a sealed block, never both or neither) and is used for one query.
// Thread: a reader is shared by all; a view, and what is opened from it, belong to one thread.

#include "collector/store/model.h"
#include "collector/store/rollup.h"
#include "lib/record/batch.h"

#define STORE_READ_ERROR_LEN 512

struct store_reader;
struct store_view;
struct store_scan;

// `scratch` is a directory of this process's own for the secondary's log; made when absent. 0, or
// -errno with the reason in `error`; -ENOENT when there is no store at `dir` yet.
[[nodiscard]] int store_reader_open(
	const char *dir,
	const char *scratch,
	struct store_reader **ret_reader,
	char error[static STORE_READ_ERROR_LEN]
);
void store_reader_close(struct store_reader *r);

// Catches up with the collector unless that was done less than max_age_ns ago; changed credentials
// are never older than the call. 0, or -errno; -ESTALE: the store is not there any more.
[[nodiscard]] int store_reader_refresh(struct store_reader *r, uint64_t max_age_ns);

// NULL without memory.
struct store_view *store_view_open(struct store_reader *r);
void store_view_close(struct store_view *v);

// Another view of the very same state, for another thread; NULL when the reader has caught up since
// or there is no memory.
struct store_view *store_view_twin(const struct store_view *v);

// The entity's number, or -ENOENT.
[[nodiscard]] int store_view_entity(struct store_view *v, const char *name);

// 0, or -ENOENT, or -EIO for an entry that cannot be read.
[[nodiscard]] int
store_view_user(struct store_view *v, const char *api_id, struct store_user *ret_user);

// The first hour >= `from` of an entity that holds rows: 1; 0: none. Walk with from = hour + 1.
// -EIO: damaged.
[[nodiscard]] int
store_view_hour(struct store_view *v, uint16_t entity, uint32_t from, struct store_hour *ret_hour);

// The last hour <= `to` of an entity that holds rows: 1; 0: none.
[[nodiscard]] int store_view_hour_last(
	struct store_view *v, uint16_t entity, uint32_t to, struct store_hour *ret_hour
);

// Adds the stored tables of a sealed hour to `into`. Rows still in the journal are not in them:
// scan those with journal_only. 0, or -errno.
[[nodiscard]] int
store_view_rollup(struct store_view *v, uint16_t entity, uint32_t hour, struct rollup *into);

// What a host's sealed rows of an hour add up to: 1; 0: it has none; or -errno.
[[nodiscard]] int store_view_host(
	struct store_view *v,
	uint16_t entity,
	uint32_t hour,
	const struct addr *addr,
	struct rollup_host *ret_host
);

struct store_scan_spec {
	uint16_t entity;
	uint64_t from_ns, to_ns; // of the start, both inclusive
	uint64_t fields;	 // RECORD_BIT()s of the columns wanted; others stay unused
	uint64_t late;		 // of columns that store_scan_load brings, where blocks allow that
	bool journal_only;	 // leave sealed blocks out
	bool newest_first;	 // blocks in falling order of their newest row
	// For those who know how to take them: columns that may come as dictionaries (batch.h), and
	// no starts of blocks that lie in the window as a whole unless they are in `fields`.
	uint64_t coded;
	bool lean;
	// Blocks are dealt out among scans of like views and specs that have this counter, which
	// begins at 0, in common. Not with store_scan_raise.
	_Atomic uint64_t *share;
};

// Walks the blocks that can hold rows of the window. Rows outside of it come along: the caller
// looks at their start. 0, or -errno.
[[nodiscard]] int store_scan_open(
	struct store_view *v, const struct store_scan_spec *spec, struct store_scan **ret_scan
);

// The next block: 1 with its rows in *ret_batch, which stays the scan's and is good until the next
// call; 0: no more; -EIO: a block is damaged (it is passed over, the walk may go on).
[[nodiscard]] int store_scan_next(struct store_scan *s, const struct record_batch **ret_batch);

// The same, for those who expand coded columns.
[[nodiscard]] int store_scan_next_mutable(struct store_scan *s, struct record_batch **ret_batch);

// Adds the late columns to the block that store_scan_next gave last. 0, or -EIO or -ENOMEM: the
// block is not to be used.
[[nodiscard]] int store_scan_load(struct store_scan *s);

// The same for any columns; those that are there in some form stay as they are.
[[nodiscard]] int store_scan_add(struct store_scan *s, uint64_t fields);

// Whether the block that came last has all its rows in the window, and which columns it has been
// given by now.
bool store_scan_is_whole(const struct store_scan *s);
uint64_t store_scan_loaded(const struct store_scan *s);

// Raises the lower end of the window: blocks wholly older are passed over from now on.
void store_scan_raise(struct store_scan *s, uint64_t from_ns);
void store_scan_close(struct store_scan *s);
