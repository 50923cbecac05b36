// SPDX-License-Identifier: Apache-2.0
#pragma once

// Flows and names against the database, a burst at a time: one scan for all of it. The rules:
//  - Both ends are looked up, the destination port, and the name.
//  - Of all indicators that cover an address or name the most specific one counts (an address with
//    a port is as specific as the address); at equal specificity an allow-list wins.
//  - What an allow-list wins is no hit, but is told. An allowed end shields the flow from
//    indicators that name only a port.
//  - Own, private and other reserved addresses are never a hit.
//  - Of several hits of one flow the highest score is told; of equal ones the destination's before
//    the source's, the name's and the port's.
// Thread: worker, by its number; nothing is allocated, nothing waits.

#include "lib/intel/database.h"
#include "lib/record/record.h"

enum intel_where { INTEL_NONE, INTEL_DST, INTEL_SRC, INTEL_NAME, INTEL_PORT };

struct intel_query {
	struct addr src, dst;
	uint16_t sport, dport;
	uint8_t proto;
	bool has_flow;		// look up the ends and ports; false: only the name
	struct record_str name; // of no bytes: none
};

struct intel_match {
	uint64_t id;			   // 0: no hit
	const struct indicator *indicator; // of the database: valid as long as it is held
	const struct intel_list *list;
	uint16_t score;
	uint8_t where;	 // enum intel_where
	bool is_allowed; // an allow-list covered it
};

struct intel_counters {
	uint64_t queries, tokens, scanned, hits, allowed;
	uint64_t unaligned, unequal; // matches of the scan that were none
	uint64_t scan_errors;	     // of Hyperscan: those were searched without it
};

// One result per query.
void intel_match(
	const struct intel_db *db,
	unsigned thread,
	uint32_t now_sec,
	const struct intel_query *queries,
	size_t n,
	struct intel_match *ret_matches,
	struct intel_counters *counters
);
