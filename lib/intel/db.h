// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of a database, for database.c, compile.c and match.c.

#include "lib/intel/database.h"
#include "lib/intel/token.h"

#include <hs/hs.h>

#define DB_TOKENS 1024 // gathered before a scan
#define DB_SHARD_BITS_MAX 10

struct db_entry {
	uint64_t token, id;
	uint32_t list, item;
};

// Says of most sieves that nothing has them: two bits each, in a word that the first bits choose.
struct db_filter {
	uint64_t *words;
	unsigned shift;
};

struct db_length {
	uint8_t len;
	uint32_t n;	 // entries
	uint64_t hi, lo; // mask, as memcpy has it
};

// Lengths that are looked up together: who is in none of the networks cut to the group's shortest
// length is in none of the group. The few large networks make a filter that stays in the cache.
struct db_group {
	uint8_t first, last;	 // of the lengths; the last one is the shortest
	struct db_filter filter; // of the cut networks
};

#define DB_GROUPS 4

struct db_lengths {
	unsigned n, n_groups;
	struct db_group groups[DB_GROUPS];
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
	// the same by shard: what is scanned, and which one each was
	uint64_t sorted[DB_TOKENS];
	uint16_t order[DB_TOKENS];
	uint16_t ends[1 << DB_SHARD_BITS_MAX];
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
	struct db_filter filter;   // of all tokens

	hs_database_t **shards; // by the first bits of the token; NULL: none there
	uint32_t n_shards;
	unsigned shard_bits;
	unsigned n_threads;
	struct db_thread *threads;
};

static inline bool bit_of(const uint64_t *bits, uint16_t at)
{
	return bits[at >> 6] >> (at & 63) & 1;
}

static inline uint64_t db_filter_bits(uint64_t sieve)
{
	return 1ull << (sieve & 63) | 1ull << (sieve >> 6 & 63);
}

static inline bool db_passes(const struct db_filter *f, uint64_t sieve)
{
	uint64_t bits = db_filter_bits(sieve);
	return (f->words[sieve >> f->shift] & bits) == bits;
}

static inline uint64_t
db_sieve_net(const struct intel_db *db, const struct db_length *l, uint64_t hi, uint64_t lo)
{
	return token_sieve(&db->secret, l->len, hi & l->hi, lo & l->lo);
}

static inline uint32_t db_shard(const struct intel_db *db, uint64_t token)
{
	return db->shard_bits ? (uint32_t)(token >> (64 - db->shard_bits)) : 0;
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

// compile.c ------------------------------------------------------------------------------------

// How many shards the tokens make, of `most` each (0: the default).
void compile_shards(struct intel_db *db, size_t most);

// The shards of the tokens, which are sorted. 0, or -errno with the reason in `error`.
[[nodiscard]] int compile_hs(struct intel_db *db, char error[static INTEL_ERROR_LEN]);
