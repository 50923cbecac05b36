// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers of a few bits each, one after the other from the low bit of the first byte on, to one
// number each. Two ways that give the same: plain C, and AVX2 where the processor has it.
// Thread: any.

#include <stddef.h>
#include <stdint.h>

#define UNPACK_BITS_MAX 32

// Numbers `first` (a multiple of 8) to first + n - 1 of the `len` bytes at p, which hold them all;
// bits: 1 to UNPACK_BITS_MAX.
void unpack32(
	const uint8_t *p, size_t len, unsigned bits, uint32_t first, uint32_t n, uint32_t *ret_v
);

// The same without AVX2.
void unpack32_plain(
	const uint8_t *p, size_t len, unsigned bits, uint32_t first, uint32_t n, uint32_t *ret_v
);
