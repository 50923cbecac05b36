// SPDX-License-Identifier: Apache-2.0

// /api/v1/{users,entities,audit}. An admin of the default entity, the operator's, manages all
// users; one of another entity its own, and sees nothing of the others. Thread: worker.

#include "api/http/native.h"
#include "api/http/relay.h"
#include "collector/store/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define AUDIT_MAX 1000
#define AUDIT_DEFAULT 200

static bool is_operator(const struct call *c)
{
	return strcmp(c->claims.entity, STORE_ENTITY_DEFAULT) == 0 &&
	       strcmp(c->claims.role, "admin") == 0;
}

// Those of the list whose `key` is the token's entity; an operator's: all.
static void answer_own(struct call *c, const char *name, json_t *list, const char *key)
{
	json_t *own = json_array(), *one;
	size_t i;
	json_array_foreach(list, i, one)
	{
		const char *entity = json_string_value(json_object_get(one, key));
		if (is_operator(c) || (entity && strcmp(entity, c->claims.entity) == 0))
			json_array_append(own, one);
	}
	json_decref(list);
	response_json(c->response, 200, json_pack("{s:o}", name, own));
}

void entities_get(struct call *c)
{
	json_t *list = relay_ask(c, "entity.list", json_object());
	if (list)
		answer_own(c, "entities", list, "name");
}

void users_get(struct call *c)
{
	json_t *list = relay_ask(c, "user.list", json_object());
	if (list)
		answer_own(c, "users", list, "entity");
}

// Takes `args` over. What a client says of "within" does not count.
static void change(struct call *c, const char *cmd, json_t *args, int status)
{
	json_object_del(args, "within");
	if (!is_operator(c))
		json_object_set_new(args, "within", json_string(c->claims.entity));
	relay(c, cmd, args, status);
}

void users_post(struct call *c)
{
	json_t *body = relay_body(c);
	if (!body)
		return;
	if (!json_object_get(body, "entity"))
		json_object_set_new(body, "entity", json_string(c->claims.entity));
	change(c, "user.add", body, 201);
}

void users_rotate_post(struct call *c)
{
	json_t *body = relay_body(c);
	if (body)
		change(c, "user.rotate", body, 201);
}

void users_delete(struct call *c)
{
	const char *user = query_find(&c->query, "user");
	if (user && *user)
		change(c, "user.del", json_pack("{s:s}", "user", user), 202);
	else
		response_error(c->response, 400, "parameter 'user' is required");
}

// --- the trail ----------------------------------------------------------------------------------

struct trail {
	json_t *ring[AUDIT_MAX];
	size_t limit, n;
};

static int keep(void *ctx, const struct doc *d)
{
	struct trail *t = ctx;
	json_t *entry = json_loadb(d->text, d->len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(entry)) {
		json_decref(entry);
		return 0;
	}
	json_object_set_new(entry, "id", json_string(d->name));
	json_t **at = &t->ring[t->n++ % t->limit];
	json_decref(*at);
	*at = entry;
	return 0;
}

// From the store, so that it is there while the collector is not.
static void answer_trail(struct call *c, struct trail *t)
{
	json_t *list = json_array();
	int ret = store_view_doc_each(c->view, DOC_AUDIT, keep, t);
	for (size_t i = 0; i < t->limit && i < t->n; i++)
		json_array_append(list, t->ring[(t->n - 1 - i) % t->limit]);
	for (size_t i = 0; i < t->limit; i++)
		json_decref(t->ring[i]);
	if (ret == 0) {
		response_json(c->response, 200, json_pack("{s:o}", "audit", list));
		return;
	}
	json_decref(list);
	call_failed(c, ret);
}

void audit_get(struct call *c)
{
	uint64_t limit = AUDIT_DEFAULT;
	if (!is_operator(c)) {
		response_error(c->response, 403, "of the operator's entity only");
		return;
	}
	if (native_number(c, "limit", 1, AUDIT_MAX, &limit) < 0)
		return;
	struct trail *t = calloc(1, sizeof(*t));
	if (!t) {
		call_failed(c, -ENOMEM);
		return;
	}
	t->limit = limit;
	answer_trail(c, t);
	free(t);
}
