// SPDX-License-Identifier: Apache-2.0
#pragma once

// Arrays of unsigned 64-bit integers as bytes, in the smallest of three simple forms:
//   PACK   frame of reference: base + scale * (a few bits each), with the few that need more bits
//          apart as exceptions; all equal values need 0 bits
//   DELTA  the first value and the PACK of the steps, for rising ones
//   DICT   the distinct values in rising order (as PACK or DELTA) and a PACK of their numbers
// The layout is in docs/STORE.md. Bytes are foreign when decoded: every length is checked.
// Thread: the owner's of the coder.

#include "collector/store/bytes.h"
#include "collector/store/dedupe.h"

// FAST tries no dictionaries: rows on their way into the journal. SMALL tries all.
enum ints_effort { INTS_FAST, INTS_SMALL };

// Scratch memory for the arrays on their way.
struct ints_coder {
	struct dedupe dedupe;
	uint64_t *dict;	 // the distinct values
	uint64_t *steps; // differences; the dictionary's numbers
	uint32_t *codes; // the dictionary's numbers on their way out
	uint32_t cap;
};

void ints_init(struct ints_coder *c);
void ints_fini(struct ints_coder *c);

struct ints_spec {
	enum ints_effort effort;
	bool is_time; // often whole milliseconds or seconds: a scale is tried
	bool steps;   // may be rising in parts, with leaps between: steps are tried in any case
};

// Appends the coded array to `out`. 0, or -ENOMEM.
[[nodiscard]] int ints_encode(
	struct ints_coder *c,
	struct bytes *out,
	const uint64_t *v,
	uint32_t n,
	struct ints_spec spec
);

// Takes an array of n values from `in`, as numbers of `width` bytes (1, 2, 4 or 8; higher bits are
// lost). 0, -EIO when the bytes are not one, or -ENOMEM.
[[nodiscard]] int
ints_decode_as(struct ints_coder *c, struct buf *in, unsigned width, void *ret_v, uint32_t n);

// Takes an array of n values from `in`. 0, -EIO when the bytes are not one, or -ENOMEM.
[[nodiscard]] int ints_decode(struct ints_coder *c, struct buf *in, uint64_t *ret_v, uint32_t n);
