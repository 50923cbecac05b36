// SPDX-License-Identifier: Apache-2.0
#include "collector/store/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_START 1024

void names_init(struct names *s)
{
	*s = (struct names){.key = siphash_key_random()};
}

void names_fini(struct names *s)
{
	free(s->items);
	free(s->text);
	free(s->slots);
	*s = (struct names){};
}

void name_reverse(const char *name, size_t len, char *ret_text)
{
	for (size_t i = 0; i < len; i++)
		ret_text[i] = name[len - 1 - i];
}

int name_cmp(const char *left, size_t left_len, const char *right, size_t right_len)
{
	int c = memcmp(left, right, left_len < right_len ? left_len : right_len);
	if (c)
		return c;
	return left_len < right_len ? -1 : left_len > right_len;
}

// Where the name is, or the empty slot where it would be.
static size_t slot_of(const struct names *s, const char *text, size_t len)
{
	size_t at = siphash(&s->key, text, len) & (s->n_slots - 1);
	for (; s->slots[at]; at = (at + 1) & (s->n_slots - 1)) {
		size_t i = s->slots[at] - 1;
		if (s->items[i].len == len && memcmp(names_text(s, i), text, len) == 0)
			break;
	}
	return at;
}

static int grow_slots(struct names *s)
{
	size_t n_slots = s->n_slots ? s->n_slots * 2 : SLOTS_START;
	uint32_t *slots = calloc(n_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(s->slots);
	s->slots = slots;
	s->n_slots = n_slots;
	for (size_t i = 0; i < s->n; i++)
		s->slots[slot_of(s, names_text(s, i), s->items[i].len)] = (uint32_t)i + 1;
	return 0;
}

static int make_room(struct names *s, size_t len)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : SLOTS_START;
		struct name *items = reallocarray(s->items, cap, sizeof(*items));
		if (!items)
			return -ENOMEM;
		s->items = items;
		s->cap = cap;
	}
	if (s->text_cap - s->text_len < len) {
		size_t cap = s->text_cap ? s->text_cap * 2 : 65536;
		char *text = realloc(s->text, cap);
		if (!text)
			return -ENOMEM;
		s->text = text;
		s->text_cap = cap;
	}
	return 0;
}

int names_add(struct names *s, const char *text, size_t len)
{
	if (len == 0 || len > INDICATOR_NAME_MAX)
		return 0;
	if (s->n * 2 >= s->n_slots && grow_slots(s) < 0)
		return -ENOMEM;
	size_t at = slot_of(s, text, len);
	if (s->slots[at])
		return 0;
	if (s->n >= NAMES_MAX || s->text_len + len > NAMES_TEXT_MAX) {
		s->is_over = true;
		return 0;
	}
	if (make_room(s, len) < 0)
		return -ENOMEM;
	memcpy(s->text + s->text_len, text, len);
	s->items[s->n++] = (struct name){(uint32_t)s->text_len, (uint8_t)len};
	s->text_len += len;
	s->slots[at] = (uint32_t)s->n;
	return 0;
}

int names_add_batch(struct names *s, const struct record_batch *b)
{
	const struct record_text *refs =
		b->used & RECORD_BIT(server_name) ? b->columns[FIELD_server_name] : NULL;
	char name[INDICATOR_NAME_MAX + 1], text[INDICATOR_NAME_MAX + 1];
	for (uint32_t i = 0; refs && i < b->n_rows; i++) {
		s->any_row |= refs[i].len != 0;
		if (refs[i].len == 0 ||
		    indicator_parse_name(b->text + refs[i].off, refs[i].len, name))
			continue;
		size_t len = strlen(name);
		name_reverse(name, len, text);
		if (names_add(s, text, len) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int cmp_names(const void *left, const void *right, void *ctx)
{
	const struct name *l = left, *r = right;
	const char *text = ctx;
	return name_cmp(text + l->off, l->len, text + r->off, r->len);
}

void names_sort(struct names *s)
{
	if (s->n)
		qsort_r(s->items, s->n, sizeof(*s->items), cmp_names, s->text);
}
