// SPDX-License-Identifier: Apache-2.0

// Blocks of the store. Input: what it is (1), the value without its checksum; of a lone column the
// field (1) and the number of rows (2) come before. What can be decoded comes back the same when
// its rows are encoded and decoded again.

#include "collector/store/block.h"
#include "tests/fuzz/rows.h"
#include "tests/fuzz/stored.h"

#include <assert.h>
#include <errno.h>

#define ROWS_MAX 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode_block(struct column_coder *c, struct buf value)
{
	struct record_batch *rows = record_batch_create(ROWS_MAX);
	struct record_batch *again = record_batch_create(ROWS_MAX);
	struct block_summary summary;
	struct bytes out = {};
	int ret = block_decode(c, value.p, buf_left(&value), ~0ull, rows);
	assert(ret == 0 || ret == -EIO);
	assert(ret == 0 ? rows->n_rows > 0 : rows->n_rows == 0 && rows->used == 0);
	if (ret == 0) {
		struct column_rows all = {.batch = rows, .n = rows->n_rows};
		assert(block_encode(c, &out, &all, &summary) == 0);
		assert(block_decode(c, out.p, out.len, ~0ull, again) == 0);
		rows_assert_equal(rows, again);
	}
	bytes_fini(&out);
	record_batch_free(rows);
	record_batch_free(again);
}

static struct record_batch *batch_with_start(unsigned field, uint32_t n)
{
	struct record_batch *rows = record_batch_create(ROWS_MAX);
	uint64_t *start =
		field == FIELD_start_ns ? NULL : record_batch_column(rows, FIELD_start_ns);
	for (uint32_t i = 0; start && i < n; i++)
		start[i] = i;
	rows->n_rows = n;
	return rows;
}

// A dictionary that stays one says the same of each row.
static void decode_coded(
	struct column_coder *c,
	struct buf value,
	unsigned field,
	uint32_t n,
	const struct record_batch *rows
)
{
	struct record_batch *coded = batch_with_start(field, n);
	int ret = block_column_decode(c, value, (enum record_field)field, coded, n, true);
	bool there = rows != NULL;
	assert((ret == 0) == there);
	for (uint32_t i = 0; rows && record_fields[field].type == RECORD_TYPE_ADDR && i < n; i++) {
		struct addr a = record_batch_addr(coded, (int)field, i);
		struct addr b = record_batch_addr(rows, (int)field, i);
		assert(addr_eq(&a, &b));
	}
	record_batch_free(coded);
}

static void decode_column(struct column_coder *c, struct buf value, unsigned field, uint32_t n)
{
	struct record_batch *rows = batch_with_start(field, n), *again = batch_with_start(field, n);
	struct column_rows all = {.batch = rows, .n = n};
	struct bytes out = {};
	int ret = block_column_decode(c, value, (enum record_field)field, rows, n, false);
	assert(ret == 0 || ret == -EIO);
	assert(ret == 0 || field == FIELD_start_ns || !(rows->used >> field & 1));
	decode_coded(c, value, field, n, ret == 0 ? rows : NULL);
	if (ret == 0) {
		ret = block_column_encode(c, &out, &all, (enum record_field)field);
		assert(ret >= 0); // 0: nothing but zeros
		if (ret > 0) {
			value = buf_of(out.p, out.len);
			ret = block_column_decode(
				c, value, (enum record_field)field, again, n, false
			);
			assert(ret == 0);
		}
		rows_assert_equal(rows, again);
	}
	bytes_fini(&out);
	record_batch_free(rows);
	record_batch_free(again);
}

static void decode_summary(struct buf value)
{
	uint8_t out[BLOCK_SUMMARY_LEN];
	struct block_summary s;
	if (block_summary_decode(value.p, buf_left(&value), &s) < 0)
		return;
	assert(s.n_rows > 0 && s.n_rows <= BLOCK_ROWS_MAX && s.start_min <= s.start_max);
	block_summary_encode(&s, out);
	assert(value.p);
	assert(memcmp(out + 8, value.p + 8, BLOCK_SUMMARY_LEN - 16) == 0);
}

static void decode(uint8_t which, struct buf value, unsigned field, uint32_t n)
{
	struct column_coder c;
	column_init(&c);
	if (which % 3 == 0)
		decode_block(&c, value);
	else if (which % 3 == 1)
		decode_column(&c, value, field, n);
	else
		decode_summary(value);
	column_fini(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = buf_of(data, size);
	uint8_t which = buf_u8(&b);
	unsigned field = which % 3 == 1 ? buf_u8(&b) % RECORD_N_FIELDS : 0;
	uint32_t n = which % 3 == 1 ? 1 + buf_u16(&b) % ROWS_MAX : 0;
	if (b.bad)
		return 0;
	decode(which, b, field, n);
	struct bytes mended = stored_mend(b.p, buf_left(&b));
	decode(which, buf_of(mended.p, mended.len), field, n);
	bytes_fini(&mended);
	return 0;
}
