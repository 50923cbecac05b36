// SPDX-License-Identifier: Apache-2.0
#pragma once

// The PACK form of collector/store/ints.h: value = base + scale * x, the x in `bits` bits each, one
// after the other from the low bit of the first byte on; those that do not fit are exceptions,
// listed by position. The plan is made from a histogram of how many bits each x needs.
// Thread: any.

#include "collector/store/bytes.h"

struct pack_plan {
	uint64_t base, scale;
	uint32_t n_exceptions;
	uint8_t bits; // 0..56 or 64
	size_t len;   // estimate of the bytes needed
};

// The cheapest plan for the array; is_time: scales of 1 µs, 1 ms, 1 s are tried.
struct pack_plan pack_plan(const uint64_t *v, uint32_t n, bool is_time);

void pack_encode(const struct pack_plan *plan, struct bytes *out, const uint64_t *v, uint32_t n);

// A pack that has been looked through, but not unpacked.
struct pack {
	const uint8_t *data; // of the bytes it was taken from
	size_t len;
	unsigned bits;
	uint64_t base, scale, n_exceptions;
	struct buf exceptions; // their places are below n
	uint32_t n;
};

// Takes a pack of n values. 0, or -EIO.
[[nodiscard]] int pack_parse(struct buf *in, uint32_t n, struct pack *ret_pack);

// Unpacks all values, as numbers of `width` bytes (1, 2, 4 or 8); higher bits are lost.
void pack_unpack(const struct pack *p, unsigned width, void *ret_v);

// Both. 0, or -EIO.
[[nodiscard]] int pack_decode(struct buf *in, uint64_t *ret_v, uint32_t n);
