// SPDX-License-Identifier: Apache-2.0
#pragma once

// The indicators of all feeds, compiled to be matched: immutable, shared by reference, replaced
// whole. Building takes seconds for 100,000 indicators and happens beside the database in use; a
// compiled one can be kept in a folder and is found there again by its content.
// Thread: create, put: control; the rest any.

#include "lib/intel/list.h"

#define INTEL_ERROR_LEN 256

struct intel_db;

struct intel_options {
	const struct prefix *own; // networks that are never a hit, beside the reserved ones
	size_t n_own;
	unsigned n_threads;    // that will match with it, each by its number
	const char *cache_dir; // where compiled databases are kept; NULL: nowhere
	size_t shard_values;   // that one Hyperscan database holds at most; 0: 16384
};

struct intel_stats {
	size_t entries; // indicators of all lists
	size_t values;	// different ones
	size_t allows;	// entries of allow-lists
	size_t nets, addr_ports, ports, names;
	unsigned prefix_lengths; // in use, of both families
	uint64_t compile_ns;
	bool is_cached; // taken from the cache
	size_t size;	// bytes of the compiled database
};

#define INTEL_UNSUPPORTED                                                                          \
	"this CPU cannot run Hyperscan: it needs SSSE3 (Intel from 2006, AMD from 2011)"

// 0 when the CPU can run Hyperscan, or -ENOTSUP.
[[nodiscard]] int intel_supported(void);

// Compiles the lists, each of which gets another reference. 0, or -errno with the reason in
// `error`.
[[nodiscard]] int intel_db_create(
	struct intel_list *const *lists,
	size_t n_lists,
	const struct intel_options *options,
	struct intel_db **ret_db,
	char error[static INTEL_ERROR_LEN]
);
struct intel_db *intel_db_get(struct intel_db *db);
void intel_db_put(struct intel_db *db); // NULL is fine

// How many hold a reference: 1 is the caller alone.
unsigned intel_db_owners(const struct intel_db *db);

const struct intel_stats *intel_db_stats(const struct intel_db *db);

// One indicator as it is in the database: what a hit is explained with.
struct intel_entry {
	uint64_t id;
	const struct indicator *indicator;
	const struct intel_list *list;
};

// Entry i of all, in rising order of id; of one id the strongest first (allow, then score).
struct intel_entry intel_db_entry(const struct intel_db *db, size_t i);

// The place of the first entry with the id, or the number of entries when there is none.
size_t intel_db_find(const struct intel_db *db, uint64_t id);
