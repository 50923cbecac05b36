// SPDX-License-Identifier: Apache-2.0
#pragma once

// The key of a packet's flow, and its hash. The hash is keyed by secrets of the process, so that no
// sender can choose packets that share a bucket: three folded 64×64→128 bit products over the six
// words of the key, each word masked by a secret of its own.
// Thread: worker.

#include "sensor/flow/flow.h"
#include "sensor/packet/packet.h"

struct flow_secret {
	uint64_t w[8];
};

static inline uint64_t key_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// The key as six words. Copied through memory in any other width than it was written, the words
// would wait for the stores: a dozen cycles per packet.
typedef uint64_t key_word __attribute__((may_alias));
static_assert(sizeof(struct flow_key) == 6 * sizeof(key_word), "no padding");

static inline uint64_t flow_key_hash(const struct flow_key *k, const struct flow_secret *s)
{
	const key_word *w = (const key_word *)k;
	uint64_t h = key_fold(w[0] ^ s->w[0], w[1] ^ s->w[1]) ^
		     key_fold(w[2] ^ s->w[2], w[3] ^ s->w[3]) ^
		     key_fold(w[4] ^ s->w[4], w[5] ^ s->w[5]);
	return key_fold(h ^ s->w[6], s->w[7] | 1);
}

static inline bool flow_key_eq(const struct flow_key *a, const struct flow_key *b)
{
	const key_word *x = (const key_word *)a, *y = (const key_word *)b;
	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]) |
		(x[5] ^ y[5])) == 0;
}

// Which parts of a packet besides its 5-tuple tell flows apart.
struct flow_key_parts {
	uint64_t vlans, tunnel; // masks over those words
};

// The tunnel's id when both directions have the same one, else only its kind.
static inline struct flow_key_parts flow_key_parts(bool vlan, bool tunnel)
{
	return (struct flow_key_parts){.vlans = 0 - (uint64_t)vlan, .tunnel = 0 - (uint64_t)tunnel};
}

// Fills the key; true when the packet's source is its higher end: any order of addresses will do,
// equal ones are ordered by port. Without branches: which end sends is a coin toss.
static inline bool
flow_key_of(const struct packet *p, const struct flow_key_parts *parts, struct flow_key *ret_key)
{
	const key_word *s = (const key_word *)&p->src, *d = (const key_word *)&p->dst;
	uint64_t s0 = s[0], s1 = s[1], d0 = d[0], d1 = d[1];
	bool high = (s0 > d0) | ((s0 == d0) & ((s1 > d1) | ((s1 == d1) & (p->sport > p->dport))));
	uint64_t mask = 0 - (uint64_t)high;
	uint64_t swap0 = (s0 ^ d0) & mask, swap1 = (s1 ^ d1) & mask;
	uint64_t swap_ports = (uint64_t)(p->sport ^ p->dport) & mask;
	uint64_t ports = (p->sport ^ swap_ports) << 16 | (p->dport ^ swap_ports);
	uint64_t vlans = ((uint64_t)p->vlan << 12 | p->cvlan) & parts->vlans;
	key_word *w = (key_word *)ret_key;
	w[0] = s0 ^ swap0;
	w[1] = s1 ^ swap1;
	w[2] = d0 ^ swap0;
	w[3] = d1 ^ swap1;
	w[4] = ports << 32 | vlans << 8 | p->proto;
	w[5] = p->tunnel & parts->tunnel;
	return high;
}
