// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of a database, for database.c, compile.c and match.c.

#include "lib/intel/database.h"
#include "lib/intel/token.h"

#include <hs/hs.h>

#define DB_TOKENS 1024 // gathered before a scan

struct db_entry {
	uint64_t token, id;
	uint32_t list, item;
};

struct db_length {
	uint8_t len;
	uint64_t hi, lo; // mask, as memcpy has it
};

struct db_lengths {
	unsigned n;
	struct db_length at[129]; // from the longest to the shortest
};

struct db_thread {
	hs_scratch_t *scratch;
	unsigned n;
	uint64_t tokens[DB_TOKENS];
	struct {
		uint16_t query;
		uint8_t where; // enum intel_where
		uint8_t len;   // how specific: bits of the prefix, bytes of the name
	} refs[DB_TOKENS];
};

struct intel_db {
	_Atomic unsigned n_owners;
	struct intel_stats stats;
	struct token_secret secret;
	struct intel_list **lists;
	size_t n_lists;
	struct prefix *own;
	size_t n_own;

	struct db_entry *entries; // by token; of one token the strongest first
	size_t n_entries;
	uint32_t *first; // of each token, n_tokens + 1
	uint32_t n_tokens;
	uint32_t *by_id; // entries in rising order of id

	struct db_lengths v4, v6;
	uint64_t name_labels;	   // bit n: a name of n labels (63: or more)
	uint64_t ports[1024];	   // bit p: an indicator of that port alone
	uint64_t addr_ports[1024]; // likewise, with an address
	uint64_t *filter;	   // two bits a token in a word: what is not in it matches nothing
	unsigned filter_shift;

	hs_database_t *hs; // NULL: no tokens
	unsigned n_threads;
	struct db_thread *threads;
};

static inline bool bit_of(const uint64_t *bits, uint16_t at)
{
	return bits[at >> 6] >> (at & 63) & 1;
}

static inline bool db_filter(const struct intel_db *db, uint64_t token)
{
	uint64_t bits = 1ull << (token & 63) | 1ull << (token >> 6 & 63);
	return (db->filter[token >> db->filter_shift] & bits) == bits;
}

static inline const struct indicator *
db_indicator(const struct intel_db *db, const struct db_entry *e)
{
	return &db->lists[e->list]->items[e->item];
}

static inline const char *db_name(const struct intel_db *db, const struct db_entry *e)
{
	return intel_list_str(db->lists[e->list], db_indicator(db, e)->name);
}

// compile.c: the Hyperscan database of the tokens, from the cache when it is there; the secret has
// been chosen by compile_secret. 0, or -errno with the reason in `error`.
struct db_cache {
	char path[4096]; // "": no cache
	bool is_found;
	void *data; // of the file, behind its head
	size_t len;
};
void compile_secret(struct intel_db *db, const char *cache_dir, struct db_cache *ret_cache);
[[nodiscard]] int
compile_hs(struct intel_db *db, struct db_cache *cache, char error[static INTEL_ERROR_LEN]);
