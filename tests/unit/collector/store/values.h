// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stored bytes under attack. A decoder always gets a copy of exactly the size at hand, on the heap,
// so that a sanitizer sees each read past its end.

#include "collector/store/bytes.h"
#include "tests/unit/cmocka.h"

#include <errno.h>

// A decoder and what it needs: 0, or -EIO for bytes that are not a value.
struct values {
	int (*decode)(void *ctx, const void *p, size_t len);
	void *ctx;
};

static inline int values_decode(const struct values *v, const void *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	assert_non_null(copy);
	if (len)
		memcpy(copy, p, len);
	int ret = v->decode(v->ctx, copy, len);
	free(copy);
	return ret;
}

// What is shorter by any number of bytes is no value.
static inline void values_refuse_truncation(const struct values *v, const struct bytes *b)
{
	// Each length near the ends, some in between: long values have many.
	size_t step = b->len > 4096 ? b->len / 512 : 1;
	for (size_t len = 0; len < b->len; len += len < 256 || b->len - len < 256 ? 1 : step) {
		if (values_decode(v, b->p, len) != -EIO)
			fail_msg("%zu of %zu bytes were taken for a value", len, b->len);
	}
}

// A value with a checksum: one bit turned over is found, wherever it is.
static inline void values_refuse_flips(const struct values *v, const struct bytes *b)
{
	size_t step = b->len > 512 ? b->len * 8 / 4096 + 1 : 1;
	for (size_t bit = 0; bit < b->len * 8; bit += step) {
		b->p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (values_decode(v, b->p, b->len) != -EIO)
			fail_msg("bit %zu of %zu bytes was turned over unnoticed", bit, b->len);
		b->p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

// Bytes without a checksum: they give a value or none, and nothing beyond them is read.
static inline void values_survive_flips(const struct values *v, const struct bytes *b)
{
	size_t step = b->len > 512 ? b->len * 8 / 4096 + 1 : 1;
	for (size_t bit = 0; bit < b->len * 8; bit += step) {
		b->p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		int ret = values_decode(v, b->p, b->len);
		assert_true(ret == 0 || ret == -EIO);
		b->p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
