// SPDX-License-Identifier: Apache-2.0
#include "api/resolve/cache.h"

#include "lib/base/siphash.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

struct entry {
	struct addr addr;
	uint64_t expires_ns;
	uint32_t chain;	       // next in the bucket, or NONE
	uint32_t newer, older; // by last use
	char name[CACHE_NAME_LEN];
};

struct cache {
	struct siphash_key key;
	uint32_t cap, n, n_buckets;
	uint32_t newest, oldest;
	uint32_t *buckets;
	struct entry *entries;
};

struct cache *cache_create(uint32_t cap)
{
	struct cache *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->key = siphash_key_random();
	c->cap = cap ? cap : 1;
	for (c->n_buckets = 16; c->n_buckets < c->cap; c->n_buckets *= 2)
		;
	c->newest = c->oldest = NONE;
	c->buckets = malloc(c->n_buckets * sizeof(*c->buckets));
	c->entries = calloc(c->cap, sizeof(*c->entries));
	if (!c->buckets || !c->entries) {
		cache_free(c);
		return NULL;
	}
	memset(c->buckets, 0xff, c->n_buckets * sizeof(*c->buckets));
	return c;
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	free(c->buckets);
	free(c->entries);
	free(c);
}

static uint32_t *bucket_of(struct cache *c, const struct addr *a)
{
	return &c->buckets[siphash(&c->key, a, sizeof(*a)) & (c->n_buckets - 1)];
}

static uint32_t find(struct cache *c, const struct addr *a)
{
	uint32_t i = *bucket_of(c, a);
	while (i != NONE && !addr_eq(&c->entries[i].addr, a))
		i = c->entries[i].chain;
	return i;
}

static void unlink_use(struct cache *c, uint32_t i)
{
	struct entry *e = &c->entries[i];
	*(e->newer == NONE ? &c->newest : &c->entries[e->newer].older) = e->older;
	*(e->older == NONE ? &c->oldest : &c->entries[e->older].newer) = e->newer;
}

static void link_newest(struct cache *c, uint32_t i)
{
	struct entry *e = &c->entries[i];
	e->newer = NONE;
	e->older = c->newest;
	*(c->newest == NONE ? &c->oldest : &c->entries[c->newest].newer) = i;
	c->newest = i;
}

const char *cache_find(struct cache *c, const struct addr *a, uint64_t now_ns)
{
	uint32_t i = find(c, a);
	if (i == NONE || c->entries[i].expires_ns <= now_ns)
		return NULL;
	unlink_use(c, i);
	link_newest(c, i);
	return c->entries[i].name;
}

// A free entry, or the least recently used one taken out of its bucket.
static uint32_t take(struct cache *c)
{
	if (c->n < c->cap)
		return c->n++;
	uint32_t i = c->oldest, *at = bucket_of(c, &c->entries[i].addr);
	while (*at != i)
		at = &c->entries[*at].chain;
	*at = c->entries[i].chain;
	unlink_use(c, i);
	return i;
}

void cache_set(struct cache *c, const struct addr *a, const char *name, uint64_t expires_ns)
{
	uint32_t i = find(c, a);
	if (i == NONE) {
		i = take(c);
		c->entries[i].addr = *a;
		uint32_t *bucket = bucket_of(c, a);
		c->entries[i].chain = *bucket;
		*bucket = i;
	} else {
		unlink_use(c, i);
	}
	link_newest(c, i);
	c->entries[i].expires_ns = expires_ns;
	size_t n = strnlen(name, CACHE_NAME_LEN - 1);
	memcpy(c->entries[i].name, name, n);
	c->entries[i].name[n] = '\0';
}

void cache_clean_name(const char *name, char ret_name[static CACHE_NAME_LEN])
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t n = strlen(name);
	if (n > 0 && name[n - 1] == '.')
		n--;
	if (n >= CACHE_NAME_LEN || strspn(name, allowed) < n || (n > 0 && name[0] == '.'))
		n = 0;
	memcpy(ret_name, name, n);
	ret_name[n] = '\0';
}
