// SPDX-License-Identifier: Apache-2.0
#include "collector/store/column.h"

#include "lib/base/siphash.h"

#include <errno.h>

void column_init(struct column_coder *c)
{
	*c = (struct column_coder){0};
	ints_init(&c->ints);
	dedupe_init(&c->dedupe);
}

static void free_arrays(struct column_coder *c)
{
	free(c->hi);
	free(c->lo);
	free(c->dict_hi);
	free(c->dict_lo);
	c->hi = c->lo = c->dict_hi = c->dict_lo = NULL;
	c->cap = 0;
}

void column_fini(struct column_coder *c)
{
	ints_fini(&c->ints);
	dedupe_fini(&c->dedupe);
	free_arrays(c);
}

int column_reserve(struct column_coder *c, uint32_t n)
{
	if (n <= c->cap)
		return 0;
	free_arrays(c);
	c->hi = malloc(n * sizeof(*c->hi));
	c->lo = malloc(n * sizeof(*c->lo));
	c->dict_hi = malloc(n * sizeof(*c->dict_hi));
	c->dict_lo = malloc(n * sizeof(*c->dict_lo));
	c->cap = c->hi && c->lo && c->dict_hi && c->dict_lo ? n : 0;
	return c->cap ? 0 : -ENOMEM;
}

static inline uint32_t row_at(const struct column_rows *rows, uint32_t i)
{
	return rows->rows ? rows->rows[i] : i;
}

#define GATHER(type)                                                                               \
	do {                                                                                       \
		const type *from = rows->batch->columns[f];                                        \
		for (uint32_t i = 0; i < rows->n; i++)                                             \
			v[i] = from[row_at(rows, i)];                                              \
	} while (0)

static void gather_macs(const struct column_rows *rows, enum record_field f, uint64_t *v)
{
	const struct record_mac *from = rows->batch->columns[f];
	for (uint32_t i = 0; i < rows->n; i++) {
		const uint8_t *b = from[row_at(rows, i)].b;
		v[i] = 0;
		for (int k = 0; k < 6; k++)
			v[i] = v[i] << 8 | b[k];
	}
}

static void gather(const struct column_rows *rows, enum record_field f, uint64_t *v)
{
	switch (record_fields[f].type) {
	case RECORD_TYPE_U8:
		GATHER(uint8_t);
		break;
	case RECORD_TYPE_U16:
		GATHER(uint16_t);
		break;
	case RECORD_TYPE_U32:
		GATHER(uint32_t);
		break;
	case RECORD_TYPE_U64:
	case RECORD_TYPE_TIME:
		GATHER(uint64_t);
		break;
	default:
		gather_macs(rows, f, v);
	}
}

static bool all_zero(const uint64_t *v, uint32_t n)
{
	uint64_t any = 0;
	for (uint32_t i = 0; i < n; i++)
		any |= v[i];
	return any == 0;
}

// Times of a row are near its start: mostly fewer bits than their own range.
static int encode_since_start(
	struct column_coder *c,
	struct bytes *out,
	const struct column_rows *rows,
	enum record_field f,
	enum ints_effort effort
)
{
	const uint64_t *start = RECORD_COLUMN(rows->batch, start_ns);
	const uint64_t *v = rows->batch->columns[f];
	for (uint32_t i = 0; i < rows->n; i++) {
		uint32_t row = row_at(rows, i);
		c->lo[i] = v[row] - (start ? start[row] : 0);
	}
	bytes_u8(out, COLUMN_SINCE_START);
	return ints_encode(&c->ints, out, c->lo, rows->n, (struct ints_spec){effort, true, false});
}

// Keeps the smaller of two encodings that stand one after the other at the end of `out`.
static void keep_smaller(struct bytes *out, size_t first, size_t second)
{
	size_t first_len = second - first, second_len = out->len - second;
	if (second_len < first_len)
		memmove(out->p + first, out->p + second, second_len);
	out->len = first + (second_len < first_len ? second_len : first_len);
}

static int encode_ints(
	struct column_coder *c,
	struct bytes *out,
	const struct column_rows *rows,
	enum record_field f,
	enum ints_effort effort
)
{
	bool is_time = record_fields[f].type == RECORD_TYPE_TIME;
	gather(rows, f, c->hi);
	if (all_zero(c->hi, rows->n))
		return 0;
	// On the way into the journal one try must do: the end follows the start, the time of
	// receipt the order of arrival.
	bool fast_end = effort == INTS_FAST && f == FIELD_end_ns;
	size_t first = out->len;
	if (!fast_end) {
		bytes_u8(out, COLUMN_INTS);
		int ret = ints_encode(
			&c->ints, out, c->hi, rows->n, (struct ints_spec){effort, is_time, false}
		);
		if (ret < 0)
			return ret;
	}
	if (is_time && f != FIELD_start_ns && (fast_end || effort == INTS_SMALL)) {
		size_t second = out->len;
		int ret = encode_since_start(c, out, rows, f, effort);
		if (ret < 0)
			return ret;
		if (!fast_end)
			keep_smaller(out, first, second);
	}
	return 1;
}

static uint64_t hash_addr(const void *ctx, uint32_t i, uint64_t seed)
{
	const struct column_coder *c = ctx;
	return dedupe_mix(
		dedupe_mix(c->hi[i] ^ seed, c->lo[i] ^ ~seed) ^ seed,
		c->lo[i] ^ 0x9e3779b97f4a7c15ull
	);
}

static bool equal_addr(const void *ctx, uint32_t i, uint32_t j)
{
	const struct column_coder *c = ctx;
	return c->hi[i] == c->hi[j] && c->lo[i] == c->lo[j];
}

static int encode_halves(
	struct column_coder *c,
	struct bytes *out,
	const uint64_t *hi,
	const uint64_t *lo,
	uint32_t n,
	bool sorted
)
{
	struct ints_spec plain = {.effort = INTS_FAST}, lows = {.effort = INTS_FAST, .steps = sorted};
	int ret = ints_encode(&c->ints, out, hi, n, plain);
	return ret < 0 ? ret : ints_encode(&c->ints, out, lo, n, lows);
}

struct entry {
	uint64_t hi, lo;
	uint32_t number; // before sorting
};

static int cmp_entry(const void *left, const void *right)
{
	const struct entry *l = left, *r = right;
	if (l->hi != r->hi)
		return l->hi < r->hi ? -1 : 1;
	return l->lo < r->lo ? -1 : l->lo > r->lo;
}

// The distinct addresses in rising order to dict_hi and dict_lo; `first` becomes their new numbers.
static int sort_addrs(struct column_coder *c)
{
	struct dedupe *d = &c->dedupe;
	struct entry *entries = malloc(d->n * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->n; i++)
		entries[i] = (struct entry){c->hi[d->first[i]], c->lo[d->first[i]], i};
	qsort(entries, d->n, sizeof(*entries), cmp_entry);
	for (uint32_t i = 0; i < d->n; i++) {
		c->dict_hi[i] = entries[i].hi;
		c->dict_lo[i] = entries[i].lo;
		d->first[entries[i].number] = i;
	}
	free(entries);
	return 0;
}

static int encode_addr_dict(struct column_coder *c, struct bytes *out, uint32_t n)
{
	struct dedupe *d = &c->dedupe;
	struct dedupe_items items = {.ctx = c, .hash = hash_addr, .equal = equal_addr};
	int ret = dedupe_run(d, &items, n, n);
	if (ret < 0 || (ret = sort_addrs(c)) < 0)
		return ret;
	bytes_u8(out, COLUMN_ADDR_DICT);
	bytes_varint(out, d->n);
	if ((ret = encode_halves(c, out, c->dict_hi, c->dict_lo, d->n, true)) < 0)
		return ret;
	for (uint32_t i = 0; i < n; i++)
		c->hi[i] = d->first[d->index[i]];
	return ints_encode(&c->ints, out, c->hi, n, (struct ints_spec){.effort = INTS_FAST});
}

static int encode_addrs(
	struct column_coder *c,
	struct bytes *out,
	const struct column_rows *rows,
	enum record_field f,
	enum ints_effort effort
)
{
	const struct addr *from = rows->batch->columns[f];
	for (uint32_t i = 0; i < rows->n; i++) {
		struct buf b = buf_of(from[row_at(rows, i)].b, 16);
		c->hi[i] = buf_u64(&b);
		c->lo[i] = buf_u64(&b);
	}
	if (all_zero(c->hi, rows->n) && all_zero(c->lo, rows->n))
		return 0;
	size_t first = out->len;
	bytes_u8(out, COLUMN_ADDR);
	int ret = encode_halves(c, out, c->hi, c->lo, rows->n, false);
	if (ret < 0)
		return ret;
	if (effort == INTS_SMALL && out->len - first > rows->n / 4 + 16) {
		size_t second = out->len;
		if ((ret = encode_addr_dict(c, out, rows->n)) < 0)
			return ret;
		keep_smaller(out, first, second);
	}
	return 1;
}

struct texts {
	const struct column_rows *rows;
	const struct record_text *refs;
};

static const struct record_text *text_at(const struct texts *t, uint32_t i)
{
	return &t->refs[row_at(t->rows, i)];
}

static uint64_t hash_text(const void *ctx, uint32_t i, uint64_t seed)
{
	const struct texts *t = ctx;
	const struct record_text *ref = text_at(t, i);
	struct siphash_key key = {seed, ~seed};
	return siphash(&key, t->rows->batch->text + ref->off, ref->len);
}

static bool equal_texts(const void *ctx, uint32_t i, uint32_t j)
{
	const struct texts *t = ctx;
	const struct record_text *l = text_at(t, i), *r = text_at(t, j);
	const char *text = t->rows->batch->text;
	return l->len == r->len && (!l->len || !memcmp(text + l->off, text + r->off, l->len));
}

static int encode_texts(
	struct column_coder *c,
	struct bytes *out,
	const struct column_rows *rows,
	enum record_field f
)
{
	struct texts texts = {.rows = rows, .refs = rows->batch->columns[f]};
	struct dedupe_items items = {.ctx = &texts, .hash = hash_text, .equal = equal_texts};
	struct dedupe *d = &c->dedupe;
	struct ints_spec plain = {.effort = INTS_FAST};
	int ret = dedupe_run(d, &items, rows->n, rows->n);
	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < d->n; i++)
		c->lo[i] = text_at(&texts, d->first[i])->len;
	if (all_zero(c->lo, d->n))
		return 0;
	bytes_u8(out, COLUMN_TEXT_DICT);
	bytes_varint(out, d->n);
	if ((ret = ints_encode(&c->ints, out, c->lo, d->n, plain)) < 0)
		return ret;
	for (uint32_t i = 0; i < d->n; i++) {
		const struct record_text *ref = text_at(&texts, d->first[i]);
		bytes_put(out, rows->batch->text + ref->off, ref->len);
	}
	for (uint32_t i = 0; i < rows->n; i++)
		c->hi[i] = d->index[i];
	ret = ints_encode(&c->ints, out, c->hi, rows->n, plain);
	return ret < 0 ? ret : 1;
}

int column_encode(
	struct column_coder *c,
	struct bytes *out,
	const struct column_rows *rows,
	enum record_field f,
	enum ints_effort effort
)
{
	int ret;
	if (!(rows->batch->used >> f & 1))
		return 0;
	if (column_reserve(c, rows->n) < 0)
		return -ENOMEM;
	if (record_fields[f].type == RECORD_TYPE_ADDR)
		ret = encode_addrs(c, out, rows, f, effort);
	else if (record_fields[f].type == RECORD_TYPE_STR)
		ret = encode_texts(c, out, rows, f);
	else
		ret = encode_ints(c, out, rows, f, effort);
	return out->bad ? -ENOMEM : ret;
}
