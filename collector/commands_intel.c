// SPDX-License-Identifier: Apache-2.0
#include "collector/commands_intel.h"

#include "collector/commands.h"
#include "collector/store/hit_json.h"
#include "collector/store/lookup.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_LEN 256
#define HITS_DEFAULT 200
#define HITS_SORTED 20000 // of the newest hours; the order within is by time

static const char *text_of(const json_t *args, const char *key)
{
	return json_string_value(json_object_get(args, key));
}

// The arguments but those named: what a feed or value is said to be.
static json_t *without(const json_t *args, const char *key)
{
	json_t *rest = json_copy((json_t *)args);
	json_object_del(rest, key);
	return rest;
}

json_t *cmd_intel_status(void *ctx, json_t *, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	struct intel_db *db = intel_current_get(c->intel);
	if (!db)
		return control_fail(error, "no intelligence is in use");
	const struct intel_stats *s = intel_db_stats(db);
	json_t *j = json_pack(
		"{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:i,s:f,s:b,s:I}",
		"indicators",
		(json_int_t)s->entries,
		"values",
		(json_int_t)s->values,
		"allowed",
		(json_int_t)s->allows,
		"networks",
		(json_int_t)s->nets,
		"addresses_with_port",
		(json_int_t)s->addr_ports,
		"ports",
		(json_int_t)s->ports,
		"names",
		(json_int_t)s->names,
		"prefix_lengths",
		(int)s->prefix_lengths,
		"built_in_sec",
		(double)s->compile_ns / (double)NS_PER_SEC,
		"from_cache",
		s->is_cached,
		"compiled_bytes",
		(json_int_t)s->size
	);
	intel_db_put(db);
	return j;
}

json_t *cmd_feeds_list(void *ctx, json_t *, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	json_t *list = feeds_list(c->feeds);
	return list ? list : control_fail(error, "out of memory");
}

json_t *cmd_feeds_add(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *name = text_of(args, "name");
	if (!name)
		return control_fail(error, "name: what the feed is called");
	json_t *def = without(args, "name");
	json_t *result = feeds_add(c->feeds, name, def, error);
	json_decref(def);
	return result;
}

json_t *cmd_feeds_remove(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *name = text_of(args, "name");
	return name ? feeds_remove(c->feeds, name, error)
		    : control_fail(error, "name: of the feed");
}

json_t *cmd_feeds_refresh(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	bool force = json_is_true(json_object_get(args, "force"));
	return feeds_refresh(c->feeds, text_of(args, "name"), force, error);
}

static json_t *value_add(void *ctx, json_t *args, bool is_allow, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *value = text_of(args, "value");
	if (!value)
		return control_fail(error, "value: an address, network, port or name");
	json_t *more = without(args, "value");
	json_t *result = feeds_value_add(c->feeds, is_allow, value, more, error);
	json_decref(more);
	return result;
}

static json_t *value_remove(void *ctx, json_t *args, bool is_allow, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *value = text_of(args, "value");
	return value ? feeds_value_remove(c->feeds, is_allow, value, error)
		     : control_fail(error, "value: an address, network, port or name");
}

json_t *cmd_allow_list(void *ctx, json_t *, char error[static ERROR_LEN])
{
	return feeds_value_list(((struct commands_context *)ctx)->feeds, true, error);
}

json_t *cmd_allow_add(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	return value_add(ctx, args, true, error);
}

json_t *cmd_allow_remove(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	return value_remove(ctx, args, true, error);
}

json_t *cmd_indicators_list(void *ctx, json_t *, char error[static ERROR_LEN])
{
	return feeds_value_list(((struct commands_context *)ctx)->feeds, false, error);
}

json_t *cmd_indicators_add(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	return value_add(ctx, args, false, error);
}

json_t *cmd_indicators_remove(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	return value_remove(ctx, args, false, error);
}

struct hits {
	json_t *list;
	size_t limit;
	uint64_t since_ns;
};

static int add_hit(void *ctx, const struct hit *h)
{
	struct hits *x = ctx;
	if (h->last_ns < x->since_ns)
		return 0;
	json_array_append_new(x->list, hit_json(h));
	return json_array_size(x->list) >= HITS_SORTED;
}

static int cmp_last(const void *left, const void *right)
{
	json_t *const *l = left, *const *r = right;
	int c =
		strcmp(json_string_value(json_object_get(*r, "last")),
		       json_string_value(json_object_get(*l, "last")));
	return c ? c
		 : strcmp(json_string_value(json_object_get(*l, "id")),
			  json_string_value(json_object_get(*r, "id")));
}

// The newest ones in order: hours come newest first, within an hour by indicator.
static json_t *newest(json_t *list, size_t limit)
{
	size_t n = json_array_size(list);
	json_t **all = calloc(n + 1, sizeof(json_t *)), *first = json_array();
	for (size_t i = 0; all && i < n; i++)
		all[i] = json_array_get(list, i);
	if (all)
		qsort(all, n, sizeof(*all), cmp_last);
	for (size_t i = 0; all && i < n && i < limit; i++)
		json_array_append(first, all[i]);
	free(all);
	json_decref(list);
	return first;
}

json_t *cmd_hits_list(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *name = text_of(args, "entity");
	json_int_t limit = json_integer_value(json_object_get(args, "limit"));
	json_int_t since = json_integer_value(json_object_get(args, "since"));
	struct hits x = {
		.list = json_array(),
		.limit = limit > 0 && limit <= HITS_SORTED ? (size_t)limit : HITS_DEFAULT,
		.since_ns = since > 0 ? (uint64_t)since * NS_PER_SEC : 0,
	};
	struct store_view *v = store_view_of(c->store);
	int entity = v ? store_view_entity(v, name ? name : STORE_ENTITY_DEFAULT) : -ENOMEM;
	uint32_t first = store_hour_of(x.since_ns);
	int ret = entity >= 0 ? store_view_hits(v, (uint16_t)entity, first, UINT32_MAX, add_hit, &x)
			      : entity;
	store_view_close(v);
	if (ret >= 0 || ret == -EIO)
		return newest(x.list, x.limit);
	json_decref(x.list);
	return control_fail(error, ret == -ENOENT ? "no such entity" : strerror(-ret));
}

json_t *cmd_hunts_list(void *ctx, json_t *, char error[static ERROR_LEN])
{
	return hunter_list(((struct commands_context *)ctx)->hunter, error);
}

json_t *cmd_hunts_cancel(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *id = text_of(args, "id");
	return id ? hunter_cancel(c->hunter, id, error) : control_fail(error, "id: of the hunt");
}

// {"content": "a feed's text" or one value, "what": "its name", "since": seconds since 1970}
json_t *cmd_hunts_start(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *content = text_of(args, "content"), *what = text_of(args, "what");
	const json_t *since = json_object_get(args, "since");
	json_int_t since_sec = json_is_integer(since) ? json_integer_value(since) : 0;
	if (!content || since_sec < 0)
		return control_fail(
			error, "content: a feed's text, or one value; since: seconds since 1970"
		);
	return hunter_hunt(
		c->hunter, content, what ? what : "by hand", (uint64_t)since_sec * NS_PER_SEC, error
	);
}
