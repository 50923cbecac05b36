// SPDX-License-Identifier: Apache-2.0
#pragma once

// Columns of a batch filled with the arrays of arrays.h, and compared when they come back.

#include "collector/store/column.h"
#include "tests/unit/collector/store/arrays.h"

static inline struct record_batch *columns_batch(uint32_t n)
{
	struct record_batch *b = record_batch_create(n);
	assert_non_null(b);
	b->n_rows = n;
	return b;
}

static inline void columns_put(void *to, const struct record_field_info *info, uint64_t v)
{
	uint64_t halves[2] = {htobe64(v % 7), htobe64(v)}; // an address
	switch (info->type) {
	case RECORD_TYPE_ADDR:
		memcpy(to, halves, sizeof(halves));
		break;
	case RECORD_TYPE_U8:
		*(uint8_t *)to = (uint8_t)v;
		break;
	case RECORD_TYPE_U16:
		*(uint16_t *)to = (uint16_t)v;
		break;
	case RECORD_TYPE_U32:
		*(uint32_t *)to = (uint32_t)v;
		break;
	default:
		memcpy(to, &v, info->width);
	}
}

// A text that is the value's own: of 0 to 255 bytes, NULs among them.
static inline void
columns_put_text(struct record_batch *b, enum record_field f, uint32_t row, uint64_t v)
{
	char text[RECORD_STR_MAX];
	memset(text, (int)(v >> 8 & 0xff), sizeof(text));
	memcpy(text, &v, sizeof(v));
	assert_int_equal(record_batch_set_text(b, f, row, text, (uint16_t)(v % 256)), 0);
}

static inline void columns_fill(struct record_batch *b, enum record_field f, enum array a)
{
	const struct record_field_info *info = &record_fields[f];
	uint64_t *v = arrays_make(a, b->n_rows);
	uint8_t *column = record_batch_column(b, f);
	assert_non_null(column);
	for (uint32_t i = 0; i < b->n_rows; i++) {
		if (info->type == RECORD_TYPE_STR)
			columns_put_text(b, f, i, v[i]);
		else
			columns_put(column + (size_t)i * info->width, info, v[i]);
	}
	free(v);
}

// Row i of a column, or zeros when it is not used.
static inline const void *columns_at(const struct record_batch *b, enum record_field f, uint32_t i)
{
	static const uint8_t zeros[16];
	const uint8_t *column = b->columns[f];
	return b->used >> f & 1 ? column + (size_t)i * record_fields[f].width : zeros;
}

static inline void columns_assert_text(
	const struct record_batch *want,
	const struct record_text *l,
	const struct record_batch *got,
	const struct record_text *r
)
{
	assert_int_equal(r->len, l->len);
	if (l->len)
		assert_memory_equal(got->text + r->off, want->text + l->off, l->len);
}

// That column f of `got` holds the rows of `rows`, in their order.
static inline void columns_assert_equal(
	const struct column_rows *rows, enum record_field f, const struct record_batch *got
)
{
	const struct record_batch *want = rows->batch;
	for (uint32_t i = 0; i < rows->n; i++) {
		const void *l = columns_at(want, f, rows->rows ? rows->rows[i] : i);
		const void *r = columns_at(got, f, i);
		if (record_fields[f].type == RECORD_TYPE_STR)
			columns_assert_text(want, l, got, r);
		else if (memcmp(l, r, record_fields[f].width) != 0)
			fail_msg("%s differs in row %u", record_fields[f].name, i);
	}
}
