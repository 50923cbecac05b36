// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hits: traffic that an indicator matched, folded per indicator, inside host, direction and hour of
// the traffic, so that a scan of thousands of flows is one row with a count. A hit carries the
// indicator's own words: it can be explained after the feed has changed. Each change of a row gets
// the next number of a log, by which readers see what is new.
// Thread: write: any, one at a time (a lock inside); reading by a view: its own.

#include "collector/store/model.h"
#include "collector/store/read.h"
#include "collector/store/store.h"

#define HIT_TEXT_MAX 255   // bytes of each text
#define HIT_LOG_MAX 100000 // changes remembered, about

enum hit_direction {
	HIT_UNKNOWN,  // both ends inside, or neither
	HIT_OUTBOUND, // an inside host began it
	HIT_INBOUND,  // the listed end began it
};

enum {
	HIT_VALUE,
	HIT_FEED,
	HIT_CATEGORY,
	HIT_DESCRIPTION,
	HIT_REFERENCE,
	HIT_SEEN_NAME,
	HIT_N_TEXTS
};

struct hit_counts {
	uint64_t flows, packets, bytes;
	uint64_t denied; // of the flows; the others were allowed
};

struct hit {
	// What names the row.
	uint16_t entity;
	uint32_t hour;
	uint64_t indicator;
	struct addr inside; // the end that is not the listed one
	uint8_t direction;  // enum hit_direction

	uint8_t where; // enum intel_where (lib/intel/match.h)
	uint8_t type;  // enum indicator_type
	uint8_t severity, confidence;
	uint16_t score;
	bool is_hunt; // of a delta: `retro` is set, not added, so that a hunt may be repeated
	uint64_t first_ns, last_ns; // of the traffic
	uint64_t found_ns;	    // when the row was first written
	struct hit_counts live;	    // matched as it came
	struct hit_counts retro;    // found by a hunt: the traffic was there before the indicator
	// The newest flow of it, as an example.
	struct addr outside;
	uint16_t inside_port, outside_port;
	uint8_t proto;
	struct record_str texts[HIT_N_TEXTS]; // lifetime: who fills it says
	uint64_t number;		      // of its last change in the log; of a delta: nothing
};

// Adds deltas to their rows in one synced write. A delta's times, counts and newest flow are
// merged; the rest is taken from the newest. 0, or -errno, and then nothing is changed.
[[nodiscard]] int store_hits_add(
	struct store *s, const struct hit *deltas, size_t n, char error[static STORE_ERROR_LEN]
);

// Calls fn for each hit of an entity whose hour lies in [first, last], newest hour first, until it
// returns other than 0, which is returned. A hit's texts live until fn returns.
[[nodiscard]] int store_view_hits(
	struct store_view *v,
	uint16_t entity,
	uint32_t first,
	uint32_t last,
	int (*fn)(void *ctx, const struct hit *h),
	void *ctx
);

// The hit of a row, as above: fn is called once. -ENOENT when there is none.
[[nodiscard]] int store_view_hit(
	struct store_view *v,
	const struct hit *name,
	int (*fn)(void *ctx, const struct hit *h),
	void *ctx
);

// Calls fn for each hit changed after number `after`, in the order of change; a row changed several
// times comes once, with its last change. `entity` < 0: of all.
[[nodiscard]] int store_view_hits_since(
	struct store_view *v,
	int entity,
	uint64_t after,
	int (*fn)(void *ctx, const struct hit *h),
	void *ctx
);

// The number of the last change; 0: none yet.
[[nodiscard]] int store_view_hits_last(struct store_view *v, uint64_t *ret_number);
