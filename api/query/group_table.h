// SPDX-License-Identifier: Apache-2.0
#pragma once

// The groups that rows are summed up in: a hash table by key and step of time, within a bound of
// memory that several tables may have in common. Strangers choose the keys, so that the hash is
// keyed.
// Thread: the owner's.

#include "api/query/group.h"

#include <stdatomic.h>

#define GROUP_KEY_CHUNK ((size_t)1 << 18)

// Memory for keys: pieces that stay where they are.
struct group_keys {
	struct group_keys *next;
	size_t len;
	uint8_t data[GROUP_KEY_CHUNK];
};

struct group_budget {
	size_t max;
	_Atomic size_t used;
};

struct group_table {
	struct group_budget *budget;
	uint64_t secret[2]; // of the hash
	struct group_row *rows;
	uint64_t *hashes;
	size_t n, cap;
	uint64_t *slots; // high half of the hash, and 1 + place of the row; 0: free
	size_t n_slots;	 // a power of two
	struct group_keys *keys;
	size_t used; // of the budget
};

void group_table_init(
	struct group_table *t, struct group_budget *budget, const uint64_t secret[static 2]
);
void group_table_fini(struct group_table *t);

uint64_t
group_table_hash(const struct group_table *t, uint64_t bucket, const uint8_t *key, size_t len);

// Brings what a find by this hash will look at nearer.
static inline void group_table_prefetch(const struct group_table *t, uint64_t hash)
{
	if (t->n_slots)
		__builtin_prefetch(&t->slots[hash & (t->n_slots - 1)]);
}

// The same, one step further.
static inline void group_table_prefetch_row(const struct group_table *t, uint64_t hash)
{
	if (!t->n_slots)
		return;
	uint64_t slot = t->slots[hash & (t->n_slots - 1)];
	if (slot && slot >> 32 == hash >> 32)
		__builtin_prefetch(&t->rows[(uint32_t)slot - 1]);
}

// What is to be found.
struct group_key {
	uint64_t bucket, hash;
	const uint8_t *p;
	size_t len;
};

// The key's group, which is made when there is none. 0, -E2BIG when that would take too much
// memory, or -ENOMEM.
[[nodiscard]] int
group_table_find(struct group_table *t, const struct group_key *key, struct group_row **ret_row);

// Adds all groups of another table with the same secret. As group_table_find.
[[nodiscard]] int group_table_merge(struct group_table *t, const struct group_table *from);

// Brings the `max` rows with the largest metric to the front, largest first (ties: by key, then by
// time); how many there are. Nothing can be found afterwards.
size_t group_table_largest(struct group_table *t, enum group_metric by, size_t max);

// Sorts the rows by key, then time. Nothing can be found afterwards.
void group_table_sort(struct group_table *t);
