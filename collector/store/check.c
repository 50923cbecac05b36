// SPDX-License-Identifier: Apache-2.0
#include "collector/store/check.h"

#include "collector/store/block.h"
#include "collector/store/bytes.h"
#include "collector/store/checksum.h"
#include "collector/store/view.h"

#include <errno.h>
#include <stdio.h>

#define CHECKSUM_LEN 8
#define STREAK_NEAR 256 // gaps in a row after which each leap is twice the one before

// In the order of the keys. Blocks are looked at by their summaries.
static const char checked[] = {
	KEY_ADDRS,
	KEY_SUMMARY,
	KEY_DOC,
	KEY_HOUR,
	KEY_ARRIVED,
	KEY_META,
	KEY_NAMES,
	KEY_PORTS,
	KEY_HIT,
	KEY_USER,
	KEY_INDEX,
};

static bool has_hours(enum key_kind kind)
{
	return kind != KEY_DOC && kind != KEY_META && kind != KEY_USER;
}

static bool is_sound(struct slice value)
{
	if (value.len <= CHECKSUM_LEN)
		return false;
	const uint8_t *p = value.p;
	struct buf sum = buf_of(p + value.len - CHECKSUM_LEN, CHECKSUM_LEN);
	return bytes_get_u64(&sum) == checksum64(p, value.len - CHECKSUM_LEN);
}

static void note(struct check *c, const char *what, const struct key_parts *at)
{
	if (c->first_bad[0])
		return;
	char hour[32] = "";
	if (at)
		clock_format(store_hour_start(at->hour), " of %Y-%m-%dT%HZ", hour, sizeof(hour));
	snprintf(c->first_bad, sizeof(c->first_bad), "%s%s", what, hour);
}

// A value by its key; false when it is not there, or cannot be read, or is damaged.
static bool value_is_sound(struct check *c, struct store_view *v, const struct key *key)
{
	if (!db_iter_seek(v->values, key_slice(key)) || !key_is(db_iter_key(v->values), key))
		return false;
	struct slice value = db_iter_value(v->values);
	c->bytes += value.len;
	return is_sound(value);
}

static bool columns_are_sound(
	struct check *c, struct store_view *v, const struct key_parts *at, uint64_t fields
)
{
	for (uint8_t f = 0; f < 64; f++) {
		struct key key = key_column(at->entity, at->hour, at->number, f);
		if (fields & 1ull << f && !value_is_sound(c, v, &key))
			return false;
	}
	return true;
}

static void check_block(
	struct check *c,
	struct store_view *v,
	enum key_kind kind,
	const struct key_parts *at,
	struct slice value
)
{
	struct block_summary summary;
	if (block_summary_decode(value.p, value.len, &summary) < 0) {
		c->bad_blocks++;
		note(c, "the summary of a block", at);
		return;
	}
	struct key journal = key_block(KEY_JOURNAL, at->entity, at->hour, at->number);
	bool ok = kind == KEY_ARRIVED ? value_is_sound(c, v, &journal)
				      : columns_are_sound(c, v, at, summary.fields);
	c->blocks += ok;
	c->rows += ok ? summary.n_rows : 0;
	c->bad_blocks += !ok;
	c->bad_rows += ok ? 0 : summary.n_rows;
	if (!ok)
		note(c, kind == KEY_ARRIVED ? "a journal block" : "a block", at);
}

static void check_entry(struct check *c, struct store_view *v, enum key_kind kind)
{
	struct slice value = db_iter_value(v->keys);
	struct key_parts at = {0};
	bool is_block = kind == KEY_SUMMARY || kind == KEY_ARRIVED;
	c->bytes += value.len;
	if (is_block && key_parse(db_iter_key(v->keys), kind, &at)) {
		check_block(c, v, kind, &at, value);
	} else if (is_sound(value)) {
		c->tables++;
	} else {
		bool is_of_hour = has_hours(kind) && key_parse(db_iter_key(v->keys), kind, &at);
		c->bad_tables++;
		note(c, "a table or small value", is_of_hour ? &at : NULL);
	}
}

static void go_to(struct check *c, struct slice key)
{
	c->at_len = key.len < sizeof(c->at) ? key.len : sizeof(c->at);
	memcpy(c->at, key.p, c->at_len);
}

// Behind a key: the same with a zero more.
static void go_behind(struct check *c, struct slice key)
{
	go_to(c, key);
	if (c->at_len < sizeof(c->at))
		c->at[c->at_len++] = 0;
}

static void go_to_kind(struct check *c, uint8_t kind)
{
	struct key first = key_hour((enum key_kind)kind, 0, 0);
	struct slice all = key_slice(&first);
	if (!has_hours((enum key_kind)kind))
		all.len = 1;
	go_to(c, all);
}

// Beyond keys that cannot be read: an hour on, or the rest of the kind when hours are at their end.
// Many such hours in a row are taken in leaps.
static void leap(struct check *c, enum key_kind kind)
{
	struct key_parts at = {0};
	uint64_t by = c->streak < STREAK_NEAR ? 1 : 1ull << ((c->streak - STREAK_NEAR) & 31);
	struct key next;
	c->gaps++;
	c->streak++;
	note(c, "a part of the database's files", NULL);
	bool has_hour = has_hours(kind) && key_parse((struct slice){c->at, c->at_len}, kind, &at);
	if (has_hour && at.hour + by <= UINT32_MAX)
		next = key_hour(kind, at.entity, at.hour + (uint32_t)by);
	else if (has_hour && at.entity < UINT16_MAX && c->streak < 2 * STREAK_NEAR)
		next = key_hour(kind, (uint16_t)(at.entity + 1), 0);
	else
		next = (struct key){.len = 1, .b = {(uint8_t)(kind + 1)}};
	go_to(c, key_slice(&next));
}

// One key. False: there are no more.
static bool step(struct check *c, struct store_view *v)
{
	const char *kind = checked, *end = checked + sizeof(checked);
	while (c->at_len && kind < end && (uint8_t)*kind < c->at[0])
		kind++;
	if (kind == end)
		return false;
	if (c->at_len == 0 || c->at[0] != (uint8_t)*kind)
		go_to_kind(c, (uint8_t)*kind);
	if (!db_iter_seek(v->keys, (struct slice){c->at, c->at_len})) {
		if (db_iter_error(v->keys) == 0)
			return false;
		leap(c, (enum key_kind) * kind);
		return true;
	}
	struct slice key = db_iter_key(v->keys);
	c->streak = 0;
	if (*(const char *)key.p != *kind) {
		c->at[0] = (uint8_t)(*kind + 1);
		c->at_len = 1;
		return true;
	}
	check_entry(c, v, (enum key_kind) * kind);
	go_behind(c, key);
	return true;
}

int check_step(struct check *c, struct db *db, bool writable, uint64_t bytes)
{
	struct store_view *v = view_open(db, writable);
	uint64_t until = bytes < UINT64_MAX - c->bytes ? c->bytes + bytes : UINT64_MAX;
	if (!v)
		return -ENOMEM;
	while (!c->is_done && c->bytes < until)
		c->is_done = !step(c, v);
	store_view_close(v);
	return 0;
}
