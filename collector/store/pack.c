// SPDX-License-Identifier: Apache-2.0
#include "collector/store/pack.h"

#include "lib/base/clock.h"

#include <errno.h>

#define BITS_MAX 56 // what one unaligned load of 64 bits holds, whatever the bit it starts at

static unsigned bits_of(uint64_t x)
{
	return x ? 64 - (unsigned)__builtin_clzll(x) : 0;
}

static uint64_t scaled(uint64_t x, uint64_t scale)
{
	return scale > 1 ? x / scale : x;
}

static size_t data_len(uint32_t n, unsigned bits)
{
	return ((size_t)n * bits + 7) / 8;
}

static uint64_t min_of(const uint64_t *v, uint32_t n)
{
	uint64_t min = n ? v[0] : 0;
	for (uint32_t i = 1; i < n; i++)
		min = v[i] < min ? v[i] : min;
	return min;
}

static bool all_divide(const uint64_t *v, uint32_t n, uint64_t base, uint64_t scale)
{
	for (uint32_t i = 0; i < n; i++) {
		if ((v[i] - base) % scale)
			return false;
	}
	return true;
}

static uint64_t scale_of(const uint64_t *v, uint32_t n, uint64_t base)
{
	// Constants, so that the compiler makes multiplications of the divisions.
	if (!all_divide(v, n, base, NS_PER_USEC))
		return 1;
	if (!all_divide(v, n, base, NS_PER_MSEC))
		return NS_PER_USEC;
	return all_divide(v, n, base, NS_PER_SEC) ? NS_PER_SEC : NS_PER_MSEC;
}

// An exception costs its distance (mostly one byte) and its value.
static size_t exception_len(unsigned bits)
{
	return 2 + (bits + 6) / 7;
}

struct pack_plan pack_plan(const uint64_t *v, uint32_t n, bool is_time)
{
	uint32_t need[65] = {0};
	struct pack_plan best = {.base = min_of(v, n), .scale = 1};
	if (is_time)
		best.scale = scale_of(v, n, best.base);
	for (uint32_t i = 0; i < n; i++)
		need[bits_of(scaled(v[i] - best.base, best.scale))]++;

	uint32_t n_over = 0;
	size_t over_len = 0;
	best.len = SIZE_MAX;
	for (int bits = 64; bits >= 0; bits--) {
		size_t len = data_len(n, (unsigned)bits) + over_len;
		if (len < best.len && (bits <= BITS_MAX || bits == 64)) {
			best.bits = (uint8_t)bits;
			best.n_exceptions = n_over;
			best.len = len;
		}
		n_over += need[bits];
		over_len += need[bits] * exception_len((unsigned)bits);
	}
	best.len += 6;
	return best;
}

static void
put_exceptions(const struct pack_plan *plan, struct bytes *out, const uint64_t *v, uint32_t n)
{
	uint32_t last = 0;
	for (uint32_t i = 0; i < n && plan->n_exceptions; i++) {
		uint64_t x = scaled(v[i] - plan->base, plan->scale);
		if (bits_of(x) <= plan->bits)
			continue;
		bytes_varint(out, i - last);
		bytes_varint(out, x);
		last = i;
	}
}

static void put_bits(uint8_t *p, const struct pack_plan *plan, const uint64_t *v, uint32_t n)
{
	uint64_t mask = plan->bits < 64 ? (1ull << plan->bits) - 1 : ~0ull;
	uint64_t held = 0;
	unsigned n_held = 0; // < 8 between values
	for (uint32_t i = 0; i < n; i++) {
		uint64_t x = scaled(v[i] - plan->base, plan->scale);
		held |= (x & mask) << n_held;
		for (n_held += plan->bits; n_held >= 8; n_held -= 8, held >>= 8)
			*p++ = (uint8_t)held;
	}
	if (n_held)
		*p = (uint8_t)held;
}

static void put_words(uint8_t *p, const struct pack_plan *plan, const uint64_t *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++, p += 8) {
		uint64_t x = htole64(scaled(v[i] - plan->base, plan->scale));
		memcpy(p, &x, 8);
	}
}

void pack_encode(const struct pack_plan *plan, struct bytes *out, const uint64_t *v, uint32_t n)
{
	bytes_u8(out, plan->bits);
	bytes_varint(out, plan->base);
	bytes_varint(out, plan->scale);
	bytes_varint(out, plan->n_exceptions);
	put_exceptions(plan, out, v, n);
	uint8_t *p = bytes_take(out, data_len(n, plan->bits));
	if (!p || !plan->bits)
		return;
	if (plan->bits == 64)
		put_words(p, plan, v, n);
	else
		put_bits(p, plan, v, n);
}

// Value i by assembling its bytes: near the end, where a load of 8 bytes would go past it.
static uint64_t get_slow(const uint8_t *p, size_t len, unsigned bits, uint32_t i)
{
	size_t at = (size_t)i * bits;
	uint8_t bytes[8] = {0};
	uint64_t word;
	for (size_t k = 0; k < 8 && at / 8 + k < len; k++)
		bytes[k] = p[at / 8 + k];
	memcpy(&word, bytes, 8);
	return le64toh(word) >> (at % 8);
}

static void get_bits(const uint8_t *p, size_t len, unsigned bits, uint64_t *ret_v, uint32_t n)
{
	uint64_t mask = bits < 64 ? (1ull << bits) - 1 : ~0ull;
	if (bits == 0) {
		memset(ret_v, 0, n * sizeof(*ret_v));
		return;
	}
	// The values whose load of 8 bytes stays inside.
	size_t n_fast = len >= 8 ? (len - 8) * 8 / bits + 1 : 0;
	uint32_t i = 0;
	for (size_t at = 0; i < n && i < n_fast; i++, at += bits) {
		uint64_t word;
		memcpy(&word, p + at / 8, 8);
		ret_v[i] = le64toh(word) >> (at % 8) & mask;
	}
	for (; i < n; i++)
		ret_v[i] = get_slow(p, len, bits, i) & mask;
}

static int get_exceptions(struct buf *in, uint64_t *ret_v, uint32_t n, uint64_t n_exceptions)
{
	uint64_t at = 0;
	for (; n_exceptions; n_exceptions--) {
		at += bytes_get_varint(in);
		if (in->bad || at >= n)
			return -EIO;
		ret_v[at] = bytes_get_varint(in);
	}
	return 0;
}

int pack_decode(struct buf *in, uint64_t *ret_v, uint32_t n)
{
	unsigned bits = buf_u8(in);
	uint64_t base = bytes_get_varint(in);
	uint64_t scale = bytes_get_varint(in);
	uint64_t n_exceptions = bytes_get_varint(in);
	if (in->bad || (bits > BITS_MAX && bits != 64) || n_exceptions > n)
		return -EIO;
	struct buf exceptions = *in; // applied once the rest is there
	for (uint64_t left = 2 * n_exceptions; left && !in->bad; left--)
		(void)bytes_get_varint(in);
	size_t len = data_len(n, bits);
	const uint8_t *data = buf_take(in, len);
	if (!data || in->bad) // the exceptions may have been cut, with no data behind them
		return -EIO;
	get_bits(data, len, bits, ret_v, n);
	if (get_exceptions(&exceptions, ret_v, n, n_exceptions) < 0)
		return -EIO;
	for (uint32_t i = 0; scale != 1 && i < n; i++)
		ret_v[i] *= scale;
	for (uint32_t i = 0; base && i < n; i++)
		ret_v[i] += base;
	return 0;
}
