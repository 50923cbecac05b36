// SPDX-License-Identifier: Apache-2.0
#pragma once

// SipHash-2-4 (Aumasson, Bernstein 2012), for every table that a stranger can choose the keys of.
// The key is random per process (siphash_key_random) and never leaves it.
// Thread: any.

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

// A fresh key from getrandom(2).
struct siphash_key siphash_key_random(void);

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);
