// SPDX-License-Identifier: Apache-2.0
#pragma once

// One hunt and its document (DOC_HUNT), which tells of its progress and by which it goes on where
// it was after a restart. Hunts are numbered from 1 on; the newest documents are kept.
// Thread: the hunt's owner.

#include "collector/hunt/ids.h"
#include "collector/store/store.h"

#include <jansson.h>

enum hunt_state { HUNT_WAITING, HUNT_RUNNING, HUNT_DONE, HUNT_CANCELLED, HUNT_FAILED };

struct hunt {
	uint64_t id;
	enum hunt_state state;
	char what[128]; // "feeds", or what was asked for
	bool is_manual;
	struct intel_db *db;
	struct ids ids; // hunted for
	uint64_t ids_hash;
	uint64_t since_ns;
	uint64_t asked_ns, started_ns, ended_ns;
	uint64_t hours_all, hours_done, hours_scanned, rows;
	uint64_t hosts;		// found in tables, each hour's
	uint64_t hits, allowed; // rows of hits; those with allowed flows
	uint64_t over_limit, damaged;
	uint16_t entity; // where it stands
	uint32_t hour;
	bool has_place; // entity and hour say where to go on
	char error[160];
};

void hunt_free(struct hunt *x); // NULL is fine

void hunt_doc_put(struct store *s, const struct hunt *x);

// At the start: finds the next number, and gives each hunt by hand that a restart interrupted (an
// object of the callee's, without database and ids) to fn, which says whether it will go on; one
// that will not is over. 0, or -errno.
[[nodiscard]] int hunt_doc_open(
	struct store *s, bool (*fn)(void *ctx, struct hunt *x), void *ctx, uint64_t *ret_next_id
);

// Takes over number, place and counts of a hunt that a restart interrupted, if it was for the same
// indicators; one that was for others is over.
void hunt_doc_resume(struct store *s, struct hunt *x);

// Deletes the oldest documents but those to be kept.
void hunt_doc_forget(struct store *s);

// All, the newest first. NULL with -errno in *ret_error.
json_t *hunt_doc_list(struct store *s, int *ret_error);
