// SPDX-License-Identifier: Apache-2.0
#include "collector/store/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int append_texts(
	struct record_batch *into,
	const struct record_batch *from,
	enum record_field f,
	uint64_t off
)
{
	struct record_text *to = record_batch_column(into, f);
	const struct record_text *refs = from->columns[f];
	if (!to)
		return -ENOMEM;
	for (uint32_t i = 0; i < from->n_rows; i++) {
		to[into->n_rows + i] = (struct record_text){.off = refs[i].off, .len = refs[i].len};
		if (refs[i].len)
			to[into->n_rows + i].off += off;
	}
	return 0;
}

int gather_append(struct record_batch *into, const struct record_batch *from)
{
	uint64_t off = 0;
	if (into->cap - into->n_rows < from->n_rows)
		return -ENOSPC;
	if (from->text_len && record_batch_add_text(into, from->text, from->text_len, &off) < 0)
		return -ENOMEM;
	for (uint64_t left = from->used; left; left &= left - 1) {
		enum record_field f = (enum record_field)__builtin_ctzll(left);
		size_t width = record_fields[f].width;
		if (record_fields[f].type == RECORD_TYPE_STR) {
			if (append_texts(into, from, f, off) < 0)
				return -ENOMEM;
			continue;
		}
		uint8_t *to = record_batch_column(into, f);
		if (!to)
			return -ENOMEM;
		memcpy(to + into->n_rows * width, from->columns[f], from->n_rows * width);
	}
	into->n_rows += from->n_rows;
	return 0;
}

struct at {
	uint64_t start_ns;
	uint32_t row;
};

static int cmp_at(const void *left, const void *right)
{
	const struct at *l = left, *r = right;
	if (l->start_ns != r->start_ns)
		return l->start_ns < r->start_ns ? -1 : 1;
	return l->row < r->row ? -1 : l->row > r->row;
}

uint32_t *gather_order(const struct record_batch *b)
{
	const uint64_t *start = RECORD_COLUMN(b, start_ns);
	struct at *at = malloc((b->n_rows + 1) * sizeof(*at));
	uint32_t *order = malloc((b->n_rows + 1) * sizeof(*order));
	if (!at || !order) {
		free(at);
		free(order);
		return NULL;
	}
	for (uint32_t i = 0; i < b->n_rows; i++)
		at[i] = (struct at){start ? start[i] : 0, i};
	qsort(at, b->n_rows, sizeof(*at), cmp_at);
	for (uint32_t i = 0; i < b->n_rows; i++)
		order[i] = at[i].row;
	free(at);
	return order;
}
