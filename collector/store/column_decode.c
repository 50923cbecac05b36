// SPDX-License-Identifier: Apache-2.0
#include "collector/store/column.h"

#include <errno.h>

static int
scatter_macs(struct record_batch *into, enum record_field f, const uint64_t *v, uint32_t n)
{
	struct record_mac *to = record_batch_column_raw(into, f);
	if (!to)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		for (int k = 0; k < 6; k++)
			to[i].b[k] = (uint8_t)(v[i] >> (8 * (5 - k)));
	}
	return 0;
}

// Values too wide for the column lose their high bits: the checksum was right, so this is a value
// that we never write, and any value is as good.
static int decode_ints(
	struct column_coder *c,
	struct buf *in,
	enum record_field f,
	struct record_batch *into,
	uint32_t n
)
{
	enum record_type type = record_fields[f].type;
	if (type == RECORD_TYPE_ADDR || type == RECORD_TYPE_STR)
		return -EIO; // a form that does not go with the field's type
	if (type == RECORD_TYPE_MAC) {
		int ret = ints_decode(&c->ints, in, c->hi, n);
		return ret < 0 ? ret : scatter_macs(into, f, c->hi, n);
	}
	void *to = record_batch_column_raw(into, f);
	return to ? ints_decode_as(&c->ints, in, (unsigned)record_fields[f].width, to, n) : -ENOMEM;
}

static int decode_since_start(
	struct column_coder *c,
	struct buf *in,
	enum record_field f,
	struct record_batch *into,
	uint32_t n
)
{
	if (record_fields[f].type != RECORD_TYPE_TIME || f == FIELD_start_ns)
		return -EIO;
	uint64_t *to = record_batch_column_raw(into, f);
	const uint64_t *start = RECORD_COLUMN(into, start_ns);
	if (!to)
		return -ENOMEM;
	int ret = ints_decode(&c->ints, in, to, n);
	for (uint32_t i = 0; ret == 0 && start && i < n; i++)
		to[i] += start[i];
	return ret;
}

static struct addr addr_of_halves(uint64_t hi, uint64_t lo)
{
	struct addr a;
	hi = htobe64(hi);
	lo = htobe64(lo);
	memcpy(a.b, &hi, 8);
	memcpy(a.b + 8, &lo, 8);
	return a;
}

static int decode_addrs(struct column_coder *c, struct buf *in, struct addr *to, uint32_t n)
{
	int ret = ints_decode(&c->ints, in, c->hi, n);
	if (ret < 0 || (ret = ints_decode(&c->ints, in, c->lo, n)) < 0)
		return ret;
	for (uint32_t i = 0; i < n; i++)
		to[i] = addr_of_halves(c->hi[i], c->lo[i]);
	return 0;
}

// The number of entries of a dictionary for n rows, 0 when it cannot be.
static uint32_t dict_len(struct buf *in, uint32_t n)
{
	uint64_t n_dict = bytes_get_varint(in);
	return in->bad || n_dict > n ? 0 : (uint32_t)n_dict;
}

// The rows' numbers to c->hi, each below n_dict.
static int decode_numbers(struct column_coder *c, struct buf *in, uint32_t n, uint32_t n_dict)
{
	uint64_t max = 0;
	int ret = ints_decode(&c->ints, in, c->hi, n);
	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < n; i++)
		max = c->hi[i] > max ? c->hi[i] : max;
	return max < n_dict ? 0 : -EIO;
}

// The dictionary's addresses and the rows' numbers among them.
static int decode_addr_dict(
	struct column_coder *c,
	struct buf *in,
	struct addr *ret_values,
	uint32_t *ret_codes,
	uint32_t n,
	uint32_t *ret_n_dict
)
{
	uint32_t n_dict = dict_len(in, n);
	if (!n_dict)
		return -EIO;
	int ret = decode_addrs(c, in, ret_values, n_dict);
	if (ret == 0)
		ret = ints_decode_as(&c->ints, in, sizeof(*ret_codes), ret_codes, n);
	if (ret < 0)
		return ret;
	uint32_t max = 0;
	for (uint32_t i = 0; i < n; i++)
		max = ret_codes[i] > max ? ret_codes[i] : max;
	*ret_n_dict = n_dict;
	return max < n_dict ? 0 : -EIO;
}

static int decode_addr_rows(
	struct column_coder *c,
	struct buf *in,
	enum record_field f,
	struct record_batch *into,
	uint32_t n
)
{
	struct addr *values;
	struct record_coded *coded = record_batch_coded(into, f, &values);
	struct addr *to = record_batch_column_raw(into, f);
	if (!coded || !to)
		return -ENOMEM;
	into->has_coded &= ~(1ull << f);
	int ret = decode_addr_dict(c, in, values, coded->codes, n, &coded->n);
	for (uint32_t i = 0; ret == 0 && i < n; i++)
		to[i] = values[coded->codes[i]];
	return ret;
}

// Each distinct text is stored once in the batch too; rows share it.
static int decode_texts(
	struct column_coder *c,
	struct buf *in,
	struct record_batch *into,
	struct record_text *to,
	uint32_t n
)
{
	uint32_t n_dict = dict_len(in, n);
	size_t text_len = 0;
	uint64_t off;
	if (!n_dict)
		return -EIO;
	int ret = ints_decode(&c->ints, in, c->dict_lo, n_dict);
	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < n_dict; i++) {
		if (c->dict_lo[i] > RECORD_STR_MAX)
			return -EIO;
		c->dict_hi[i] = text_len;
		text_len += c->dict_lo[i];
	}
	const uint8_t *text = buf_take(in, text_len);
	if (!text)
		return -EIO;
	if ((ret = decode_numbers(c, in, n, n_dict)) < 0 ||
	    (ret = record_batch_add_text(into, (const char *)text, text_len, &off)) < 0)
		return ret;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t number = c->hi[i];
		to[i] = (struct record_text
		){.off = off + c->dict_hi[number], .len = (uint16_t)c->dict_lo[number]};
	}
	return 0;
}

static int decode_form(
	struct column_coder *c,
	struct buf *in,
	enum record_field f,
	struct record_batch *into,
	uint32_t n
)
{
	enum record_type type = record_fields[f].type;
	uint8_t form = buf_u8(in);
	if (form == COLUMN_INTS)
		return decode_ints(c, in, f, into, n);
	if (form == COLUMN_SINCE_START)
		return decode_since_start(c, in, f, into, n);
	bool is_addr = form == COLUMN_ADDR || form == COLUMN_ADDR_DICT;
	if (type != (is_addr ? RECORD_TYPE_ADDR : RECORD_TYPE_STR))
		return -EIO;
	if (form == COLUMN_ADDR_DICT)
		return decode_addr_rows(c, in, f, into, n);
	void *to = record_batch_column_raw(into, f);
	if (!to)
		return -ENOMEM;
	if (form == COLUMN_ADDR)
		return decode_addrs(c, in, to, n);
	return form == COLUMN_TEXT_DICT ? decode_texts(c, in, into, to, n) : -EIO;
}

int column_decode(
	struct column_coder *c,
	struct buf in,
	enum record_field f,
	struct record_batch *into,
	uint32_t n
)
{
	if (n > into->cap)
		return -EIO;
	int ret = column_reserve(c, n);
	if (ret == 0)
		ret = decode_form(c, &in, f, into, n);
	if (ret == 0 && buf_left(&in))
		ret = -EIO;
	if (ret < 0)
		into->used &= ~(1ull << f); // what it holds is undefined
	return ret;
}

static int
decode_coded(struct column_coder *c, struct buf *in, struct record_coded *coded, uint32_t n)
{
	(void)buf_u8(in); // the form
	int ret = column_reserve(c, n);
	if (ret == 0)
		ret = decode_addr_dict(
			c, in, (struct addr *)coded->values, coded->codes, n, &coded->n
		);
	return ret == 0 && buf_left(in) ? -EIO : ret;
}

int column_decode_coded(
	struct column_coder *c,
	struct buf in,
	enum record_field f,
	struct record_batch *into,
	uint32_t n
)
{
	struct buf peek = in;
	struct addr *values;
	if (record_fields[f].type != RECORD_TYPE_ADDR || buf_u8(&peek) != COLUMN_ADDR_DICT)
		return column_decode(c, in, f, into, n);
	if (n > into->cap)
		return -EIO;
	struct record_coded *coded = record_batch_coded(into, f, &values);
	int ret = coded ? decode_coded(c, &in, coded, n) : -ENOMEM;
	if (ret < 0)
		into->has_coded &= ~(1ull << f);
	return ret;
}
