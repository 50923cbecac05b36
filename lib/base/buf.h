// SPDX-License-Identifier: Apache-2.0
#pragma once

// Cursors over foreign bytes. `struct buf` reads and `struct wbuf` writes, both in network byte
// order, both with a sticky error: after the first overrun every read gives 0 and every write does
// nothing, so that a parser is a straight list of fields and the caller tests once at the end.
// Neither owns its memory. Loads and stores never assume alignment.
// Thread: any.

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	const uint8_t *p;
	const uint8_t *end;
	bool bad; // a read went past `end`
};

static inline struct buf buf_of(const void *data, size_t len)
{
	return (struct buf){.p = data, .end = (const uint8_t *)data + len};
}

static inline size_t buf_left(const struct buf *b)
{
	return (size_t)(b->end - b->p);
}

// The next n bytes, or NULL (and the sticky error) when fewer are left.
static inline const uint8_t *buf_take(struct buf *b, size_t n)
{
	const uint8_t *p = b->p;
	if (buf_left(b) < n) {
		b->bad = true;
		b->p = b->end;
		return NULL;
	}
	b->p += n;
	return p;
}

static inline void buf_skip(struct buf *b, size_t n)
{
	(void)buf_take(b, n);
}

// A cursor over the next n bytes, which are taken from b; empty and bad when fewer are left.
static inline struct buf buf_sub(struct buf *b, size_t n)
{
	const uint8_t *p = buf_take(b, n);
	return p ? buf_of(p, n) : (struct buf){.p = b->end, .end = b->end, .bad = true};
}

static inline uint8_t buf_u8(struct buf *b)
{
	const uint8_t *p = buf_take(b, 1);
	return p ? *p : 0;
}

static inline uint16_t buf_u16(struct buf *b)
{
	const uint8_t *p = buf_take(b, 2);
	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t buf_u32(struct buf *b)
{
	uint32_t v = 0;
	const uint8_t *p = buf_take(b, sizeof(v));
	if (p)
		memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline uint64_t buf_u64(struct buf *b)
{
	uint64_t v = 0;
	const uint8_t *p = buf_take(b, sizeof(v));
	if (p)
		memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

// An unsigned integer of n bytes, 0 <= n <= 8 (RFC 7011 §6.2, reduced-size encoding).
static inline uint64_t buf_uint(struct buf *b, size_t n)
{
	uint64_t v = 0;
	const uint8_t *p = n <= 8 ? buf_take(b, n) : NULL;
	if (!p) {
		b->bad = true;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

struct wbuf {
	uint8_t *start;
	uint8_t *p;
	uint8_t *end;
	bool full; // a write did not fit; nothing of it was written
};

static inline struct wbuf wbuf_of(void *data, size_t len)
{
	return (struct wbuf){.start = data, .p = data, .end = (uint8_t *)data + len};
}

static inline size_t wbuf_len(const struct wbuf *w)
{
	return (size_t)(w->p - w->start);
}

static inline size_t wbuf_left(const struct wbuf *w)
{
	return (size_t)(w->end - w->p);
}

// Room for n bytes, now counted as written, or NULL (and the sticky error).
static inline uint8_t *wbuf_take(struct wbuf *w, size_t n)
{
	uint8_t *p = w->p;
	if (w->full || wbuf_left(w) < n) {
		w->full = true;
		return NULL;
	}
	w->p += n;
	return p;
}

static inline void wbuf_bytes(struct wbuf *w, const void *src, size_t n)
{
	uint8_t *p = wbuf_take(w, n);
	if (p && n)
		memcpy(p, src, n);
}

// The low n bytes of v, 1 <= n <= 8.
static inline void wbuf_uint(struct wbuf *w, uint64_t v, size_t n)
{
	uint8_t *p = wbuf_take(w, n);
	for (size_t i = 0; p && i < n; i++)
		p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

static inline void wbuf_u8(struct wbuf *w, uint8_t v)
{
	wbuf_uint(w, v, 1);
}

static inline void wbuf_u16(struct wbuf *w, uint16_t v)
{
	wbuf_uint(w, v, 2);
}

static inline void wbuf_u32(struct wbuf *w, uint32_t v)
{
	wbuf_uint(w, v, 4);
}

static inline void wbuf_u64(struct wbuf *w, uint64_t v)
{
	wbuf_uint(w, v, 8);
}

// Overwrites two bytes already written at offset `at`: lengths known only at the end.
static inline void wbuf_put_u16(struct wbuf *w, size_t at, uint16_t v)
{
	if (w->full || at + 2 > wbuf_len(w))
		return;
	w->start[at] = (uint8_t)(v >> 8);
	w->start[at + 1] = (uint8_t)v;
}
