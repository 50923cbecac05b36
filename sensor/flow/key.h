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

static inline uint64_t flow_key_hash(const struct flow_key *k, const struct flow_secret *s)
{
	uint64_t w[6];
	static_assert(sizeof(w) == sizeof(*k), "the key is six words without padding");
	memcpy(w, k, sizeof(w));
	uint64_t h = key_fold(w[0] ^ s->w[0], w[1] ^ s->w[1]) ^
		     key_fold(w[2] ^ s->w[2], w[3] ^ s->w[3]) ^
		     key_fold(w[4] ^ s->w[4], w[5] ^ s->w[5]);
	return key_fold(h ^ s->w[6], s->w[7] | 1);
}

static inline bool flow_key_eq(const struct flow_key *a, const struct flow_key *b)
{
	uint64_t x[6], y[6];
	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]) |
		(x[5] ^ y[5])) == 0;
}

// True when the source is the higher end. Equal addresses are ordered by port.
static inline bool key_src_is_high(const struct packet *p)
{
	uint64_t s[2], d[2];
	memcpy(s, p->src.b, sizeof(s));
	memcpy(d, p->dst.b, sizeof(d));
	if (s[0] != d[0])
		return s[0] > d[0]; // any order will do: no swap of bytes
	if (s[1] != d[1])
		return s[1] > d[1];
	return p->sport > p->dport;
}

// Fills the key; true when the packet's source is its higher end.
static inline bool flow_key_of(const struct packet *p, bool with_vlan, struct flow_key *ret_key)
{
	bool high = key_src_is_high(p);
	uint64_t ports =
		high ? (uint64_t)p->dport << 16 | p->sport : (uint64_t)p->sport << 16 | p->dport;
	uint64_t vlans = with_vlan ? (uint64_t)p->vlan << 12 | p->cvlan : 0;
	ret_key->low = high ? p->dst : p->src;
	ret_key->high = high ? p->src : p->dst;
	ret_key->rest = ports << 32 | vlans << 8 | p->proto;
	ret_key->tunnel = (uint64_t)p->tunnel_kind << 56 | (p->tunnel_id & ((1ull << 56) - 1));
	return high;
}
