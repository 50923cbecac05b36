// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stored values are little-endian: what the machines are that read them billions of times. A
// growing writer with a sticky error, and readers beside lib/base/buf.h (which does the bounds).
// Numbers of unknown size are LEB128 varints: 7 bits a byte, least significant first.
// Thread: the owner's.

#include "lib/base/buf.h"

#include <endian.h>
#include <stdlib.h>

struct bytes {
	uint8_t *p; // the writer's own
	size_t len, cap;
	bool bad; // memory ran out: what was written since is missing
};

static inline void bytes_fini(struct bytes *w)
{
	free(w->p);
	*w = (struct bytes){0};
}

// Room for n bytes, counted as written, or NULL.
static inline uint8_t *bytes_take(struct bytes *w, size_t n)
{
	if (w->cap - w->len < n) {
		size_t cap = w->cap * 2 > w->len + n ? w->cap * 2 : w->len + n + 256;
		uint8_t *p = realloc(w->p, cap);
		if (!p) {
			w->bad = true;
			return NULL;
		}
		w->p = p;
		w->cap = cap;
	}
	w->len += n;
	return w->p + w->len - n;
}

static inline void bytes_put(struct bytes *w, const void *data, size_t n)
{
	uint8_t *p = bytes_take(w, n);
	if (p && n)
		memcpy(p, data, n);
}

static inline void bytes_u8(struct bytes *w, uint8_t v)
{
	bytes_put(w, &v, 1);
}

static inline void bytes_u16(struct bytes *w, uint16_t v)
{
	v = htole16(v);
	bytes_put(w, &v, sizeof(v));
}

static inline void bytes_u32(struct bytes *w, uint32_t v)
{
	v = htole32(v);
	bytes_put(w, &v, sizeof(v));
}

static inline void bytes_u64(struct bytes *w, uint64_t v)
{
	v = htole64(v);
	bytes_put(w, &v, sizeof(v));
}

static inline void bytes_varint(struct bytes *w, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		bytes_u8(w, (uint8_t)(v | 0x80));
	bytes_u8(w, (uint8_t)v);
}

static inline uint16_t bytes_get_u16(struct buf *b)
{
	uint16_t v = 0;
	const uint8_t *p = buf_take(b, sizeof(v));
	if (p)
		memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline uint32_t bytes_get_u32(struct buf *b)
{
	uint32_t v = 0;
	const uint8_t *p = buf_take(b, sizeof(v));
	if (p)
		memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t bytes_get_u64(struct buf *b)
{
	uint64_t v = 0;
	const uint8_t *p = buf_take(b, sizeof(v));
	if (p)
		memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

// Bits beyond 64 make it bad.
static inline uint64_t bytes_get_varint(struct buf *b)
{
	uint64_t v = 0;
	for (int shift = 0; shift < 64; shift += 7) {
		uint8_t byte = buf_u8(b);
		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
	b->bad = true;
	return 0;
}
