// SPDX-License-Identifier: Apache-2.0
#include "collector/store/view.h"

#include "collector/store/block.h"
#include "collector/store/user.h"

#include <errno.h>
#include <stdlib.h>

struct store_view *view_open(struct db *db, bool writable)
{
	struct store_view *v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	ints_init(&v->ints);
	if (writable)
		v->snapshot = db_snapshot_create(db);
	if (!writable || v->snapshot) {
		v->keys = db_iter_open(db, v->snapshot, true);
		v->values = db_iter_open(db, v->snapshot, false);
	}
	if (!v->keys || !v->values) {
		store_view_close(v);
		return NULL;
	}
	return v;
}

void store_view_close(struct store_view *v)
{
	if (!v)
		return;
	db_iter_close(v->keys);
	db_iter_close(v->values);
	db_snapshot_free(v->snapshot);
	ints_fini(&v->ints);
	free(v);
}

int view_error(struct db_iter *it)
{
	return db_iter_error(it) < 0 ? -EIO : 0;
}

int store_view_entity(struct store_view *v, const char *name)
{
	struct key key = key_name(KEY_ENTITY, name);
	if (!db_iter_seek(v->keys, key_slice(&key)) || !key_is(db_iter_key(v->keys), &key))
		return view_error(v->keys) < 0 ? -EIO : -ENOENT;
	struct slice value = db_iter_value(v->keys);
	struct buf b = buf_of(value.p, value.len);
	uint16_t number = bytes_get_u16(&b);
	return b.bad ? -EIO : number;
}

int store_view_user(struct store_view *v, const char *api_id, struct store_user *ret_user)
{
	struct key key = key_name(KEY_USER, api_id);
	if (!db_iter_seek(v->keys, key_slice(&key)) || !key_is(db_iter_key(v->keys), &key))
		return view_error(v->keys) < 0 ? -EIO : -ENOENT;
	return user_decode(db_iter_key(v->keys), db_iter_value(v->keys), ret_user);
}

// Whether the iterator, just moved, stands in the entity's hours of that kind.
static bool
hour_here(struct store_view *v, bool valid, enum key_kind kind, uint16_t entity, uint32_t *ret_hour)
{
	struct key_parts parts;
	if (!valid || !key_parse(db_iter_key(v->keys), kind, &parts) || parts.entity != entity)
		return false;
	*ret_hour = parts.hour;
	return true;
}

int view_hour_first(struct store_view *v, uint16_t entity, uint32_t from, uint32_t *ret_hour)
{
	static const enum key_kind kinds[] = {KEY_HOUR, KEY_ARRIVED};
	uint32_t best = 0, hour;
	int found = 0;
	for (int i = 0; i < 2; i++) {
		struct key key = key_hour(kinds[i], entity, from);
		bool valid = db_iter_seek(v->keys, key_slice(&key));
		if (!hour_here(v, valid, kinds[i], entity, &hour)) {
			if (view_error(v->keys) < 0)
				return -EIO;
			continue;
		}
		best = found && best < hour ? best : hour;
		found = 1;
	}
	if (found)
		*ret_hour = best;
	return found;
}

int view_hour_last(struct store_view *v, uint16_t entity, uint32_t to, uint32_t *ret_hour)
{
	static const enum key_kind kinds[] = {KEY_HOUR, KEY_ARRIVED};
	uint32_t best = 0, hour;
	int found = 0;
	for (int i = 0; i < 2; i++) {
		struct key key = key_block(kinds[i], entity, to, UINT64_MAX);
		bool valid = db_iter_seek_back(v->keys, key_slice(&key));
		if (!hour_here(v, valid, kinds[i], entity, &hour)) {
			if (view_error(v->keys) < 0)
				return -EIO;
			continue;
		}
		best = found && best > hour ? best : hour;
		found = 1;
	}
	if (found)
		*ret_hour = best;
	return found;
}

int view_table_hour(
	struct store_view *v, uint16_t entity, uint32_t hour, struct table_hour *ret_hour
)
{
	struct key key = key_hour(KEY_HOUR, entity, hour);
	if (!db_iter_seek(v->keys, key_slice(&key)) || !key_is(db_iter_key(v->keys), &key))
		return view_error(v->keys);
	int ret = table_hour_decode(db_iter_value(v->keys), ret_hour);
	return ret < 0 ? ret : 1;
}

static int journal_rows(struct store_view *v, uint16_t entity, uint32_t hour, uint64_t *ret_rows)
{
	struct key prefix = key_hour(KEY_ARRIVED, entity, hour);
	bool valid = db_iter_seek(v->keys, key_slice(&prefix));
	*ret_rows = 0;
	for (; valid && key_has_prefix(db_iter_key(v->keys), &prefix);
	     valid = db_iter_next(v->keys)) {
		struct slice value = db_iter_value(v->keys);
		struct block_summary s;
		if (block_summary_decode(value.p, value.len, &s) < 0)
			return -EIO;
		*ret_rows += s.n_rows;
	}
	return view_error(v->keys);
}

static int
fill_hour(struct store_view *v, uint16_t entity, uint32_t hour, struct store_hour *ret_hour)
{
	struct table_hour table;
	*ret_hour = (struct store_hour){.hour = hour};
	int ret = view_table_hour(v, entity, hour, &table);
	if (ret < 0)
		return ret;
	if (ret)
		ret_hour->sealed_rows = table.totals.flows;
	ret = journal_rows(v, entity, hour, &ret_hour->journal_rows);
	return ret < 0 ? ret : 1;
}

int store_view_hour(
	struct store_view *v, uint16_t entity, uint32_t from, struct store_hour *ret_hour
)
{
	uint32_t hour;
	int ret = view_hour_first(v, entity, from, &hour);
	return ret > 0 ? fill_hour(v, entity, hour, ret_hour) : ret;
}

int store_view_hour_last(
	struct store_view *v, uint16_t entity, uint32_t to, struct store_hour *ret_hour
)
{
	uint32_t hour;
	int ret = view_hour_last(v, entity, to, &hour);
	return ret > 0 ? fill_hour(v, entity, hour, ret_hour) : ret;
}

static int add_hosts(struct store_view *v, uint16_t entity, uint32_t hour, struct rollup *into)
{
	struct rollup_host hosts[TABLE_HOSTS];
	struct key prefix = key_hour(KEY_ADDRS, entity, hour);
	bool valid = db_iter_seek(v->keys, key_slice(&prefix));
	for (; valid && key_has_prefix(db_iter_key(v->keys), &prefix);
	     valid = db_iter_next(v->keys)) {
		uint32_t n = 0;
		int ret = table_hosts_decode(&v->ints, db_iter_value(v->keys), hosts, &n);
		for (uint32_t i = 0; ret == 0 && i < n; i++)
			ret = rollup_add_host(into, &hosts[i]);
		if (ret < 0)
			return ret;
	}
	return view_error(v->keys);
}

static int add_ports(struct store_view *v, uint16_t entity, uint32_t hour, struct rollup *into)
{
	struct rollup_port ports[TABLE_PORTS];
	struct key prefix = key_hour(KEY_PORTS, entity, hour);
	bool valid = db_iter_seek(v->keys, key_slice(&prefix));
	for (; valid && key_has_prefix(db_iter_key(v->keys), &prefix);
	     valid = db_iter_next(v->keys)) {
		uint32_t n = 0;
		int ret = table_ports_decode(&v->ints, db_iter_value(v->keys), ports, &n);
		for (uint32_t i = 0; ret == 0 && i < n; i++)
			ret = rollup_add_port(into, &ports[i]);
		if (ret < 0)
			return ret;
	}
	return view_error(v->keys);
}

int store_view_rollup(struct store_view *v, uint16_t entity, uint32_t hour, struct rollup *into)
{
	struct table_hour table;
	int ret = view_table_hour(v, entity, hour, &table);
	if (ret <= 0)
		return ret;
	if ((ret = rollup_add_totals(into, hour, &table.totals)) < 0)
		return ret;
	for (uint32_t i = 0; i < table.n_protos; i++)
		rollup_add_proto(into, &table.protos[i]);
	ret = add_hosts(v, entity, hour, into);
	return ret < 0 ? ret : add_ports(v, entity, hour, into);
}

int store_view_host(
	struct store_view *v,
	uint16_t entity,
	uint32_t hour,
	const struct addr *addr,
	struct rollup_host *ret_host
)
{
	struct rollup_host hosts[TABLE_HOSTS];
	struct key prefix = key_hour(KEY_ADDRS, entity, hour);
	struct key key = key_addrs(KEY_ADDRS, entity, hour, addr);
	uint32_t n;
	// the part that begins at the address or before it
	bool valid = db_iter_seek_back(v->keys, key_slice(&key));
	if (!valid || !key_has_prefix(db_iter_key(v->keys), &prefix))
		return view_error(v->keys);
	int ret = table_hosts_decode(&v->ints, db_iter_value(v->keys), hosts, &n);
	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < n; i++) {
		if (!addr_eq(&hosts[i].addr, addr))
			continue;
		*ret_host = hosts[i];
		return 1;
	}
	return 0;
}
