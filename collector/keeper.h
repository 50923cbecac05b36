// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keeps what exporters have announced (templates, rates) in a file beside the store, so that after
// a restart their first data are decoded without waiting (collector/ingest/kept.h). Written every
// few seconds when it has changed, and at the end; replaced whole. Thread: control; the file is
// written by a thread of its own.

#include "collector/ingest/kept.h"

struct ingest;
struct keeper;

// Reads the file below the store's folder. Never fails for good: without it, or when it is damaged
// (counted, and said in *ret_words, which is static), exporters are waited for.
void keeper_load(
	const char *store_dir,
	struct kept_table *ret_kept,
	struct ledger *ledger,
	const char **ret_words
);

[[nodiscard]] int keeper_start(
	const char *store_dir,
	struct ingest *ingest,
	uint64_t interval_ns,
	struct keeper **ret_keeper
);

// Writes what the ingest, finished but not stopped, knew last; ends the thread.
void keeper_stop(struct keeper *k);
