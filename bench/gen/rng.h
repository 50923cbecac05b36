// SPDX-License-Identifier: Apache-2.0
#pragma once

// Random numbers that are the same everywhere and for ever (splitmix64), so that a seed names a
// capture. Not for secrets.
// Thread: the owner's.

#include <stdint.h>

struct rng {
	uint64_t s;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->s += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

// The stream that belongs to item i of a seed: items can be made in any order.
static inline struct rng rng_of(uint64_t seed, uint64_t i)
{
	struct rng r = {seed ^ i * 0xd1342543de82ef95};
	rng_next(&r);
	return r;
}

// 0..n-1; n > 0.
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)((rng_next(r) >> 32) * n >> 32);
}

static inline uint32_t rng_between(struct rng *r, uint32_t low, uint32_t high)
{
	return low + rng_below(r, high - low + 1);
}

// [0, 1)
static inline double rng_unit(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}
