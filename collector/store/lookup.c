// SPDX-License-Identifier: Apache-2.0
#include "collector/store/lookup.h"

#include "collector/store/block.h"
#include "collector/store/state.h"
#include "collector/store/view.h"

#include <errno.h>

struct store_view *store_view_of(struct store *s)
{
	return view_open(s->db, true);
}

int store_view_any_port(
	struct store_view *v, uint16_t entity, uint32_t hour, const uint64_t ports[1024], bool *ret
)
{
	struct rollup_port found[TABLE_PORTS];
	struct key prefix = key_hour(KEY_PORTS, entity, hour);
	bool valid = db_iter_seek(v->keys, key_slice(&prefix)), any = false;
	for (; valid && !any && key_has_prefix(db_iter_key(v->keys), &prefix);
	     valid = db_iter_next(v->keys)) {
		uint32_t n = 0;
		int ret_code = table_ports_decode(&v->ints, db_iter_value(v->keys), found, &n);
		if (ret_code < 0)
			return ret_code;
		for (uint32_t i = 0; i < n; i++)
			any |= ports[found[i].port >> 6] >> (found[i].port & 63) & 1;
	}
	*ret = any;
	return view_error(v->keys);
}

int store_view_fields(struct store_view *v, uint16_t entity, uint32_t hour, uint64_t *ret_fields)
{
	struct key prefix = key_hour(KEY_SUMMARY, entity, hour);
	bool valid = db_iter_seek(v->keys, key_slice(&prefix));
	*ret_fields = 0;
	for (; valid && key_has_prefix(db_iter_key(v->keys), &prefix);
	     valid = db_iter_next(v->keys)) {
		struct slice value = db_iter_value(v->keys);
		struct block_summary s;
		if (block_summary_decode(value.p, value.len, &s) < 0)
			return -EIO;
		*ret_fields |= s.fields;
	}
	return view_error(v->keys);
}
