// SPDX-License-Identifier: Apache-2.0
#pragma once

// New indicators beside an hour's tables: which of its hosts and ports they concern. Both sides are
// sorted, so that a walk over the shorter one with leaps over the longer is all it takes.
// Thread: hunter.

#include "collector/hunt/name_join.h"
#include "collector/store/table.h"

// Addresses as the numbers they are in network order: compared at once.
struct range {
	unsigned __int128 first, last;
};

// What is hunted for, prepared once per hunt.
struct quarry {
	struct range *ranges; // of addresses, disjoint, rising
	size_t n_ranges;
	uint64_t ports[1024]; // bit p: an indicator of the port alone
	bool any_port;
	struct name_quarry names;
};

// Of the indicators of the database whose id is in `ids`. 0, or -ENOMEM.
[[nodiscard]] int quarry_init(struct quarry *q, const struct intel_db *db, const struct ids *ids);
void quarry_fini(struct quarry *q);

// Hosts of the hour that lie in the ranges.
struct prey {
	struct addr *hosts; // rising
	size_t n, cap;
	uint64_t *slots; // an index by keyed hash, made by prey_index
	uint64_t seed;
	size_t n_slots;
};

void prey_fini(struct prey *p);
void prey_clear(struct prey *p);

// Adds the hosts of a sorted part of a host table. *at is the first range that may concern it (0
// for the first part), and is moved to the first that may concern a later one. 0, or -ENOMEM.
[[nodiscard]] int
prey_join(struct prey *p, const struct quarry *q, const struct table_index *part, size_t *at);

// After the last join: makes prey_has quick. 0, or -ENOMEM.
[[nodiscard]] int prey_index(struct prey *p);
bool prey_has(const struct prey *p, const struct addr *a);

unsigned __int128 addr_number(const struct addr *a);
struct addr addr_of_number(unsigned __int128 v);
unsigned __int128 part_number(const struct table_index *part, uint32_t i);

// Whether an address lies in a range: for rows that are in no table yet.
bool quarry_has(const struct quarry *q, const struct addr *a);
