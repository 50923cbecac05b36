// SPDX-License-Identifier: Apache-2.0
#include "collector/store/hosts.h"

#include "lib/base/siphash.h"

#include <stdlib.h>
#include <string.h>

#define HOSTS_START 1024

void hosts_init(struct hosts *h, size_t n_max)
{
	struct siphash_key key = siphash_key_random();
	*h = (struct hosts){.n_max = n_max, .seed = {key.k0, key.k1 | 1}};
}

void hosts_fini(struct hosts *h)
{
	free(h->entries);
	free(h->slots);
	h->entries = NULL;
	h->slots = NULL;
	h->n = h->cap = h->n_slots = 0;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Two folded multiplications with a secret operand each (the idea of wyhash): 2 ns where SipHash
// takes 20, and a table of this process cannot be collided without knowing the secret.
static inline uint64_t hash_of(const struct hosts *h, const struct addr *addr)
{
	uint64_t hi, lo;
	memcpy(&hi, addr->b, 8);
	memcpy(&lo, addr->b + 8, 8);
	return mix(mix(hi ^ h->seed[0], lo ^ h->seed[1]) ^ h->seed[0], 0x9e3779b97f4a7c15ull ^ lo);
}

static bool grow_entries(struct hosts *h)
{
	size_t cap = h->cap ? h->cap * 2 : HOSTS_START;
	struct rollup_host *entries = realloc(h->entries, cap * sizeof(*entries));
	if (!entries)
		return false;
	h->entries = entries;
	h->cap = cap;
	return true;
}

static bool grow_slots(struct hosts *h)
{
	size_t n_slots = h->n_slots ? h->n_slots * 2 : 2 * HOSTS_START;
	uint64_t *slots = calloc(n_slots, sizeof(*slots));
	if (!slots)
		return false;
	for (size_t i = 0; i < h->n_slots; i++) {
		size_t at = (h->slots[i] >> 32) & (n_slots - 1);
		if (!h->slots[i])
			continue;
		while (slots[at])
			at = (at + 1) & (n_slots - 1);
		slots[at] = h->slots[i];
	}
	free(h->slots);
	h->slots = slots;
	h->n_slots = n_slots;
	return true;
}

static struct rollup_host *add(struct hosts *h, const struct addr *addr, uint64_t tag, size_t at)
{
	if (h->n >= h->n_max || (h->n == h->cap && !grow_entries(h)))
		return NULL;
	struct rollup_host *entry = &h->entries[h->n++];
	*entry = (struct rollup_host){.addr = *addr};
	h->slots[at] = tag << 32 | h->n;
	return entry;
}

struct rollup_host *hosts_at(struct hosts *h, const struct addr *addr)
{
	if (h->n * 2 >= h->n_slots && !grow_slots(h))
		return NULL;
	uint64_t tag = hash_of(h, addr) >> 32;
	size_t at = tag & (h->n_slots - 1);
	for (; h->slots[at]; at = (at + 1) & (h->n_slots - 1)) {
		if (h->slots[at] >> 32 != tag)
			continue;
		struct rollup_host *entry = &h->entries[(uint32_t)h->slots[at] - 1];
		if (addr_eq(&entry->addr, addr))
			return entry;
	}
	return add(h, addr, tag, at);
}
