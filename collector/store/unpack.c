// SPDX-License-Identifier: Apache-2.0
#include "collector/store/unpack.h"

#include <endian.h>
#include <string.h>

// Number i by assembling its bytes: near the end, where a load of 8 bytes would go past it.
static uint64_t get_slow(const uint8_t *p, size_t len, unsigned bits, size_t i)
{
	size_t at = i * bits;
	uint8_t bytes[8] = {0};
	uint64_t word;
	for (size_t k = 0; k < 8 && at / 8 + k < len; k++)
		bytes[k] = p[at / 8 + k];
	memcpy(&word, bytes, 8);
	return le64toh(word) >> (at % 8);
}

void unpack32_plain(
	const uint8_t *p, size_t len, unsigned bits, uint32_t first, uint32_t n, uint32_t *ret_v
)
{
	const uint64_t mask = (UINT64_C(1) << bits) - 1;
	// The numbers whose load of 8 bytes stays inside.
	size_t n_fast = len >= 8 ? (len - 8) * 8 / bits + 1 : 0;
	size_t at = (size_t)first * bits;
	uint32_t i = 0;
	for (; i < n && first + (size_t)i < n_fast; i++, at += bits) {
		uint64_t word;
		memcpy(&word, p + at / 8, 8);
		ret_v[i] = (uint32_t)(le64toh(word) >> (at % 8) & mask);
	}
	for (; i < n; i++)
		ret_v[i] = (uint32_t)(get_slow(p, len, bits, first + (size_t)i) & mask);
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2_BITS_MAX 25 // with the bits before it in its first byte a number is within 4 bytes

// Eight numbers begin with a byte of their own. The first four and the last four are each within
// 16 bytes; a shuffle brings each number's bytes together, and shifts take what is before it away.
__attribute__((target("avx2"))) static uint32_t
unpack_groups(const uint8_t *p, size_t len, unsigned bits, uint32_t n, uint32_t *ret_v)
{
	uint8_t shuffle[32];
	uint32_t shift[8];
	const size_t half = bits / 2; // bytes until the fifth number's first one
	for (unsigned k = 0; k < 8; k++) {
		unsigned at = k * bits - (k < 4 ? 0 : (unsigned)half * 8);
		shift[k] = at % 8;
		for (unsigned b = 0; b < 4; b++)
			shuffle[4 * k + b] = (uint8_t)(at / 8 + b < 16 ? at / 8 + b : 0x80);
	}
	const __m256i pick = _mm256_loadu_si256((const __m256i *)shuffle);
	const __m256i by = _mm256_loadu_si256((const __m256i *)shift);
	const __m256i mask = _mm256_set1_epi32((int)((UINT32_C(1) << bits) - 1));
	uint32_t i = 0;
	for (size_t at = 0; i + 8 <= n && at + half + 16 <= len; i += 8, at += bits) {
		__m128i lo = _mm_loadu_si128((const __m128i *)(p + at));
		__m128i hi = _mm_loadu_si128((const __m128i *)(p + at + half));
		__m256i v = _mm256_inserti128_si256(_mm256_castsi128_si256(lo), hi, 1);
		v = _mm256_and_si256(_mm256_srlv_epi32(_mm256_shuffle_epi8(v, pick), by), mask);
		_mm256_storeu_si256((__m256i *)(ret_v + i), v);
	}
	return i;
}

void unpack32(
	const uint8_t *p, size_t len, unsigned bits, uint32_t first, uint32_t n, uint32_t *ret_v
)
{
	uint32_t done = 0;
	size_t skip = (size_t)first / 8 * bits;
	if (bits <= AVX2_BITS_MAX && skip < len && __builtin_cpu_supports("avx2"))
		done = unpack_groups(p + skip, len - skip, bits, n, ret_v);
	unpack32_plain(p, len, bits, first + done, n - done, ret_v + done);
}
#else
void unpack32(
	const uint8_t *p, size_t len, unsigned bits, uint32_t first, uint32_t n, uint32_t *ret_v
)
{
	unpack32_plain(p, len, bits, first, n, ret_v);
}
#endif
