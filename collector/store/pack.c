// SPDX-License-Identifier: Apache-2.0
#include "collector/store/pack.h"

#include "collector/store/unpack.h"
#include "lib/base/clock.h"

#include <errno.h>

#define BITS_MAX 56 // what one unaligned load of 64 bits holds, whatever the bit it starts at

static unsigned bits_of(uint64_t x)
{
	return x ? 64 - (unsigned)__builtin_clzll(x) : 0;
}

// Constants, so that the compiler makes multiplications of the divisions.
static uint64_t scaled(uint64_t x, uint64_t scale)
{
	switch (scale) {
	case NS_PER_USEC:
		return x / NS_PER_USEC;
	case NS_PER_MSEC:
		return x / NS_PER_MSEC;
	case NS_PER_SEC:
		return x / NS_PER_SEC;
	default:
		return x; // 1
	}
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
	if (!all_divide(v, n, base, NS_PER_USEC))
		return 1;
	if (!all_divide(v, n, base, NS_PER_MSEC))
		return NS_PER_USEC;
	return all_divide(v, n, base, NS_PER_SEC) ? NS_PER_SEC : NS_PER_MSEC;
}

// An exception costs its distance (mostly one byte), its value, and as much again for the time that
// it takes to read.
static size_t exception_len(unsigned bits)
{
	return 2 * (2 + (bits + 6) / 7);
}

struct pack_plan pack_plan(const uint64_t *v, uint32_t n, bool is_time)
{
	uint32_t needs[2][65] = {0}, need[65]; // two, as the same place is hit again and again
	struct pack_plan best = {.base = min_of(v, n), .scale = 1};
	if (is_time)
		best.scale = scale_of(v, n, best.base);
	for (uint32_t i = 0; i < n; i++)
		needs[i % 2][bits_of(scaled(v[i] - best.base, best.scale))]++;
	for (int bits = 0; bits <= 64; bits++)
		need[bits] = needs[0][bits] + needs[1][bits];

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

// Writes eight bytes for each value, of which those that it has filled stay: there are up to seven
// more at p than the values need.
static void put_bits(uint8_t *p, const struct pack_plan *plan, const uint64_t *v, uint32_t n)
{
	const uint64_t mask = (1ull << plan->bits) - 1, base = plan->base, scale = plan->scale;
	const unsigned bits = plan->bits;
	uint64_t held = 0;
	unsigned n_held = 0; // < 8 between values
	for (uint32_t i = 0; i < n; i++) {
		held |= (scaled(v[i] - base, scale) & mask) << n_held;
		n_held += bits;
		uint64_t word = htole64(held);
		memcpy(p, &word, sizeof(word));
		p += n_held / 8;
		held >>= n_held & ~7u; // below 64, with at most 56 bits a value
		n_held %= 8;
	}
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
	size_t len = data_len(n, plan->bits);
	uint8_t *p = bytes_take(out, len + sizeof(uint64_t));
	if (!p)
		return;
	out->len -= sizeof(uint64_t);
	if (!plan->bits)
		return;
	if (plan->bits == 64)
		put_words(p, plan, v, n);
	else
		put_bits(p, plan, v, n);
}

static void put_at(void *v, uint64_t at, unsigned width, uint64_t value)
{
	if (width == 1)
		((uint8_t *)v)[at] = (uint8_t)value;
	else if (width == 2)
		((uint16_t *)v)[at] = (uint16_t)value;
	else if (width == 4)
		((uint32_t *)v)[at] = (uint32_t)value;
	else
		((uint64_t *)v)[at] = value;
}

// More bits than unpack32 gives: values of a full range.
static void get_wide(const struct pack *p, unsigned width, void *ret_v)
{
	uint64_t mask = p->bits < 64 ? (1ull << p->bits) - 1 : ~0ull;
	for (uint32_t i = 0; i < p->n; i++) {
		size_t at = (size_t)i * p->bits, left = p->len - at / 8;
		uint64_t word = 0;
		memcpy(&word, p->data + at / 8, left < 8 ? left : 8);
		put_at(ret_v, i, width, (le64toh(word) >> (at % 8) & mask) * p->scale + p->base);
	}
}

#define CHUNK 1024

#define STORE(type, value)                                                                         \
	do {                                                                                       \
		type *to = (type *)ret_v + first;                                                  \
		for (uint32_t i = 0; i < n; i++)                                                   \
			to[i] = (type)(value);                                                     \
	} while (0)

// The x of a chunk as values. All but times have a scale of 1.
static void store_chunk(
	const struct pack *p,
	const uint32_t *x,
	uint32_t first,
	uint32_t n,
	unsigned width,
	void *ret_v
)
{
	const uint64_t base = p->base, scale = p->scale;
	const uint32_t base32 = (uint32_t)base, scale32 = (uint32_t)scale;
	if (width == 1)
		STORE(uint8_t, x[i] * scale32 + base32);
	else if (width == 2)
		STORE(uint16_t, x[i] * scale32 + base32);
	else if (width == 4)
		STORE(uint32_t, x[i] * scale32 + base32);
	else if (scale == 1)
		STORE(uint64_t, x[i] + base);
	else
		STORE(uint64_t, x[i] * scale + base);
}

static void get_narrow(const struct pack *p, unsigned width, void *ret_v)
{
	uint32_t x[CHUNK] = {0};
	for (uint32_t first = 0, n; first < p->n; first += n) {
		n = p->n - first < CHUNK ? p->n - first : CHUNK;
		if (p->bits)
			unpack32(p->data, p->len, p->bits, first, n, x);
		store_chunk(p, x, first, n, width, ret_v);
	}
}

void pack_unpack(const struct pack *p, unsigned width, void *ret_v)
{
	struct buf exceptions = p->exceptions;
	uint64_t at = 0;
	if (p->bits <= UNPACK_BITS_MAX)
		get_narrow(p, width, ret_v);
	else
		get_wide(p, width, ret_v);
	for (uint64_t left = p->n_exceptions; left; left--) {
		at += bytes_get_varint(&exceptions);
		put_at(ret_v, at, width, bytes_get_varint(&exceptions) * p->scale + p->base);
	}
}

// Goes over the exceptions: each must be of one of the n values.
static int skip_exceptions(struct buf *in, uint32_t n, uint64_t n_exceptions)
{
	uint64_t at = 0;
	for (; n_exceptions; n_exceptions--) {
		uint64_t step = bytes_get_varint(in);
		at += step;
		(void)bytes_get_varint(in);
		if (in->bad || step >= n || at >= n)
			return -EIO;
	}
	return 0;
}

int pack_parse(struct buf *in, uint32_t n, struct pack *ret_pack)
{
	struct pack p = {.n = n};
	p.bits = buf_u8(in);
	p.base = bytes_get_varint(in);
	p.scale = bytes_get_varint(in);
	p.n_exceptions = bytes_get_varint(in);
	if (in->bad || (p.bits > BITS_MAX && p.bits != 64) || p.n_exceptions > n)
		return -EIO;
	p.exceptions = *in;
	if (skip_exceptions(in, n, p.n_exceptions) < 0)
		return -EIO;
	p.len = data_len(n, p.bits);
	p.data = buf_take(in, p.len);
	if (!p.data || in->bad)
		return -EIO;
	*ret_pack = p;
	return 0;
}

int pack_decode(struct buf *in, uint64_t *ret_v, uint32_t n)
{
	struct pack p;
	int ret = pack_parse(in, n, &p);
	if (ret == 0)
		pack_unpack(&p, 8, ret_v);
	return ret;
}
