// SPDX-License-Identifier: Apache-2.0
#include "collector/store/key.h"

#include "lib/base/buf.h"

static struct key key_of(struct wbuf *w, struct key *k)
{
	k->len = wbuf_len(w);
	return *k;
}

static struct wbuf start(struct key *k, enum key_kind kind)
{
	struct wbuf w = wbuf_of(k->b, sizeof(k->b));
	wbuf_u8(&w, (uint8_t)kind);
	wbuf_u8(&w, KEY_VERSION);
	return w;
}

static struct wbuf start_hour(struct key *k, enum key_kind kind, uint16_t entity, uint32_t hour)
{
	struct wbuf w = start(k, kind);
	wbuf_u16(&w, entity);
	wbuf_u32(&w, hour);
	return w;
}

struct key key_name(enum key_kind kind, const char *name)
{
	struct key k;
	struct wbuf w = start(&k, kind);
	wbuf_bytes(&w, name, strnlen(name, STORE_NAME_MAX));
	return key_of(&w, &k);
}

struct key key_hour(enum key_kind kind, uint16_t entity, uint32_t hour)
{
	struct key k;
	struct wbuf w = start_hour(&k, kind, entity, hour);
	return key_of(&w, &k);
}

struct key key_block(enum key_kind kind, uint16_t entity, uint32_t hour, uint64_t number)
{
	struct key k;
	struct wbuf w = start_hour(&k, kind, entity, hour);
	wbuf_u64(&w, number);
	return key_of(&w, &k);
}

struct key key_column(uint16_t entity, uint32_t hour, uint64_t number, uint8_t field)
{
	struct key k;
	struct wbuf w = start_hour(&k, KEY_COLUMN, entity, hour);
	wbuf_u64(&w, number);
	wbuf_u8(&w, field);
	return key_of(&w, &k);
}

struct key key_addrs(enum key_kind kind, uint16_t entity, uint32_t hour, const struct addr *first)
{
	struct key k;
	struct wbuf w = start_hour(&k, kind, entity, hour);
	wbuf_bytes(&w, first->b, sizeof(first->b));
	return key_of(&w, &k);
}

struct key key_ports(uint16_t entity, uint32_t hour, uint8_t proto, uint16_t first)
{
	struct key k;
	struct wbuf w = start_hour(&k, KEY_PORTS, entity, hour);
	wbuf_u8(&w, proto);
	wbuf_u16(&w, first);
	return key_of(&w, &k);
}

struct key key_names(uint16_t entity, uint32_t hour, const char *first, size_t len, uint32_t number)
{
	struct key k;
	char head[KEY_NAME_LEN] = {0};
	struct wbuf w = start_hour(&k, KEY_NAMES, entity, hour);
	memcpy(head, first, len < sizeof(head) ? len : sizeof(head));
	wbuf_bytes(&w, head, sizeof(head));
	wbuf_u32(&w, number);
	return key_of(&w, &k);
}

bool key_parse(struct slice key, enum key_kind kind, struct key_parts *ret_parts)
{
	struct buf b = buf_of(key.p, key.len);
	struct key_parts parts = {0};
	if (buf_u8(&b) != kind || buf_u8(&b) != KEY_VERSION)
		return false;
	parts.entity = buf_u16(&b);
	parts.hour = buf_u32(&b);
	if (kind == KEY_SUMMARY || kind == KEY_ARRIVED || kind == KEY_JOURNAL || kind == KEY_COLUMN)
		parts.number = buf_u64(&b);
	if (b.bad)
		return false;
	*ret_parts = parts;
	return true;
}

bool key_is(struct slice key, const struct key *k)
{
	return key.len == k->len && memcmp(key.p, k->b, k->len) == 0;
}

bool key_has_prefix(struct slice key, const struct key *prefix)
{
	return key.len >= prefix->len && memcmp(key.p, prefix->b, prefix->len) == 0;
}
