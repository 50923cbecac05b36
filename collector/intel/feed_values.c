// SPDX-License-Identifier: Apache-2.0

// Single values: the allow-list and our own indicators, a document each in the store.

#include "collector/intel/feed_table.h"
#include "collector/store/doc.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOCAL_SCORE 1000
#define LOCAL_CONFIDENCE 100

static enum doc_kind kind_of(bool is_allow)
{
	return is_allow ? DOC_ALLOW : DOC_INDICATOR;
}

struct value_list {
	struct intel_list *list;
	bool is_allow;
};

static uint32_t text_of(struct intel_list *l, const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));
	uint32_t offset = text ? intel_list_text(l, text, strlen(text)) : 0;
	return offset == UINT32_MAX ? 0 : offset;
}

static uint32_t number_of(const json_t *json, const char *key, uint32_t max, uint32_t def)
{
	const json_t *v = json_object_get(json, key);
	json_int_t n = json_integer_value(v);
	return json_is_integer(v) && n >= 0 && n <= (json_int_t)max ? (uint32_t)n : def;
}

// A stored value as an indicator of the list; what cannot be one is left out.
static int add_value(void *ctx, const struct doc *d)
{
	struct value_list *v = ctx;
	char name[INDICATOR_NAME_MAX + 1];
	struct indicator i = {.is_allow = v->is_allow, .is_forced = true};
	if (indicator_parse(d->name, strlen(d->name), &i, name))
		return 0;
	json_t *json = json_loadb(d->text, d->len, JSON_REJECT_DUPLICATES, NULL);
	i.category = text_of(v->list, json, "category");
	i.description = text_of(v->list, json, v->is_allow ? "reason" : "description");
	i.reference = text_of(v->list, json, v->is_allow ? "owner" : "reference");
	i.score = (uint16_t)number_of(json, "score", INDICATOR_SCORE_MAX, LOCAL_SCORE);
	i.confidence = (uint8_t)number_of(json, "confidence", 100, LOCAL_CONFIDENCE);
	i.severity = (uint8_t)indicator_severity_of(i.score);
	i.first_seen = number_of(json, "added", UINT32_MAX, 0);
	i.expires = number_of(json, "expires", UINT32_MAX, 0);
	json_decref(json);
	return intel_list_add(v->list, &i, name);
}

static int load(struct store *s, bool is_allow, struct intel_list **ret_list)
{
	struct value_list v = {intel_list_create(is_allow ? "allow" : "local"), is_allow};
	if (!v.list)
		return -ENOMEM;
	int ret = store_doc_each(s, kind_of(is_allow), add_value, &v);
	if (ret < 0)
		intel_list_put(v.list);
	else
		*ret_list = v.list;
	return ret;
}

int feed_values_load(struct feeds *f)
{
	struct intel_list *allow = NULL, *local = NULL;
	int ret = load(f->options.store, true, &allow);
	if (ret == 0)
		ret = load(f->options.store, false, &local);
	if (ret < 0) {
		intel_list_put(allow);
		return ret;
	}
	pthread_mutex_lock(&f->lock);
	intel_list_put(f->allow);
	intel_list_put(f->local);
	f->allow = allow;
	f->local = local;
	f->values_changed = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	return 0;
}

static json_t *fail(char error[static 256], const char *what, const char *why)
{
	snprintf(error, 256, "%.120s: %s", what, why);
	return NULL;
}

// The canonical form, under which the value is stored. The fault, or NULL.
static indicator_fault canonical(const char *value, char text[static INDICATOR_TEXT_LEN])
{
	struct indicator i;
	char name[INDICATOR_NAME_MAX + 1];
	indicator_fault fault = indicator_parse(value, strlen(value), &i, name);
	if (!fault)
		indicator_format(&i, name, text);
	return fault;
}

// What may be said of a value; anything else is refused.
static const char *check_more(bool is_allow, const json_t *more)
{
	static const char *const texts[2][3] = {
		{"category", "description", "reference"}, {"reason", "owner", NULL}};
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)more, key, v)
	{
		bool known = false;
		for (int i = 0; i < 3 && texts[is_allow][i]; i++)
			known |= strcmp(key, texts[is_allow][i]) == 0 && json_is_string(v);
		bool number = strcmp(key, "expires") == 0 ||
			      (!is_allow &&
			       (strcmp(key, "score") == 0 || strcmp(key, "confidence") == 0));
		known |= number && json_is_integer(v) && json_integer_value(v) >= 0;
		if (!known)
			return "takes reason, owner and expires, or category, description, "
			       "reference, score, confidence and expires";
	}
	return NULL;
}

json_t *feeds_value_add(
	struct feeds *f,
	bool is_allow,
	const char *value,
	const json_t *more,
	char error[static 256]
)
{
	char text[INDICATOR_TEXT_LEN];
	indicator_fault fault = canonical(value, text);
	const char *why = fault ? fault : check_more(is_allow, more);
	if (why)
		return fail(error, value, why);
	json_t *doc = more ? json_deep_copy(more) : json_object();
	json_object_set_new(doc, "added", json_integer((json_int_t)(clock_now_ns() / NS_PER_SEC)));
	char *dump = json_dumps(doc, JSON_COMPACT);
	int ret =
		dump ? store_doc_put(f->options.store, kind_of(is_allow), text, dump, strlen(dump))
		     : -ENOMEM;
	free(dump);
	if (ret == 0)
		ret = feed_values_load(f);
	if (ret < 0) {
		json_decref(doc);
		return fail(error, value, strerror(-ret));
	}
	json_object_set_new(doc, "value", json_string(text));
	return doc;
}

json_t *
feeds_value_remove(struct feeds *f, bool is_allow, const char *value, char error[static 256])
{
	char text[INDICATOR_TEXT_LEN];
	indicator_fault fault = canonical(value, text);
	if (fault)
		return fail(error, value, fault);
	int ret = store_doc_del(f->options.store, kind_of(is_allow), text);
	if (ret == 0)
		ret = feed_values_load(f);
	if (ret < 0)
		return fail(error, value, ret == -ENOENT ? "is not on the list" : strerror(-ret));
	return json_pack("{s:s}", "removed", text);
}

static int add_to_list(void *ctx, const struct doc *d)
{
	json_t *doc = json_loadb(d->text, d->len, JSON_REJECT_DUPLICATES, NULL);
	if (!doc)
		return 0;
	json_object_set_new(doc, "value", json_string(d->name));
	json_array_append_new(ctx, doc);
	return 0;
}

json_t *feeds_value_list(struct feeds *f, bool is_allow, char error[static 256])
{
	json_t *list = json_array();
	int ret = store_doc_each(f->options.store, kind_of(is_allow), add_to_list, list);
	if (ret == 0)
		return list;
	json_decref(list);
	return fail(error, is_allow ? "allow-list" : "indicators", strerror(-ret));
}
