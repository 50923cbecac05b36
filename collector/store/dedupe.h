// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers the distinct ones among n items, for dictionaries. The scratch memory stays for the next
// run. Items are known by hash and comparison only.
// Thread: the owner's.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedupe_items {
	const void *ctx;
	uint64_t (*hash)(const void *ctx, uint32_t i, uint64_t seed); // mixes seed in
	bool (*equal)(const void *ctx, uint32_t i, uint32_t j);
};

struct dedupe {
	uint32_t *slots; // position in first + 1; 0: empty
	size_t n_slots;
	uint32_t *first; // of each distinct item: where it came first
	uint32_t *index; // of each item: its number among the distinct
	uint32_t n;	 // distinct ones
	uint32_t cap;	 // items there is room for
	uint64_t seed;	 // random: foreign values must not be able to collide
};

static inline uint64_t dedupe_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

void dedupe_init(struct dedupe *d);
void dedupe_fini(struct dedupe *d);

// 0; -E2BIG when there are more than n_max distinct ones; -ENOMEM.
[[nodiscard]] int
dedupe_run(struct dedupe *d, const struct dedupe_items *items, uint32_t n, uint32_t n_max);
