// SPDX-License-Identifier: Apache-2.0
#include "collector/store/name_table.h"

#include "collector/store/checksum.h"

#include <errno.h>

#define NAMES_VERSION 1
#define CHECKSUM_LEN 8

static size_t shared(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t n = 0, max = a_len < b_len ? a_len : b_len;
	while (n < max && a[n] == b[n])
		n++;
	return n;
}

int name_table_encode(const struct names *s, size_t from, uint32_t n, struct bytes *out)
{
	size_t start = out->len, last_len = 0;
	const char *last = "";
	bytes_u8(out, NAMES_VERSION);
	bytes_varint(out, n);
	for (size_t i = from; i < from + n; i++) {
		const char *text = names_text(s, i);
		size_t len = s->items[i].len, same = shared(last, last_len, text, len);
		bytes_u8(out, (uint8_t)same);
		bytes_u8(out, (uint8_t)(len - same));
		bytes_put(out, text + same, len - same);
		last = text;
		last_len = len;
	}
	if (!out->bad)
		bytes_u64(out, checksum64(out->p + start, out->len - start));
	return out->bad ? -ENOMEM : 0;
}

// One name after those of the part.
static bool take_name(struct buf *b, struct table_names *t)
{
	uint32_t at = t->n ? t->off[t->n - 1] + t->len[t->n - 1] : 0;
	const char *last = t->n ? t->text + t->off[t->n - 1] : "";
	size_t last_len = t->n ? t->len[t->n - 1] : 0;
	size_t same = buf_u8(b), rest = buf_u8(b);
	const uint8_t *p = buf_take(b, rest);
	if (!p || same > last_len || same + rest == 0 || same + rest > INDICATOR_NAME_MAX)
		return false;
	memcpy(t->text + at, last, same);
	memcpy(t->text + at + same, p, rest);
	t->off[t->n] = at;
	t->len[t->n] = (uint8_t)(same + rest);
	return name_cmp(last, last_len, t->text + at, same + rest) < 0;
}

int name_table_decode(struct slice value, struct table_names *ret_names)
{
	if (value.len < CHECKSUM_LEN + 1)
		return -EIO;
	size_t len = value.len - CHECKSUM_LEN;
	struct buf sum = buf_of((const uint8_t *)value.p + len, CHECKSUM_LEN);
	struct buf b = buf_of(value.p, len);
	if (bytes_get_u64(&sum) != checksum64(value.p, len) || buf_u8(&b) != NAMES_VERSION)
		return -EIO;
	uint64_t n = bytes_get_varint(&b);
	ret_names->n = 0;
	if (b.bad || n > TABLE_NAMES)
		return -EIO;
	for (; ret_names->n < n; ret_names->n++)
		if (!take_name(&b, ret_names))
			return -EIO;
	return buf_left(&b) ? -EIO : 0;
}

static bool is_before(const struct table_names *t, uint32_t i, const char *text, size_t len)
{
	return name_cmp(t->text + t->off[i], t->len[i], text, len) < 0;
}

// By leaps that double, then by halves.
uint32_t name_table_find(const struct table_names *t, uint32_t from, const char *text, size_t len)
{
	uint32_t step = 1, low = from, high = from;
	while (high < t->n && is_before(t, high, text, len)) {
		low = high + 1;
		high = t->n - high > step ? high + step : t->n;
		step *= 2;
	}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (is_before(t, middle, text, len))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_here(struct name_walk *w, bool valid)
{
	struct key prefix = key_hour(KEY_NAMES, w->entity, w->hour);
	return valid && key_has_prefix(db_iter_key(w->view->keys), &prefix);
}

static bool to_first(struct name_walk *w)
{
	struct key prefix = key_hour(KEY_NAMES, w->entity, w->hour);
	return db_iter_seek(w->view->keys, key_slice(&prefix));
}

int name_walk_open(struct name_walk *w, struct store_view *v, uint16_t entity, uint32_t hour)
{
	w->view = v;
	w->entity = entity;
	w->hour = hour;
	w->part.n = 0;
	if (is_here(w, to_first(w)))
		return 1;
	return view_error(v->keys);
}

static int read_part(struct name_walk *w, bool valid)
{
	w->part.n = 0;
	if (!is_here(w, valid))
		return view_error(w->view->keys);
	int ret = name_table_decode(db_iter_value(w->view->keys), &w->part);
	return ret < 0 ? ret : 1;
}

int name_walk_seek(struct name_walk *w, const char *text, size_t len)
{
	// Of parts whose first names begin alike in the key, number 0 stands before all.
	struct key key = key_names(w->entity, w->hour, text, len, 0);
	bool valid = db_iter_seek_back(w->view->keys, key_slice(&key));
	if (!is_here(w, valid))
		valid = to_first(w);
	return read_part(w, valid);
}

int name_walk_next(struct name_walk *w)
{
	return read_part(w, db_iter_next(w->view->keys));
}
