// SPDX-License-Identifier: Apache-2.0

// /api/v1/{feeds,indicators,allow,hunts}: what the collector keeps as documents. Lists are read
// from the store, so that they are there while the collector is not; changes are asked of it.
// Thread: worker.

#include "api/http/relay.h"
#include "collector/store/doc.h"

#include <stdlib.h>
#include <string.h>

struct documents {
	json_t *list;
	const char *key; // the member that the document's name becomes
	bool newest_first;
};

static int add_document(void *ctx, const struct doc *d)
{
	struct documents *x = ctx;
	json_t *doc = json_loadb(d->text, d->len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(doc)) {
		json_decref(doc);
		return 0;
	}
	json_object_set_new(doc, x->key, json_string(d->name));
	if (x->newest_first)
		json_array_insert_new(x->list, 0, doc);
	else
		json_array_append_new(x->list, doc);
	return 0;
}

static void answer_documents(
	struct call *c, enum doc_kind kind, const char *name, const char *key, bool newest_first
)
{
	struct documents x = {json_array(), key, newest_first};
	int ret = store_view_doc_each(c->view, kind, add_document, &x);
	if (ret < 0) {
		json_decref(x.list);
		call_failed(c, ret);
		return;
	}
	response_json(c->response, 200, json_pack("{s:o}", name, x.list));
}

// Sends the body.
static void change(struct call *c, const char *cmd, int status)
{
	json_t *body = relay_body(c);
	if (body)
		relay(c, cmd, body, status);
}

// Sends one parameter of the query.
static void with_parameter(struct call *c, const char *cmd, const char *name, int status)
{
	const char *value = query_find(&c->query, name);
	if (value && *value)
		relay(c, cmd, json_pack("{s:s}", name, value), status);
	else
		response_error(c->response, 400, "parameter '%s' is required", name);
}

void feeds_get(struct call *c)
{
	answer_documents(c, DOC_FEED_STATUS, "feeds", "name", false);
}

void feeds_post(struct call *c)
{
	change(c, "feeds.add", 201);
}

void feeds_delete(struct call *c)
{
	with_parameter(c, "feeds.remove", "name", 202);
}

void feeds_refresh_post(struct call *c)
{
	change(c, "feeds.refresh", 202);
}

void indicators_get(struct call *c)
{
	answer_documents(c, DOC_INDICATOR, "indicators", "value", false);
}

void indicators_post(struct call *c)
{
	change(c, "indicators.add", 201);
}

void indicators_delete(struct call *c)
{
	with_parameter(c, "indicators.remove", "value", 202);
}

void allow_get(struct call *c)
{
	answer_documents(c, DOC_ALLOW, "allow", "value", false);
}

void allow_post(struct call *c)
{
	change(c, "allow.add", 201);
}

void allow_delete(struct call *c)
{
	with_parameter(c, "allow.remove", "value", 202);
}

void hunts_get(struct call *c)
{
	answer_documents(c, DOC_HUNT, "hunts", "id", true);
}

void hunts_post(struct call *c)
{
	change(c, "hunts.start", 202);
}

void hunts_delete(struct call *c)
{
	with_parameter(c, "hunts.cancel", "id", 202);
}
