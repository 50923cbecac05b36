// SPDX-License-Identifier: Apache-2.0
#pragma once

// Arrays of integers that try the integer codings: plain ones, and those that are hard on them.

#include "lib/base/clock.h"
#include "tests/unit/collector/store/rows.h"

enum array {
	ARRAY_ZERO,
	ARRAY_CONSTANT,
	ARRAY_ALL_ONES,
	ARRAY_SORTED,
	ARRAY_STEPS, // rising by the same step
	ARRAY_FALLING,
	ARRAY_SMALL,
	ARRAY_RANDOM, // 64 bits
	ARRAY_FEW,    // of few distinct large values
	ARRAY_OUTLIERS,
	ARRAY_ALTERNATING, // 0 and the largest
	ARRAY_WIDE,	   // 57 to 63 bits
	ARRAY_MSEC,	   // times in whole milliseconds
	ARRAY_N
};

static inline uint64_t arrays_value(enum array a, uint32_t i, uint32_t n)
{
	static const uint64_t few[] = {7, 1ull << 40, 0x123456789abcdef0, UINT64_MAX - 9};
	switch (a) {
	case ARRAY_ZERO:
		return 0;
	case ARRAY_CONSTANT:
		return 0xdeadbeefcafe;
	case ARRAY_ALL_ONES:
		return UINT64_MAX;
	case ARRAY_SORTED:
		return ((uint64_t)i << 40) + rows_below(1ull << 40);
	case ARRAY_STEPS:
		return 1000 + 1000000007ull * i;
	case ARRAY_FALLING:
		return (uint64_t)(n - i) * 12345;
	case ARRAY_SMALL:
		return rows_below(100);
	case ARRAY_FEW:
		return few[rows_below(4)];
	case ARRAY_OUTLIERS:
		return rows_below(50) ? rows_below(16) : rows_random();
	case ARRAY_ALTERNATING:
		return i % 2 ? UINT64_MAX : 0;
	case ARRAY_WIDE:
		return rows_random() >> (1 + rows_below(7));
	case ARRAY_MSEC:
		return (1766000000000ull + rows_below(3600000)) * NS_PER_MSEC;
	default:
		return rows_random();
	}
}

// n values; the caller frees them.
static inline uint64_t *arrays_make(enum array a, uint32_t n)
{
	uint64_t *v = malloc((n + 1) * sizeof(*v));
	assert_non_null(v);
	for (uint32_t i = 0; i < n; i++)
		v[i] = arrays_value(a, i, n);
	return v;
}

// Room for exactly n values, so that a write past them is seen.
static inline uint64_t *arrays_room(uint32_t n)
{
	uint64_t *v = malloc(n ? n * sizeof(*v) : 1);
	assert_non_null(v);
	return v;
}
