// SPDX-License-Identifier: Apache-2.0
#include "api/query/group_table.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LARGE_PAGE ((size_t)2 << 20)

void group_table_init(
	struct group_table *t, struct group_budget *budget, const uint64_t secret[static 2]
)
{
	*t = (struct group_table){.budget = budget, .secret = {secret[0], secret[1]}};
}

void group_table_fini(struct group_table *t)
{
	while (t->keys) {
		struct group_keys *next = t->keys->next;
		free(t->keys);
		t->keys = next;
	}
	free(t->rows);
	free(t->hashes);
	free(t->slots);
	atomic_fetch_sub(&t->budget->used, t->used);
	*t = (struct group_table){};
}

// Both halves of a product of 128 bits together.
static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;
	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t word_at(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	memcpy(&v, p, n);
	return v;
}

uint64_t
group_table_hash(const struct group_table *t, uint64_t bucket, const uint8_t *key, size_t len)
{
	uint64_t h = t->secret[0] ^ bucket * 0x9e3779b97f4a7c15;
	for (; len >= 16; key += 16, len -= 16)
		h = fold(word_at(key, 8) ^ t->secret[1], word_at(key + 8, 8) ^ h);
	uint64_t a = word_at(key, len < 8 ? len : 8);
	uint64_t b = len > 8 ? word_at(key + 8, len - 8) : 0;
	h = fold(a ^ t->secret[1], b ^ h);
	return fold(h ^ len, t->secret[0] | 1);
}

// Counts what is about to be allocated.
static int charge(struct group_table *t, size_t n)
{
	size_t used = atomic_fetch_add(&t->budget->used, n);
	if (used > t->budget->max || t->budget->max - used < n) {
		atomic_fetch_sub(&t->budget->used, n);
		return -E2BIG;
	}
	t->used += n;
	return 0;
}

static int keep_key(struct group_table *t, const uint8_t *key, size_t len, const uint8_t **ret_key)
{
	if (!t->keys || GROUP_KEY_CHUNK - t->keys->len < len) {
		if (charge(t, sizeof(struct group_keys)) < 0)
			return -E2BIG;
		struct group_keys *c = malloc(sizeof(*c));
		if (!c)
			return -ENOMEM;
		c->next = t->keys;
		c->len = 0;
		t->keys = c;
	}
	uint8_t *p = t->keys->data + t->keys->len;
	t->keys->len += len;
	*ret_key = memcpy(p, key, len);
	return 0;
}

static void put_slot(struct group_table *t, size_t row)
{
	size_t at = t->hashes[row] & (t->n_slots - 1);
	while (t->slots[at])
		at = (at + 1) & (t->n_slots - 1);
	t->slots[at] = (t->hashes[row] >> 32 << 32) | (row + 1);
}

// Large arrays are touched all over: with large pages there is less to fault in and to look up.
static void *large(void *p, size_t len)
{
	uintptr_t from = ((uintptr_t)p + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1);
	uintptr_t to = ((uintptr_t)p + len) & ~(uintptr_t)(LARGE_PAGE - 1);
	if (p && from < to)
		(void)madvise((void *)from, to - from, MADV_HUGEPAGE);
	return p;
}

static int grow(struct group_table *t)
{
	size_t cap = t->cap ? t->cap * 2 : 256;
	if (cap > UINT32_MAX / 4)
		return -E2BIG;
	int ret =
		charge(t,
		       (cap - t->cap) * (sizeof(*t->rows) + sizeof(*t->hashes)) +
			       (cap * 2 - t->n_slots) * sizeof(*t->slots));
	if (ret < 0)
		return ret;
	struct group_row *rows =
		large(reallocarray(t->rows, cap, sizeof(*rows)), cap * sizeof(*rows));
	if (rows)
		t->rows = rows;
	uint64_t *hashes = reallocarray(t->hashes, cap, sizeof(*hashes));
	if (hashes)
		t->hashes = hashes;
	uint64_t *slots = large(malloc(cap * 2 * sizeof(*slots)), cap * 2 * sizeof(*slots));
	if (!rows || !hashes || !slots) {
		free(slots);
		return -ENOMEM;
	}
	memset(slots, 0, cap * 2 * sizeof(*slots));
	free(t->slots);
	t->slots = slots;
	t->n_slots = cap * 2;
	t->cap = cap;
	for (size_t i = 0; i < t->n; i++)
		put_slot(t, i);
	return 0;
}

static bool is_group(const struct group_row *r, const struct group_key *key)
{
	return r->bucket == key->bucket && r->key_len == key->len &&
	       memcmp(r->key, key->p, key->len) == 0;
}

int group_table_find(struct group_table *t, const struct group_key *key, struct group_row **ret_row)
{
	for (size_t at = key->hash; t->n_slots; at++) {
		uint64_t slot = t->slots[at & (t->n_slots - 1)];
		if (!slot)
			break;
		struct group_row *r = &t->rows[(uint32_t)slot - 1];
		if (slot >> 32 == key->hash >> 32 && is_group(r, key)) {
			*ret_row = r;
			return 0;
		}
	}
	int ret = t->n == t->cap ? grow(t) : 0;
	const uint8_t *kept = NULL;
	if (ret == 0)
		ret = keep_key(t, key->p, key->len, &kept);
	if (ret < 0)
		return ret;
	t->rows[t->n] = (struct group_row
	){.bucket = key->bucket, .key = kept, .key_len = (uint32_t)key->len};
	t->hashes[t->n] = key->hash;
	put_slot(t, t->n);
	*ret_row = &t->rows[t->n++];
	return 0;
}

#define AHEAD 16

int group_table_merge(struct group_table *t, const struct group_table *from)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct group_row *r = &from->rows[i];
		struct group_key key = {r->bucket, from->hashes[i], r->key, r->key_len};
		struct group_row *into;
		if (i + AHEAD < from->n)
			group_table_prefetch(t, from->hashes[i + AHEAD]);
		int ret = group_table_find(t, &key, &into);
		if (ret < 0)
			return ret;
		for (int m = 0; m < GROUP_N_METRICS; m++)
			into->sums.v[m] += r->sums.v[m];
	}
	return 0;
}
