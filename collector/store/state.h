// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of struct store, for the files that share it.
// Thread: each group of members says whose it is.

#include "collector/store/block.h"
#include "collector/store/db.h"
#include "collector/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

#define STORE_ENTITIES_MAX 65536

// Where the committer stands: written with each commit, and again beside the database once the
// commit is acknowledged, so that an opening store can tell what is missing.
struct commit_mark {
	uint64_t next_number;	// of a journal block
	uint64_t commits, rows; // ever
};

struct store {
	struct db *db;
	char *dir;
	struct store_options options;

	// Any thread, under the mutex: entities and users.
	pthread_mutex_t names;
	char (*entities)[STORE_NAME_MAX + 1];
	int changes_fd;
	_Atomic uint32_t n_entities;

	// Any thread, under the mutex: hits.
	pthread_mutex_t hits;
	uint64_t hits_number; // of the last change in their log

	// Committer and retention: held from laying rows, or the end of hours, to the end of the
	// write.
	pthread_mutex_t hours;

	// Retention (at opening: control).
	struct commit_mark gone; // of the mark: commits and rows that are not there any more

	// Committer.
	struct commit_mark mark;
	int witness_fd;
	struct column_coder coder;
	struct db_batch *batch;
	struct bytes value;
	uint64_t *order; // of rows by hour
	uint32_t order_cap;

	// Any thread.
	_Atomic uint64_t committed_rows, sealed_rows, commits, commit_ns;
	_Atomic uint64_t journal_rows, total_rows;
	_Atomic uint32_t first_hour, last_hour; // first > last: no rows
};

// Says a failure: "what: why" to `error`; returns ret.
__attribute__((format(printf, 3, 4))) int
store_fail(int ret, char error[static STORE_ERROR_LEN], const char *fmt, ...);

// Adds words to those that are there, behind a semicolon.
__attribute__((format(printf, 2, 3))) void
store_say(char error[static STORE_ERROR_LEN], const char *fmt, ...);

// Widens the span of hours held.
void store_span_add(struct store *s, uint32_t hour);
