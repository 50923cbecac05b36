// SPDX-License-Identifier: Apache-2.0
#pragma once

// NetFlow v9 and IPFIX messages written by hand: begin(), sets, then message() gives the bytes.
// Bytes stand as hex digits, blanks between them are for the eye.

#include "lib/base/buf.h"
#include "lib/ipfix/wire.h"
#include "lib/record/record.h"
#include "tests/unit/cmocka.h"

#define SEC 1700000000u
#define NOW (SEC * NS_PER_SEC)
#define UPTIME 1000000u // ms, of v9 headers
#define DOMAIN 7u

struct message_head {
	uint32_t sec;
	uint32_t uptime_ms;
	uint32_t sequence;
	uint32_t domain;
};

static const struct message_head message_head = {.sec = SEC, .uptime_ms = UPTIME, .domain = DOMAIN};

static uint8_t bytes[65535];
static struct wbuf w; // the message being written, in `bytes`

static inline void begin_head(uint16_t version, struct message_head h)
{
	w = wbuf_of(bytes, sizeof(bytes));
	wbuf_u16(&w, version);
	wbuf_u16(&w, version == NETFLOW9_VERSION ? 1 : 0);
	if (version == NETFLOW9_VERSION)
		wbuf_u32(&w, h.uptime_ms);
	wbuf_u32(&w, h.sec);
	wbuf_u32(&w, h.sequence);
	wbuf_u32(&w, h.domain);
}

static inline void begin(uint16_t version)
{
	begin_head(version, message_head);
}

static inline bool is_v9(void)
{
	return bytes[1] == NETFLOW9_VERSION;
}

static inline uint8_t hex_digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static inline size_t hex_parse(const char *hex, uint8_t *to, size_t room)
{
	size_t n = 0;
	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		assert_true(n < room && hex[1]);
		to[n++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
		hex++;
	}
	return n;
}

static inline void put_hex(const char *hex)
{
	w.p += hex_parse(hex, w.p, wbuf_left(&w));
}

static inline void set_bytes(uint16_t id, const void *data, size_t len)
{
	wbuf_u16(&w, id);
	wbuf_u16(&w, (uint16_t)(len + 4));
	wbuf_bytes(&w, data, len);
}

static inline void set(uint16_t id, const char *hex)
{
	size_t at = wbuf_len(&w);
	wbuf_u32(&w, (uint32_t)id << 16);
	put_hex(hex);
	wbuf_put_u16(&w, at + 2, (uint16_t)(wbuf_len(&w) - at));
}

// A template set of one definition; pairs of element and length, ended by 0, 0.
static inline void define(uint16_t id, const uint16_t *fields)
{
	unsigned n = 0;
	while (fields[2 * n] || fields[2 * n + 1])
		n++;
	wbuf_u16(&w, is_v9() ? NETFLOW9_SET_TEMPLATE : IPFIX_SET_TEMPLATE);
	wbuf_u16(&w, (uint16_t)(8 + 4 * n));
	wbuf_u16(&w, id);
	wbuf_u16(&w, (uint16_t)n);
	for (unsigned i = 0; i < 2 * n; i++)
		wbuf_u16(&w, fields[i]);
}

#define DEFINE(id, ...) define(id, (const uint16_t[]){__VA_ARGS__, 0, 0})

// All that was written, an IPFIX header's length set right.
static inline struct buf message(void)
{
	assert_false(w.full);
	if (bytes[1] == IPFIX_VERSION)
		wbuf_put_u16(&w, 2, (uint16_t)wbuf_len(&w));
	return buf_of(bytes, wbuf_len(&w));
}

// The source is 10.0.0.<last>.
static inline void assert_src(const struct record *r, uint8_t last)
{
	struct addr a = addr_of_v4((const uint8_t[]){10, 0, 0, last});
	assert_memory_equal(&r->src, &a, sizeof(a));
}
