// SPDX-License-Identifier: Apache-2.0
#include "collector/store/ints.h"

#include "collector/store/pack.h"

#include <errno.h>

enum form { FORM_PACK, FORM_DELTA, FORM_DICT };

void ints_init(struct ints_coder *c)
{
	*c = (struct ints_coder){0};
	dedupe_init(&c->dedupe);
}

void ints_fini(struct ints_coder *c)
{
	dedupe_fini(&c->dedupe);
	free(c->dict);
	free(c->steps);
	free(c->codes);
	*c = (struct ints_coder){0};
}

static int reserve(struct ints_coder *c, uint32_t n)
{
	if (n <= c->cap)
		return 0;
	free(c->dict);
	free(c->steps);
	free(c->codes);
	c->dict = malloc(n * sizeof(*c->dict));
	c->steps = malloc(n * sizeof(*c->steps));
	c->codes = malloc(n * sizeof(*c->codes));
	c->cap = c->dict && c->steps && c->codes ? n : 0;
	return c->cap ? 0 : -ENOMEM;
}

static bool is_rising(const uint64_t *v, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		if (v[i] < v[i - 1])
			return false;
	}
	return true;
}

// PACK or DELTA, whichever is smaller. `steps` has room for n. A step back is one of nearly 2^64:
// an exception.
static void
put_plain(struct bytes *out, const uint64_t *v, uint32_t n, uint64_t *steps, struct ints_spec spec)
{
	bool is_time = spec.is_time;
	struct pack_plan pack = pack_plan(v, n, is_time);
	if ((pack.bits || pack.n_exceptions) && n > 2 && (spec.steps || is_rising(v, n))) {
		for (uint32_t i = 1; i < n; i++)
			steps[i - 1] = v[i] - v[i - 1];
		struct pack_plan delta = pack_plan(steps, n - 1, is_time);
		if (delta.len + 9 < pack.len) {
			bytes_u8(out, FORM_DELTA);
			bytes_varint(out, v[0]);
			pack_encode(&delta, out, steps, n - 1);
			return;
		}
	}
	bytes_u8(out, FORM_PACK);
	pack_encode(&pack, out, v, n);
}

static uint64_t hash_value(const void *ctx, uint32_t i, uint64_t seed)
{
	return dedupe_mix(((const uint64_t *)ctx)[i] ^ seed, 0x9e3779b97f4a7c15ull);
}

static bool equal_values(const void *ctx, uint32_t i, uint32_t j)
{
	return ((const uint64_t *)ctx)[i] == ((const uint64_t *)ctx)[j];
}

struct entry {
	uint64_t v;
	uint32_t number; // before sorting
};

static int cmp_entry(const void *left, const void *right)
{
	const struct entry *l = left, *r = right;
	return l->v < r->v ? -1 : l->v > r->v;
}

// Puts the distinct values in rising order and their numbers with them.
static int sort_dict(struct ints_coder *c, const uint64_t *v, uint32_t n)
{
	struct dedupe *d = &c->dedupe;
	struct entry *entries = malloc(d->n * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->n; i++)
		entries[i] = (struct entry){.v = v[d->first[i]], .number = i};
	qsort(entries, d->n, sizeof(*entries), cmp_entry);
	for (uint32_t i = 0; i < d->n; i++) {
		c->dict[i] = entries[i].v;
		d->first[entries[i].number] = i; // now: the number after sorting
	}
	for (uint32_t i = 0; i < n; i++)
		c->steps[i] = d->first[d->index[i]];
	free(entries);
	return 0;
}

// 1 when a dictionary was written; 0 when it does not pay.
static int put_dict(struct ints_coder *c, struct bytes *out, const uint64_t *v, uint32_t n)
{
	struct dedupe_items items = {.ctx = v, .hash = hash_value, .equal = equal_values};
	int ret = dedupe_run(&c->dedupe, &items, n, n / 2);
	if (ret < 0)
		return ret == -E2BIG ? 0 : ret;
	if ((ret = sort_dict(c, v, n)) < 0)
		return ret;
	struct pack_plan numbers = pack_plan(c->steps, n, false);
	uint64_t *steps = malloc(c->dedupe.n * sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	bytes_u8(out, FORM_DICT);
	bytes_varint(out, c->dedupe.n);
	put_plain(out, c->dict, c->dedupe.n, steps, (struct ints_spec){.effort = INTS_FAST});
	pack_encode(&numbers, out, c->steps, n);
	free(steps);
	return 1;
}

int ints_encode(
	struct ints_coder *c,
	struct bytes *out,
	const uint64_t *v,
	uint32_t n,
	struct ints_spec spec
)
{
	if (reserve(c, n) < 0)
		return -ENOMEM;
	size_t start = out->len;
	put_plain(out, v, n, c->steps, spec);
	size_t plain_len = out->len - start;
	// Below a quarter of a byte a value there is nothing to win.
	if (spec.effort == INTS_SMALL && plain_len > n / 4 + 16) {
		int ret = put_dict(c, out, v, n);
		if (ret < 0)
			return ret;
		size_t dict_len = out->len - start - plain_len;
		if (ret && dict_len < plain_len) {
			memmove(out->p + start, out->p + start + plain_len, dict_len);
			plain_len = dict_len;
		}
		out->len = start + plain_len;
	}
	return out->bad ? -ENOMEM : 0;
}

static int get_plain(struct buf *in, uint8_t form, uint64_t *ret_v, uint32_t n)
{
	if (form == FORM_PACK)
		return pack_decode(in, ret_v, n);
	if (form != FORM_DELTA || n == 0)
		return -EIO;
	ret_v[0] = bytes_get_varint(in);
	if (pack_decode(in, ret_v + 1, n - 1) < 0)
		return -EIO;
	for (uint32_t i = 1; i < n; i++)
		ret_v[i] += ret_v[i - 1];
	return 0;
}

#define NARROW(type)                                                                               \
	do {                                                                                       \
		type *to = ret_v;                                                                  \
		for (uint32_t i = 0; i < n; i++)                                                   \
			to[i] = (type)v[i];                                                        \
	} while (0)

static void narrow(const uint64_t *v, unsigned width, void *ret_v, uint32_t n)
{
	if (width == 1)
		NARROW(uint8_t);
	else if (width == 2)
		NARROW(uint16_t);
	else
		NARROW(uint32_t);
}

#define LOOK_UP(type)                                                                              \
	do {                                                                                       \
		type *to = ret_v;                                                                  \
		for (uint32_t i = 0; i < n; i++)                                                   \
			to[i] = (type)dict[codes[i]];                                              \
	} while (0)

static void
look_up(const uint64_t *dict, const uint32_t *codes, unsigned width, void *ret_v, uint32_t n)
{
	if (width == 1)
		LOOK_UP(uint8_t);
	else if (width == 2)
		LOOK_UP(uint16_t);
	else if (width == 4)
		LOOK_UP(uint32_t);
	else
		LOOK_UP(uint64_t);
}

static int get_dict(struct ints_coder *c, struct buf *in, unsigned width, void *ret_v, uint32_t n)
{
	uint64_t n_dict = bytes_get_varint(in);
	if (in->bad || n_dict == 0 || n_dict > n)
		return -EIO;
	if (reserve(c, n) < 0)
		return -ENOMEM;
	uint8_t form = buf_u8(in);
	struct pack numbers;
	if (get_plain(in, form, c->dict, (uint32_t)n_dict) < 0 || pack_parse(in, n, &numbers) < 0)
		return -EIO;
	pack_unpack(&numbers, 4, c->codes);
	uint32_t max = 0;
	for (uint32_t i = 0; i < n; i++)
		max = c->codes[i] > max ? c->codes[i] : max;
	if (max >= n_dict)
		return -EIO;
	look_up(c->dict, c->codes, width, ret_v, n);
	return 0;
}

int ints_decode_as(struct ints_coder *c, struct buf *in, unsigned width, void *ret_v, uint32_t n)
{
	uint8_t form = buf_u8(in);
	struct pack p;
	int ret;
	if (form == FORM_DICT)
		return get_dict(c, in, width, ret_v, n);
	if (width == 8)
		return get_plain(in, form, ret_v, n);
	if (form == FORM_PACK) {
		ret = pack_parse(in, n, &p);
		if (ret == 0)
			pack_unpack(&p, width, ret_v);
		return ret;
	}
	if (reserve(c, n) < 0)
		return -ENOMEM;
	ret = get_plain(in, form, c->dict, n);
	if (ret == 0)
		narrow(c->dict, width, ret_v, n);
	return ret;
}

int ints_decode(struct ints_coder *c, struct buf *in, uint64_t *ret_v, uint32_t n)
{
	return ints_decode_as(c, in, sizeof(*ret_v), ret_v, n);
}
