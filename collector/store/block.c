// SPDX-License-Identifier: Apache-2.0
#include "collector/store/block.h"

#include "collector/store/checksum.h"

#include <errno.h>

#define MAGIC 0x4b4c4257u // "WBLK"
#define CHECKSUM_LEN 8
#define HEAD_LEN 32
#define ENTRY_LEN 5 // field, length: one of a block's directory

static void put_checksum(struct bytes *out, size_t start)
{
	if (!out->bad)
		bytes_u64(out, checksum64(out->p + start, out->len - start));
}

// The bytes before the checksum; bad when it is wrong.
static struct buf checked(const void *bytes, size_t len)
{
	struct buf b = {.bad = true};
	if (len < CHECKSUM_LEN)
		return b;
	struct buf sum = buf_of((const uint8_t *)bytes + len - CHECKSUM_LEN, CHECKSUM_LEN);
	if (bytes_get_u64(&sum) != checksum64(bytes, len - CHECKSUM_LEN))
		return b;
	return buf_of(bytes, len - CHECKSUM_LEN);
}

void block_summary_encode(const struct block_summary *s, uint8_t ret_bytes[BLOCK_SUMMARY_LEN])
{
	const uint64_t words[] = {
		htole64(BLOCK_VERSION), // one byte, and seven that are 0
		htole64((uint64_t)s->n_denied << 32 | s->n_rows),
		htole64(s->start_min),
		htole64(s->start_max),
		htole64(s->fields),
		htole64(s->len),
	};
	uint64_t sum = htole64(checksum64(words, sizeof(words)));
	static_assert(sizeof(words) + sizeof(sum) == BLOCK_SUMMARY_LEN);
	memcpy(ret_bytes, words, sizeof(words));
	memcpy(ret_bytes + sizeof(words), &sum, sizeof(sum));
}

int block_summary_decode(const void *bytes, size_t len, struct block_summary *ret_summary)
{
	struct buf b = checked(bytes, len);
	if (len != BLOCK_SUMMARY_LEN || b.bad || buf_u8(&b) != BLOCK_VERSION)
		return -EIO;
	buf_skip(&b, 7);
	struct block_summary s = {
		.n_rows = bytes_get_u32(&b),
		.n_denied = bytes_get_u32(&b),
		.start_min = bytes_get_u64(&b),
		.start_max = bytes_get_u64(&b),
		.fields = bytes_get_u64(&b),
		.len = bytes_get_u64(&b),
	};
	if (s.n_rows == 0 || s.n_rows > BLOCK_ROWS_MAX || s.start_min > s.start_max)
		return -EIO;
	*ret_summary = s;
	return 0;
}

struct block_summary block_summary_of(const struct column_rows *rows)
{
	const uint64_t *start = RECORD_COLUMN(rows->batch, start_ns);
	const uint8_t *verdict = RECORD_COLUMN(rows->batch, verdict);
	struct block_summary s = {.n_rows = rows->n, .start_min = UINT64_MAX};
	for (uint32_t i = 0; i < rows->n; i++) {
		uint32_t row = rows->rows ? rows->rows[i] : i;
		uint64_t at = start ? start[row] : 0;
		s.start_min = at < s.start_min ? at : s.start_min;
		s.start_max = at > s.start_max ? at : s.start_max;
		s.n_denied += verdict && verdict[row] == VERDICT_DENY;
	}
	return s;
}

static void put_u32_at(struct bytes *out, size_t at, uint32_t v)
{
	v = htole32(v);
	if (!out->bad)
		memcpy(out->p + at, &v, sizeof(v));
}

// The directory's room comes first, then the columns; those that are all 0 leave no entry.
static int put_columns(
	struct column_coder *c,
	struct bytes *out,
	const struct column_rows *rows,
	uint64_t *ret_fields
)
{
	size_t entry = out->len;
	uint64_t used = rows->batch->used, fields = 0;
	(void)bytes_take(out, ENTRY_LEN * (size_t)__builtin_popcountll(used));
	for (uint64_t left = used; left && !out->bad; left &= left - 1) {
		enum record_field f = (enum record_field)__builtin_ctzll(left);
		size_t start = out->len;
		int ret = column_encode(c, out, rows, f, INTS_FAST);
		if (ret < 0)
			return ret;
		out->p[entry] = (uint8_t)f;
		put_u32_at(out, entry + 1, (uint32_t)(out->len - start)); // 0: no column
		entry += ENTRY_LEN;
		fields |= (uint64_t)ret << f;
	}
	*ret_fields = fields;
	return out->bad ? -ENOMEM : 0;
}

int block_encode(
	struct column_coder *c,
	struct bytes *out,
	const struct column_rows *rows,
	struct block_summary *ret_summary
)
{
	size_t start = out->len;
	if (rows->n == 0 || rows->n > BLOCK_ROWS_MAX)
		return -EINVAL;
	struct block_summary s = block_summary_of(rows);
	bytes_u32(out, MAGIC);
	bytes_u8(out, BLOCK_VERSION);
	bytes_u8(out, 0);
	bytes_u16(out, (uint16_t)__builtin_popcountll(rows->batch->used));
	bytes_u32(out, s.n_rows);
	bytes_u32(out, s.n_denied);
	bytes_u64(out, s.start_min);
	bytes_u64(out, s.start_max);
	int ret = put_columns(c, out, rows, &s.fields);
	if (ret < 0)
		return ret;
	put_checksum(out, start);
	s.len = out->len - start;
	*ret_summary = s;
	return out->bad ? -ENOMEM : 0;
}

static int get_columns(
	struct column_coder *c,
	struct buf *b,
	uint64_t fields,
	struct record_batch *into,
	uint32_t n_rows
)
{
	uint16_t n = bytes_get_u16(b);
	buf_skip(b, 24); // rows, denied, span: the caller has read what it needs
	struct buf directory = buf_sub(b, (size_t)n * ENTRY_LEN);
	int last = -1;
	for (uint16_t i = 0; i < n && !directory.bad; i++) {
		uint8_t f = buf_u8(&directory);
		uint32_t len = bytes_get_u32(&directory);
		struct buf column = buf_sub(b, len);
		if (f <= last || f >= 64 || column.bad)
			return -EIO; // not in rising order: the start would not be first
		last = f;
		// Columns of a newer version's fields are passed over.
		if (len == 0 || f >= RECORD_N_FIELDS || !(fields >> f & 1))
			continue;
		int ret = column_decode(c, column, (enum record_field)f, into, n_rows);
		if (ret < 0)
			return ret;
	}
	return directory.bad || b->bad || buf_left(b) ? -EIO : 0;
}

int block_decode(
	struct column_coder *c,
	const void *bytes,
	size_t len,
	uint64_t fields,
	struct record_batch *into
)
{
	record_batch_clear(into);
	struct buf b = checked(bytes, len);
	if (b.bad || buf_left(&b) < HEAD_LEN || bytes_get_u32(&b) != MAGIC ||
	    buf_u8(&b) != BLOCK_VERSION)
		return -EIO;
	buf_skip(&b, 1);
	struct buf rows = b;
	buf_skip(&rows, 2);
	uint32_t n_rows = bytes_get_u32(&rows);
	if (n_rows == 0 || n_rows > into->cap)
		return -EIO;
	int ret = get_columns(c, &b, fields | RECORD_BIT(start_ns), into, n_rows);
	if (ret < 0)
		record_batch_clear(into);
	else
		into->n_rows = n_rows;
	return ret;
}

int block_column_encode(
	struct column_coder *c,
	struct bytes *out,
	const struct column_rows *rows,
	enum record_field f
)
{
	size_t start = out->len;
	bytes_u8(out, BLOCK_VERSION);
	int ret = column_encode(c, out, rows, f, INTS_SMALL);
	if (ret > 0)
		put_checksum(out, start);
	else
		out->len = start;
	return out->bad ? -ENOMEM : ret;
}

int block_column_decode(
	struct column_coder *c,
	struct buf bytes,
	enum record_field f,
	struct record_batch *into,
	uint32_t n,
	bool coded
)
{
	struct buf b = checked(bytes.p, buf_left(&bytes));
	if (b.bad || buf_u8(&b) != BLOCK_VERSION)
		return -EIO;
	return coded ? column_decode_coded(c, b, f, into, n) : column_decode(c, b, f, into, n);
}
