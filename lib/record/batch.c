// SPDX-License-Identifier: Apache-2.0
#include "lib/record/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct record_batch *record_batch_create(uint32_t cap)
{
	struct record_batch *b = calloc(1, sizeof(*b));
	if (b)
		b->cap = cap ? cap : 1;
	return b;
}

void record_batch_free(struct record_batch *b)
{
	if (!b)
		return;
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		free(b->columns[f]);
		free(b->coded[f].codes);
		free((void *)b->coded[f].values);
	}
	free(b->text);
	free(b);
}

void record_batch_clear(struct record_batch *b)
{
	b->n_rows = 0;
	b->used = 0;
	b->has_coded = 0;
	b->text_len = 0;
}

void *record_batch_column(struct record_batch *b, enum record_field f)
{
	size_t width = record_fields[f].width;
	if (b->used >> f & 1)
		return b->columns[f];
	if (!b->columns[f] && !(b->columns[f] = malloc(b->cap * width)))
		return NULL;
	memset(b->columns[f], 0, b->cap * width);
	b->used |= 1ull << f;
	return b->columns[f];
}

void *record_batch_column_raw(struct record_batch *b, enum record_field f)
{
	if (!b->columns[f] && !(b->columns[f] = malloc((size_t)b->cap * record_fields[f].width)))
		return NULL;
	b->used |= 1ull << f;
	return b->columns[f];
}

struct record_coded *
record_batch_coded(struct record_batch *b, enum record_field f, struct addr **ret_values)
{
	struct record_coded *c = &b->coded[f];
	if (!c->codes)
		c->codes = malloc((size_t)b->cap * sizeof(*c->codes));
	if (!c->values)
		c->values = malloc((size_t)b->cap * sizeof(*c->values));
	if (!c->codes || !c->values)
		return NULL;
	b->has_coded |= 1ull << f;
	*ret_values = (struct addr *)c->values;
	return c;
}

int record_batch_expand(struct record_batch *b, enum record_field f)
{
	const struct record_coded *c = &b->coded[f];
	struct addr *to = record_batch_column_raw(b, f);
	if (!to)
		return -ENOMEM;
	for (uint32_t i = 0; i < b->n_rows; i++)
		to[i] = c->values[c->codes[i]];
	return 0;
}

static int text_room(struct record_batch *b, size_t len)
{
	// References of empty texts point somewhere too.
	if (b->text && b->text_cap - b->text_len >= len)
		return 0;
	size_t cap = b->text_cap ? b->text_cap * 2 : 4096;
	while (cap - b->text_len < len)
		cap *= 2;
	char *text = realloc(b->text, cap);
	if (!text)
		return -ENOMEM;
	b->text = text;
	b->text_cap = cap;
	return 0;
}

int record_batch_add_text(struct record_batch *b, const char *text, size_t len, uint64_t *ret_off)
{
	if (text_room(b, len) < 0)
		return -ENOMEM;
	if (len)
		memcpy(b->text + b->text_len, text, len);
	*ret_off = b->text_len;
	b->text_len += len;
	return 0;
}

int record_batch_set_text(
	struct record_batch *b, enum record_field f, uint32_t row, const char *text, uint16_t len
)
{
	struct record_text ref = {.len = len};
	uint8_t *column = record_batch_column(b, f);
	if (!column || record_batch_add_text(b, text, len, &ref.off) < 0)
		return -ENOMEM;
	memcpy(column + (size_t)row * sizeof(struct record_str), &ref, sizeof(ref));
	return 0;
}

// Copies one member into its column. The widths are spelled out so that each is one move.
static void put(void *column, uint32_t row, const void *value, size_t width)
{
	uint8_t *at = (uint8_t *)column + (size_t)row * width;
	switch (width) {
	case 1:
		*at = *(const uint8_t *)value;
		break;
	case 2:
		memcpy(at, value, 2);
		break;
	case 4:
		memcpy(at, value, 4);
		break;
	case 8:
		memcpy(at, value, 8);
		break;
	default:
		memcpy(at, value, width);
	}
}

// Takes back what a failed add left in the row.
static int undo_row(struct record_batch *b)
{
	for (uint64_t left = b->used; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		size_t width = record_fields[f].width;
		memset((uint8_t *)b->columns[f] + b->n_rows * width, 0, width);
	}
	return -ENOMEM;
}

int record_batch_add(struct record_batch *b, const struct record *r)
{
	if (b->n_rows >= b->cap)
		return -ENOSPC;
	for (uint64_t left = r->set; left; left &= left - 1) {
		enum record_field f = (enum record_field)__builtin_ctzll(left);
		const struct record_field_info *info = &record_fields[f];
		const void *value = (const char *)r + info->offset;
		if (info->type == RECORD_TYPE_STR) {
			const struct record_str *s = value;
			uint16_t len = s->len > RECORD_STR_MAX ? RECORD_STR_MAX : s->len;
			if (len && record_batch_set_text(b, f, b->n_rows, s->p, len) < 0)
				return undo_row(b);
			continue;
		}
		void *column = record_batch_column(b, f);
		if (!column)
			return undo_row(b);
		put(column, b->n_rows, value, info->width);
	}
	b->n_rows++;
	return 0;
}

void record_batch_get(const struct record_batch *b, uint32_t i, struct record *ret_record)
{
	memset(ret_record, 0, sizeof(*ret_record));
	for (uint64_t left = b->used; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		const struct record_field_info *info = &record_fields[f];
		const uint8_t *from = (const uint8_t *)b->columns[f] + (size_t)i * info->width;
		void *to = (char *)ret_record + info->offset;
		if (info->type == RECORD_TYPE_STR) {
			struct record_text ref;
			memcpy(&ref, from, sizeof(ref));
			*(struct record_str *)to =
				(struct record_str){.p = b->text + ref.off, .len = ref.len};
		} else {
			memcpy(to, from, info->width);
		}
	}
	ret_record->set = b->used;
}
