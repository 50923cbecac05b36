// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything that can be looked up (an address under a prefix length, an address with a port, a
// port, the end of a name) becomes a token of eight mixed bytes, and so does every indicator. The
// literals that Hyperscan gets are then all of one length, without the runs of zeros and the shared
// endings that make it slow or, in 5.4.0, wrong. A token only says "perhaps": what it stands for is
// compared afterwards. The secret is the process's (or its cache's): nobody outside can make
// tokens collide.
// Thread: any; pure.

#include "lib/intel/indicator.h"

#define TOKEN_LEN 8

struct token_secret {
	uint64_t w[4];
};

enum token_kind {
	TOKEN_NET4 = 1,
	TOKEN_NET6,
	TOKEN_ADDR_PORT,
	TOKEN_PORT,
	TOKEN_NAME,
	TOKEN_EXACT
};

static inline uint64_t token_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t token_mix(
	const struct token_secret *s, enum token_kind kind, uint64_t more, uint64_t hi, uint64_t lo
)
{
	uint64_t h = token_fold(hi ^ s->w[0] ^ more, lo ^ s->w[1]);
	return token_fold(h ^ s->w[2], s->w[3] ^ (uint64_t)kind << 32 ^ more);
}

// `hi` and `lo` are the halves of the masked address, as memcpy has them.
static inline uint64_t
token_net(const struct token_secret *s, bool v4, unsigned len, uint64_t hi, uint64_t lo)
{
	return token_mix(s, v4 ? TOKEN_NET4 : TOKEN_NET6, len, hi, lo);
}

static inline uint64_t token_addr_port(
	const struct token_secret *s, uint64_t hi, uint64_t lo, uint16_t port, uint8_t proto
)
{
	return token_mix(s, TOKEN_ADDR_PORT, (uint64_t)proto << 16 | port, hi, lo);
}

static inline uint64_t token_port(const struct token_secret *s, uint16_t port, uint8_t proto)
{
	return token_mix(s, TOKEN_PORT, (uint64_t)proto << 16 | port, 0, 0);
}

// Names are hashed from their end, so that one walk gives the tokens of all of a name's ends.
static inline uint64_t token_name_step(const struct token_secret *s, uint64_t h, char c)
{
	return token_fold(h ^ (uint8_t)c, s->w[1] | 1) + s->w[0];
}

static inline uint64_t token_name(const struct token_secret *s, bool is_exact, uint64_t h)
{
	return token_mix(s, is_exact ? TOKEN_EXACT : TOKEN_NAME, 0, h, h >> 7);
}
