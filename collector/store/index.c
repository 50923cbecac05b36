// SPDX-License-Identifier: Apache-2.0
#include "collector/store/index.h"

#include <errno.h>

static bool is_here(struct store_index *x, bool valid)
{
	struct key prefix = key_hour(x->kind, x->entity, x->hour);
	return valid && key_has_prefix(db_iter_key(x->view->keys), &prefix);
}

int store_index_open(struct store_index *x, struct store_view *v, uint16_t entity, uint32_t hour)
{
	struct key prefix = key_hour(KEY_INDEX, entity, hour);
	x->view = v;
	x->entity = entity;
	x->hour = hour;
	x->kind = KEY_INDEX;
	x->part.n = 0;
	if (!is_here(x, db_iter_seek(v->keys, key_slice(&prefix))))
		x->kind = KEY_ADDRS;
	return view_error(v->keys);
}

static int read_part(struct store_index *x, bool valid)
{
	x->part.n = 0;
	if (!is_here(x, valid))
		return view_error(x->view->keys);
	int ret = table_index_decode(
		&x->view->ints, db_iter_value(x->view->keys), x->kind == KEY_ADDRS, &x->part
	);
	return ret < 0 ? ret : 1;
}

int store_index_seek(struct store_index *x, const struct addr *a)
{
	struct key key = key_addrs(x->kind, x->entity, x->hour, a);
	bool valid = db_iter_seek_back(x->view->keys, key_slice(&key));
	if (!is_here(x, valid)) { // before the first
		key = key_hour(x->kind, x->entity, x->hour);
		valid = db_iter_seek(x->view->keys, key_slice(&key));
	}
	return read_part(x, valid);
}

int store_index_next(struct store_index *x)
{
	return read_part(x, db_iter_next(x->view->keys));
}
