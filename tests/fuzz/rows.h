// SPDX-License-Identifier: Apache-2.0
#pragma once

// What fuzz targets hold about records.

#include "lib/record/batch.h"

#include <assert.h>
#include <string.h>

static inline bool
record_member_equal(const struct record *a, const struct record *b, enum record_field f)
{
	const struct record_field_info *info = &record_fields[f];
	const char *x = (const char *)a + info->offset, *y = (const char *)b + info->offset;
	if (info->type != RECORD_TYPE_STR)
		return memcmp(x, y, info->width) == 0;
	const struct record_str *s = (const void *)x, *t = (const void *)y;
	return s->len == t->len && (!s->len || memcmp(s->p, t->p, s->len) == 0);
}

static inline void rows_assert_equal(const struct record_batch *a, const struct record_batch *b)
{
	struct record x, y;
	assert(a->n_rows == b->n_rows);
	for (uint32_t i = 0; i < a->n_rows; i++) {
		record_batch_get(a, i, &x);
		record_batch_get(b, i, &y);
		for (int f = 0; f < RECORD_N_FIELDS; f++)
			assert(record_member_equal(&x, &y, (enum record_field)f));
	}
}
