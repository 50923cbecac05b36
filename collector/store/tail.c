// SPDX-License-Identifier: Apache-2.0
#include "collector/store/tail.h"

#include "collector/store/block.h"
#include "collector/store/view.h"

#include <errno.h>
#include <stdlib.h>

struct arrived {
	uint64_t number;
	uint32_t hour, n_rows;
};

struct store_tail {
	struct store_view *view;
	uint16_t entity;
	uint64_t fields;
	uint64_t skipped;
	struct column_coder coder;
	struct record_batch *batch;
	struct arrived *blocks; // rising by number
	size_t n, cap, next;
};

// Calls fn for the summaries of the entity's journal blocks with numbers from `first` on, hour
// by hour. -EIO when one was damaged (the others were given), or what fn returned below 0.
static int each_arrived(
	struct store_view *v,
	uint16_t entity,
	uint64_t first,
	int (*fn)(void *ctx, const struct key_parts *at, uint32_t n_rows),
	void *ctx
)
{
	struct key from = key_block(KEY_ARRIVED, entity, 0, 0);
	bool valid = db_iter_seek(v->keys, key_slice(&from));
	struct key_parts at;
	int result = 0;
	while (valid && key_parse(db_iter_key(v->keys), KEY_ARRIVED, &at) && at.entity == entity) {
		struct slice value = db_iter_value(v->keys);
		struct block_summary s;
		if (at.number < first) { // the hour's first new one
			from = key_block(KEY_ARRIVED, entity, at.hour, first);
			valid = db_iter_seek(v->keys, key_slice(&from));
			continue;
		}
		if (block_summary_decode(value.p, value.len, &s) < 0) {
			result = -EIO;
		} else {
			int ret = fn(ctx, &at, s.n_rows);
			if (ret < 0)
				return ret;
		}
		valid = db_iter_next(v->keys);
	}
	return view_error(v->keys) < 0 ? -EIO : result;
}

static int keep_next(void *ctx, const struct key_parts *at, uint32_t)
{
	uint64_t *next = ctx;
	if (at->number >= *next)
		*next = at->number + 1;
	return 0;
}

int store_view_arrived(struct store_view *v, uint16_t entity, uint64_t *ret_next)
{
	uint64_t next = 0;
	int ret = each_arrived(v, entity, 0, keep_next, &next);
	if (ret == 0)
		*ret_next = next;
	return ret;
}

static int add_block(void *ctx, const struct key_parts *at, uint32_t n_rows)
{
	struct store_tail *t = ctx;
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		struct arrived *blocks = reallocarray(t->blocks, cap, sizeof(*blocks));
		if (!blocks)
			return -ENOMEM;
		t->blocks = blocks;
		t->cap = cap;
	}
	t->blocks[t->n++] = (struct arrived){at->number, at->hour, n_rows};
	return 0;
}

static int cmp_number(const void *left, const void *right)
{
	const struct arrived *l = left, *r = right;
	return l->number < r->number ? -1 : l->number > r->number;
}

static void skip_oldest(struct store_tail *t, uint64_t rows_max)
{
	uint64_t rows = 0;
	size_t first = t->n;
	while (first > 0 && rows + t->blocks[first - 1].n_rows <= rows_max)
		rows += t->blocks[--first].n_rows;
	for (t->next = 0; t->next < first; t->next++)
		t->skipped += t->blocks[t->next].n_rows;
}

int store_tail_open(
	struct store_view *v,
	uint16_t entity,
	uint64_t from,
	uint64_t fields,
	uint64_t rows_max,
	struct store_tail **ret_tail
)
{
	struct store_tail *t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	*t = (struct store_tail){.view = v, .entity = entity, .fields = fields};
	column_init(&t->coder);
	int ret = each_arrived(v, entity, from, add_block, t);
	if (ret == -ENOMEM) {
		store_tail_close(t);
		return ret;
	}
	if (t->n)
		qsort(t->blocks, t->n, sizeof(*t->blocks), cmp_number);
	skip_oldest(t, rows_max);
	*ret_tail = t;
	return 0;
}

uint64_t store_tail_skipped(const struct store_tail *t)
{
	return t->skipped;
}

int store_tail_next(
	struct store_tail *t, uint64_t *ret_number, const struct record_batch **ret_batch
)
{
	if (t->next == t->n)
		return 0;
	const struct arrived *a = &t->blocks[t->next++];
	struct key key = key_block(KEY_JOURNAL, t->entity, a->hour, a->number);
	struct db_iter *it = t->view->values;
	*ret_number = a->number;
	if (!t->batch || t->batch->cap < a->n_rows) {
		record_batch_free(t->batch);
		t->batch = record_batch_create(a->n_rows);
		if (!t->batch)
			return -ENOMEM;
		t->batch->entity = t->entity;
	}
	if (!db_iter_seek(it, key_slice(&key)) || !key_is(db_iter_key(it), &key))
		return -EIO;
	struct slice value = db_iter_value(it);
	int ret = block_decode(&t->coder, value.p, value.len, t->fields, t->batch);
	if (ret < 0)
		return ret;
	*ret_batch = t->batch;
	return t->batch->n_rows == a->n_rows ? 1 : -EIO;
}

void store_tail_close(struct store_tail *t)
{
	if (!t)
		return;
	column_fini(&t->coder);
	record_batch_free(t->batch);
	free(t->blocks);
	free(t);
}
