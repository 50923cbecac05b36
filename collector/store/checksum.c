// SPDX-License-Identifier: Apache-2.0
#include "collector/store/checksum.h"

#include <endian.h>
#include <string.h>

#define PRIME1 0x9E3779B185EBCA87ull
#define PRIME2 0xC2B2AE3D27D4EB4Full
#define PRIME3 0x165667B19E3779F9ull
#define PRIME4 0x85EBCA77C2B2AE63ull
#define PRIME5 0x27D4EB2F165667C5ull

static inline uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t round64(uint64_t acc, uint64_t lane)
{
	return rotl(acc + lane * PRIME2, 31) * PRIME1;
}

// Whole stripes of 32 bytes, in four lanes that do not wait for each other.
static uint64_t stripes(const uint8_t *p, size_t n)
{
	uint64_t acc[4] = {PRIME1 + PRIME2, PRIME2, 0, -PRIME1};
	for (; n; n--, p += 32) {
		for (int i = 0; i < 4; i++)
			acc[i] = round64(acc[i], load64(p + 8 * i));
	}
	uint64_t h = rotl(acc[0], 1) + rotl(acc[1], 7) + rotl(acc[2], 12) + rotl(acc[3], 18);
	for (int i = 0; i < 4; i++)
		h = (h ^ round64(0, acc[i])) * PRIME1 + PRIME4;
	return h;
}

uint64_t checksum64(const void *data, size_t len)
{
	const uint8_t *p = data;
	const uint8_t *end = p + len;
	uint64_t h = len >= 32 ? stripes(p, len / 32) : PRIME5;
	h += len;
	for (p += len / 32 * 32; end - p >= 8; p += 8)
		h = rotl(h ^ round64(0, load64(p)), 27) * PRIME1 + PRIME4;
	if (end - p >= 4) {
		h = rotl(h ^ load32(p) * PRIME1, 23) * PRIME2 + PRIME3;
		p += 4;
	}
	for (; p < end; p++)
		h = rotl(h ^ *p * PRIME5, 11) * PRIME1;
	h = (h ^ h >> 33) * PRIME2;
	h = (h ^ h >> 29) * PRIME3;
	return h ^ h >> 32;
}
