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

// The token is token_finish(kind, more, token_sieve(more, hi, lo)), where
//   a network has      more: its length, hi and lo: the halves of the address, as memcpy has them
//   a pair or a port   more: token_port, hi and lo: likewise, 0 without an address
//   a name             the last token_name_step for its sieve, more: 0
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

// The first half of a token: what the filter is asked with, and most of the time all that is made.
static inline uint64_t
token_sieve(const struct token_secret *s, uint64_t more, uint64_t hi, uint64_t lo)
{
	return token_fold(hi ^ s->w[0] ^ more, lo ^ s->w[1]);
}

static inline uint64_t
token_finish(const struct token_secret *s, enum token_kind kind, uint64_t more, uint64_t sieve)
{
	uint64_t t = token_fold(sieve ^ s->w[2], s->w[3] ^ (uint64_t)kind << 32 ^ more);
	return t | ((t & 0xff) == 0); // Vectorscan takes a literal that begins with NUL for empty
}

static inline enum token_kind token_net_kind(bool v4)
{
	return v4 ? TOKEN_NET4 : TOKEN_NET6;
}

// What a port adds to an address, or to none.
static inline uint64_t token_port(uint16_t port, uint8_t proto)
{
	return (uint64_t)proto << 16 | port;
}

// Names are hashed from their end, so that one walk gives the tokens of all of a name's ends.
static inline uint64_t token_name_step(const struct token_secret *s, uint64_t h, char c)
{
	return token_fold(h ^ (uint8_t)c, s->w[1] | 1) + s->w[0];
}
