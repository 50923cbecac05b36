// SPDX-License-Identifier: Apache-2.0

// GET /api/v1/ledger and /api/v1/exporters: what the collector knows of itself, asked of it.
// Thread: worker.

#include "api/http/relay.h"

#include <errno.h>

void ledger_get_all(struct call *c)
{
	relay(c, "ledger", json_object(), 200);
}

// Those of the token's entity.
void exporters_get(struct call *c)
{
	const char *address = query_find(&c->query, "address");
	int entity = call_entity(c);
	json_t *args = json_object(), *all, *mine, *e;
	size_t i;
	if (address && *address)
		json_object_set_new(args, "address", json_string(address));
	if (entity == -EPERM) {
		json_decref(args);
		return;
	}
	all = relay_ask(c, "exporters", args);
	if (!all)
		return;
	mine = json_array();
	json_array_foreach(all, i, e)
	{
		json_t *of = json_object_get(e, "entity");
		if (entity < 0 || json_integer_value(of) != entity)
			continue;
		json_object_set_new(e, "entity", json_string(c->claims.entity));
		json_array_append(mine, e);
	}
	json_decref(all);
	response_json(c->response, 200, json_pack("{s:o}", "exporters", mine));
}
