// SPDX-License-Identifier: Apache-2.0
#pragma once

// One hour of an entity, hunted: the tables decide whether its rows need to be looked at, the rows
// whether there are hits. What the indicator matched as it came is not told again.
// Thread: hunter.

#include "collector/hunt/join.h"
#include "collector/store/hit.h"
#include "collector/store/index.h"
#include "lib/intel/match.h"

#define HUNT_HITS_MAX 200000 // rows of hits of one hour; more are counted only

// Where a name that was seen lies.
struct kept_name {
	size_t off;
	uint8_t room;
};

struct hunt_scan {
	const struct intel_db *db;
	unsigned thread; // at the database
	const struct ids *ids;
	const struct quarry *quarry;
	struct prey prey;
	struct store_index index;
	struct name_walk names_walk;
	bool any_name; // of the hour: rows with a name are to be looked at
	struct intel_counters counters;
	// Of the hour that was scanned last.
	struct hit *hits; // folded; texts as long as the database and this
	size_t n_hits, cap;
	uint32_t *slots; // of hits, by hash; n_slots a power of two
	size_t n_slots;
	struct kept_name *kept; // of each hit, for HIT_SEEN_NAME
	char *names;
	size_t names_len, names_cap;
	const _Atomic bool *cancel;
	// Of all.
	uint64_t rows, hosts, hours_scanned, over_limit, damaged;
};

[[nodiscard]] int hunt_scan_init(
	struct hunt_scan *s,
	const struct intel_db *db,
	unsigned thread,
	const struct ids *ids,
	const struct quarry *quarry
);
void hunt_scan_fini(struct hunt_scan *s);

// 0 with the hits in s->hits, -ECANCELED when *cancel became true, or -errno.
[[nodiscard]] int hunt_scan_hour(
	struct hunt_scan *s,
	struct store_view *v,
	uint16_t entity,
	const struct store_hour *hour,
	const _Atomic bool *cancel
);
