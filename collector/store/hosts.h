// SPDX-License-Identifier: Apache-2.0
#pragma once

// A growing hash table of hosts by address. Entries lie densely in one array; the index beside it
// holds hash and position, so that growing it does not touch them. The hash is seeded per process:
// strangers choose the addresses.
// Thread: the owner's.

#include "collector/store/rollup.h"

struct hosts {
	struct rollup_host *entries; // n in use; addresses move when one is added
	uint64_t *slots;	     // hash << 32 | position + 1; 0: empty
	size_t n, cap;		     // entries
	size_t n_slots;		     // a power of 2
	size_t n_max;		     // never more entries than this
	uint64_t seed[2];
};

void hosts_init(struct hosts *h, size_t n_max);
void hosts_fini(struct hosts *h);

// The entry of an address, made (all 0) when new; NULL without memory or beyond n_max. Good until
// the next call.
struct rollup_host *hosts_at(struct hosts *h, const struct addr *addr);
