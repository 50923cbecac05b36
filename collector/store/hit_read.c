// SPDX-License-Identifier: Apache-2.0
#include "collector/store/hit_row.h"
#include "collector/store/view.h"

#include <errno.h>

typedef int hit_fn(void *ctx, const struct hit *h);

// Gives the hit at the iterator; one that is damaged is passed over and remembered.
static int give(struct slice key, struct slice value, hit_fn *fn, void *ctx, int *damaged)
{
	struct hit h;
	if (hit_decode(key, value, &h) < 0) {
		*damaged = -EIO;
		return 0;
	}
	return fn(ctx, &h);
}

static int each_of_hour(
	struct store_view *v, uint16_t entity, uint32_t hour, hit_fn *fn, void *ctx, int *damaged
)
{
	struct key prefix = key_hour(KEY_HIT, entity, hour);
	bool valid = db_iter_seek(v->keys, key_slice(&prefix));
	int ret = 0;
	for (; ret == 0 && valid && key_has_prefix(db_iter_key(v->keys), &prefix);
	     valid = db_iter_next(v->keys))
		ret = give(db_iter_key(v->keys), db_iter_value(v->keys), fn, ctx, damaged);
	return ret ? ret : view_error(v->keys);
}

// The newest hour <= `to` of the entity with hits: 1, 0, -EIO.
static int hour_before(struct store_view *v, uint16_t entity, uint32_t to, uint32_t *ret_hour)
{
	struct key key = key_hour(KEY_HIT, entity, to);
	struct key_parts parts;
	memset(key.b + key.len, 0xff, sizeof(key.b) - key.len);
	key.len = sizeof(key.b);
	if (!db_iter_seek_back(v->keys, key_slice(&key)))
		return view_error(v->keys);
	if (!key_parse(db_iter_key(v->keys), KEY_HIT, &parts) || parts.entity != entity)
		return 0;
	*ret_hour = parts.hour;
	return 1;
}

int store_view_hits(
	struct store_view *v, uint16_t entity, uint32_t first, uint32_t last, hit_fn *fn, void *ctx
)
{
	uint32_t hour = last;
	int ret, damaged = 0;
	while ((ret = hour_before(v, entity, hour, &hour)) > 0 && hour >= first) {
		ret = each_of_hour(v, entity, hour, fn, ctx, &damaged);
		if (ret || hour-- == 0)
			break;
	}
	if (ret > 0 && hour < first)
		ret = 0;
	return ret ? ret : damaged;
}

static int give_at(struct store_view *v, struct slice at, hit_fn *fn, void *ctx)
{
	int damaged = 0;
	if (!db_iter_seek(v->values, at) || db_iter_key(v->values).len != at.len ||
	    memcmp(db_iter_key(v->values).p, at.p, at.len) != 0)
		return view_error(v->values) < 0 ? -EIO : -ENOENT;
	int ret = give(db_iter_key(v->values), db_iter_value(v->values), fn, ctx, &damaged);
	return ret ? ret : damaged;
}

int store_view_hit(struct store_view *v, const struct hit *name, hit_fn *fn, void *ctx)
{
	struct key key = hit_key(name);
	return give_at(v, key_slice(&key), fn, ctx);
}

int store_view_hits_since(struct store_view *v, int entity, uint64_t after, hit_fn *fn, void *ctx)
{
	struct key from = hit_log_key(after + 1);
	uint64_t number;
	int ret = 0, damaged = 0;
	bool valid = after < UINT64_MAX && db_iter_seek(v->keys, key_slice(&from));
	for (; ret == 0 && valid && hit_log_parse(db_iter_key(v->keys), &number);
	     valid = db_iter_next(v->keys)) {
		struct slice at = db_iter_value(v->keys);
		struct key_parts parts;
		if (!key_parse(at, KEY_HIT, &parts))
			damaged = -EIO;
		else if (entity < 0 || parts.entity == entity)
			ret = give_at(v, at, fn, ctx);
		if (ret == -ENOENT) // the retention has taken it
			ret = 0;
	}
	if (ret == 0)
		ret = view_error(v->keys);
	return ret ? ret : damaged;
}

int store_view_hits_last(struct store_view *v, uint64_t *ret_number)
{
	struct key last = hit_log_key(UINT64_MAX);
	*ret_number = 0;
	if (db_iter_seek_back(v->keys, key_slice(&last)))
		(void)hit_log_parse(db_iter_key(v->keys), ret_number);
	return view_error(v->keys);
}
