// SPDX-License-Identifier: Apache-2.0
#pragma once

// The stored names of an hour (collector/store/names.h): sorted parts of bounded size, and a walk
// over them with leaps. An hour that has any has all names of its sealed rows; an hour whose rows
// have names and that has none was sealed by a release without such tables, or had too many.
// Thread: the owner's of the part or view.

#include "collector/store/names.h"
#include "collector/store/table.h"
#include "collector/store/view.h"

#define TABLE_NAMES 1024

struct table_names {
	uint32_t n;
	uint32_t off[TABLE_NAMES];
	uint8_t len[TABLE_NAMES];
	char text[TABLE_NAMES * INDICATOR_NAME_MAX];
};

// Names [from, from + n) of a sorted set, n at most TABLE_NAMES (0: an hour without names). 0, or
// -ENOMEM.
[[nodiscard]] int
name_table_encode(const struct names *s, size_t from, uint32_t n, struct bytes *out);

// 0, or -EIO: names that do not rise are refused too.
[[nodiscard]] int name_table_decode(struct slice value, struct table_names *ret_names);

// The first name of a part at or after (text, len), from place `from` on; n when there is none.
uint32_t name_table_find(const struct table_names *t, uint32_t from, const char *text, size_t len);

struct name_walk {
	struct store_view *view;
	uint16_t entity;
	uint32_t hour;
	struct table_names part; // where the walk is
};

// Prepares a walk; 1, 0 when the hour has no names stored, or -EIO.
[[nodiscard]] int
name_walk_open(struct name_walk *w, struct store_view *v, uint16_t entity, uint32_t hour);

// A part that begins at or before the name and that is followed by all that come after it: 1 with
// it in w->part, 0, or -EIO. With no name: the first part.
[[nodiscard]] int name_walk_seek(struct name_walk *w, const char *text, size_t len);

// The part after it: 1, 0 at the end, or -EIO.
[[nodiscard]] int name_walk_next(struct name_walk *w);
