// SPDX-License-Identifier: Apache-2.0
#include "collector/store/checksum.h"
#include "collector/store/hit_row.h"

#include <errno.h>
#include <stdlib.h>

#define HIT_VERSION 1
#define CHECKSUM_LEN 8

struct key hit_key(const struct hit *h)
{
	struct key k = key_hour(KEY_HIT, h->entity, h->hour);
	struct wbuf w = {.start = k.b, .p = k.b + k.len, .end = k.b + sizeof(k.b)};
	wbuf_u64(&w, h->indicator);
	wbuf_bytes(&w, h->inside.b, sizeof(h->inside.b));
	wbuf_u8(&w, h->direction);
	k.len = wbuf_len(&w);
	return k;
}

struct key hit_log_key(uint64_t number)
{
	struct key k;
	struct wbuf w = wbuf_of(k.b, sizeof(k.b));
	wbuf_u8(&w, KEY_HIT_LOG);
	wbuf_u8(&w, KEY_VERSION);
	wbuf_u64(&w, number);
	k.len = wbuf_len(&w);
	return k;
}

bool hit_log_parse(struct slice key, uint64_t *ret_number)
{
	struct buf b = buf_of(key.p, key.len);
	if (buf_u8(&b) != KEY_HIT_LOG || buf_u8(&b) != KEY_VERSION)
		return false;
	*ret_number = buf_u64(&b);
	return !b.bad;
}

static bool key_decode(struct slice key, struct hit *h)
{
	struct buf b = buf_of(key.p, key.len);
	if (buf_u8(&b) != KEY_HIT || buf_u8(&b) != KEY_VERSION)
		return false;
	h->entity = buf_u16(&b);
	h->hour = buf_u32(&b);
	h->indicator = buf_u64(&b);
	const uint8_t *inside = buf_take(&b, sizeof(h->inside.b));
	h->direction = buf_u8(&b);
	if (b.bad)
		return false;
	memcpy(h->inside.b, inside, sizeof(h->inside.b));
	return true;
}

static void put_counts(struct bytes *out, const struct hit_counts *c)
{
	bytes_varint(out, c->flows);
	bytes_varint(out, c->packets);
	bytes_varint(out, c->bytes);
	bytes_varint(out, c->denied);
}

static struct hit_counts get_counts(struct buf *b)
{
	struct hit_counts c;
	c.flows = bytes_get_varint(b);
	c.packets = bytes_get_varint(b);
	c.bytes = bytes_get_varint(b);
	c.denied = bytes_get_varint(b);
	return c;
}

int hit_encode(const struct hit *h, struct bytes *out)
{
	size_t start = out->len;
	bytes_u8(out, HIT_VERSION);
	bytes_u8(out, h->where);
	bytes_u8(out, h->type);
	bytes_u8(out, h->severity);
	bytes_u8(out, h->confidence);
	bytes_u16(out, h->score);
	bytes_u8(out, 0);
	bytes_u64(out, h->first_ns);
	bytes_u64(out, h->last_ns);
	bytes_u64(out, h->found_ns);
	bytes_u64(out, h->number);
	put_counts(out, &h->live);
	put_counts(out, &h->retro);
	bytes_put(out, h->outside.b, sizeof(h->outside.b));
	bytes_u16(out, h->inside_port);
	bytes_u16(out, h->outside_port);
	bytes_u8(out, h->proto);
	for (int i = 0; i < HIT_N_TEXTS; i++) {
		const struct record_str *t = &h->texts[i];
		uint8_t len = t->len < HIT_TEXT_MAX ? (uint8_t)t->len : HIT_TEXT_MAX;
		bytes_u8(out, len);
		bytes_put(out, t->p, len);
	}
	if (!out->bad)
		bytes_u64(out, checksum64(out->p + start, out->len - start));
	return out->bad ? -ENOMEM : 0;
}

int hit_decode(struct slice key, struct slice value, struct hit *ret_hit)
{
	struct hit h = {0};
	if (value.len < CHECKSUM_LEN || !key_decode(key, &h))
		return -EIO;
	struct buf b = buf_of(value.p, value.len - CHECKSUM_LEN), sum = buf_of(b.end, CHECKSUM_LEN);
	if (bytes_get_u64(&sum) != checksum64(b.p, buf_left(&b)) || buf_u8(&b) != HIT_VERSION)
		return -EIO;
	h.where = buf_u8(&b);
	h.type = buf_u8(&b);
	h.severity = buf_u8(&b);
	h.confidence = buf_u8(&b);
	h.score = bytes_get_u16(&b);
	buf_skip(&b, 1);
	h.first_ns = bytes_get_u64(&b);
	h.last_ns = bytes_get_u64(&b);
	h.found_ns = bytes_get_u64(&b);
	h.number = bytes_get_u64(&b);
	h.live = get_counts(&b);
	h.retro = get_counts(&b);
	const uint8_t *outside = buf_take(&b, sizeof(h.outside.b));
	if (outside)
		memcpy(h.outside.b, outside, sizeof(h.outside.b));
	h.inside_port = bytes_get_u16(&b);
	h.outside_port = bytes_get_u16(&b);
	h.proto = buf_u8(&b);
	for (int i = 0; i < HIT_N_TEXTS; i++) {
		uint8_t len = buf_u8(&b);
		h.texts[i] = (struct record_str){(const char *)buf_take(&b, len), len};
	}
	if (b.bad || buf_left(&b))
		return -EIO;
	*ret_hit = h;
	return 0;
}

static void explain(struct hit *h, const struct hit *by)
{
	h->type = by->type;
	h->severity = by->severity;
	h->confidence = by->confidence;
	for (int i = 0; i < HIT_N_TEXTS; i++) {
		if (i != HIT_SEEN_NAME)
			h->texts[i] = by->texts[i];
	}
}

// Makes a delta part of its row.
static void merge(struct hit *row, const struct hit *delta)
{
	struct hit sum = delta->last_ns >= row->last_ns ? *delta : *row;
	// What does not explain its indicator does not replace what does.
	explain(&sum, delta->texts[HIT_VALUE].len ? delta : row);
	if (sum.texts[HIT_SEEN_NAME].len == 0)
		sum.texts[HIT_SEEN_NAME] = row->texts[HIT_SEEN_NAME];
	sum.first_ns = delta->first_ns < row->first_ns ? delta->first_ns : row->first_ns;
	sum.found_ns = row->found_ns;
	sum.score = delta->score > row->score ? delta->score : row->score;
	sum.live = row->live;
	sum.live.flows += delta->live.flows;
	sum.live.packets += delta->live.packets;
	sum.live.bytes += delta->live.bytes;
	sum.live.denied += delta->live.denied;
	sum.retro = delta->is_hunt ? delta->retro : row->retro;
	*row = sum;
}

static int cmp_row(const void *left, const void *right)
{
	const struct hit *const *l = left, *const *r = right;
	struct key a = hit_key(*l), b = hit_key(*r);
	return memcmp(a.b, b.b, a.len);
}

static int put_row(struct store *s, struct db_batch *batch, struct hit *h, uint64_t old_number)
{
	struct key key = hit_key(h), log;
	struct bytes value = {0};
	h->number = ++s->hits_number;
	int ret = hit_encode(h, &value);
	if (ret == 0) {
		db_batch_put(batch, key_slice(&key), (struct slice){value.p, value.len});
		if (old_number) {
			log = hit_log_key(old_number);
			db_batch_del(batch, key_slice(&log));
		}
		log = hit_log_key(h->number);
		db_batch_put(batch, key_slice(&log), key_slice(&key));
	}
	bytes_fini(&value);
	return ret;
}

// The deltas of one row, which stand together.
static int
add_row(struct store *s,
	struct db_batch *batch,
	struct db_iter *it,
	const struct hit **deltas,
	size_t n)
{
	struct hit row = *deltas[0];
	struct key key = hit_key(&row);
	uint64_t old_number = 0;
	size_t i = 1;
	row.found_ns = clock_now_ns();
	if (db_iter_seek(it, key_slice(&key)) && key_is(db_iter_key(it), &key) &&
	    hit_decode(db_iter_key(it), db_iter_value(it), &row) == 0) {
		old_number = row.number;
		i = 0;
	}
	for (; i < n; i++)
		merge(&row, deltas[i]);
	return put_row(s, batch, &row, old_number);
}

// Forgets the log's oldest part.
static void trim(struct store *s, struct db_batch *batch)
{
	if (s->hits_number <= HIT_LOG_MAX)
		return;
	struct key from = hit_log_key(0), to = hit_log_key(s->hits_number - HIT_LOG_MAX);
	db_batch_del_range(batch, key_slice(&from), key_slice(&to));
}

int hits_lay(struct store *s, struct db_batch *batch, const struct hit *deltas, size_t n)
{
	const struct hit **order = malloc((n + 1) * sizeof(*order));
	struct db_iter *it = db_iter_open(s->db, NULL, true);
	int ret = order && it ? 0 : -ENOMEM;
	for (size_t i = 0; ret == 0 && i < n; i++)
		order[i] = &deltas[i];
	if (ret == 0)
		qsort(order, n, sizeof(*order), cmp_row);
	for (size_t from = 0, to; ret == 0 && from < n; from = to) {
		for (to = from + 1; to < n && cmp_row(&order[from], &order[to]) == 0; to++)
			;
		ret = add_row(s, batch, it, order + from, to - from);
	}
	if (ret == 0 && n)
		trim(s, batch);
	db_iter_close(it);
	free(order);
	return ret;
}

int store_hits_add(
	struct store *s, const struct hit *deltas, size_t n, char error[static STORE_ERROR_LEN]
)
{
	char words[DB_ERROR_LEN] = "";
	struct db_batch *batch = db_batch_create();
	if (!batch)
		return store_fail(-ENOMEM, error, "hits: out of memory");
	pthread_mutex_lock(&s->hits);
	uint64_t number = s->hits_number;
	int ret = hits_lay(s, batch, deltas, n);
	if (ret == 0 && n)
		ret = db_write(s->db, batch, true, words);
	if (ret < 0)
		s->hits_number = number;
	else if (n)
		changes_bump(s->changes_fd);
	pthread_mutex_unlock(&s->hits);
	db_batch_free(batch);
	return ret < 0 ? store_fail(ret, error, "hits: %s", *words ? words : strerror(-ret)) : 0;
}

int hits_load(struct store *s)
{
	struct key last = hit_log_key(UINT64_MAX);
	struct db_iter *it = db_iter_open(s->db, NULL, true);
	if (!it)
		return -ENOMEM;
	uint64_t number;
	if (db_iter_seek_back(it, key_slice(&last)) && hit_log_parse(db_iter_key(it), &number))
		s->hits_number = number;
	int ret = db_iter_error(it);
	db_iter_close(it);
	return ret;
}
