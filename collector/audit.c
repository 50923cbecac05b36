// SPDX-License-Identifier: Apache-2.0
#include "collector/audit.h"

#include "collector/store/doc.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 512 // of one argument
#define PRUNE_EVERY ((size_t)1024)
#define NAME_LEN 17

json_t *audit_take_by(json_t *args)
{
	json_t *by = json_incref(json_object_get(args, "by"));
	if (json_is_object(args))
		json_object_del(args, "by");
	return by;
}

static bool is_secret(const char *key)
{
	static const char *const words[] = {"secret", "password", "token", "key", "auth", "header"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(key, words[i]))
			return true;
	return false;
}

// "https://name:password@host/" without what stands before the '@'.
static json_t *plain_text(const char *text)
{
	const char *rest = strstr(text, "://"), *at;
	size_t n = strlen(text);
	if (rest) {
		rest += 3;
		at = memchr(rest, '@', strcspn(rest, "/?#"));
		if (at)
			return json_sprintf(
				"%.*s…%.*s", (int)(rest - text), text, TEXT_MAX / 2, at
			);
	}
	return n <= TEXT_MAX ? json_string(text) : json_sprintf("(%zu bytes)", n);
}

static json_t *plain_args(const json_t *args)
{
	json_t *plain = json_object(), *value;
	const char *key;
	json_object_foreach((json_t *)args, key, value)
	{
		if (is_secret(key))
			json_object_set_new(plain, key, json_string("…"));
		else if (json_is_string(value))
			json_object_set_new(plain, key, plain_text(json_string_value(value)));
		else if (!json_is_object(value) && !json_is_array(value))
			json_object_set(plain, key, value);
	}
	return plain;
}

static json_t *text_of(const json_t *by, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(by, key));
	return json_string(text ? text : otherwise);
}

struct oldest {
	uint64_t n;
	char names[PRUNE_EVERY * 2][NAME_LEN];
	size_t n_names;
};

static int collect(void *ctx, const struct doc *d)
{
	struct oldest *o = ctx;
	o->n++;
	if (o->n_names < PRUNE_EVERY * 2 && strlen(d->name) < NAME_LEN)
		memcpy(o->names[o->n_names++], d->name, strlen(d->name) + 1);
	return 0;
}

static int prune(struct audit *a)
{
	struct oldest *o = calloc(1, sizeof(*o));
	int ret = o ? store_doc_each(a->store, DOC_AUDIT, collect, o) : -ENOMEM;
	for (size_t i = 0; ret == 0 && i < o->n_names && o->n > AUDIT_MAX; i++, o->n--)
		ret = store_doc_del(a->store, DOC_AUDIT, o->names[i]);
	free(o);
	return ret;
}

static int put(struct audit *a, const char *text)
{
	char name[NAME_LEN];
	pthread_mutex_lock(&a->lock);
	uint64_t now = clock_now_ns();
	a->last_ns = now > a->last_ns ? now : a->last_ns + 1;
	snprintf(name, sizeof(name), "%016llx", (unsigned long long)a->last_ns);
	int ret = store_doc_put(a->store, DOC_AUDIT, name, text, strlen(text));
	if (ret == 0 && a->n_added++ % PRUNE_EVERY == 0)
		ret = prune(a);
	pthread_mutex_unlock(&a->lock);
	return ret;
}

int audit_add(struct audit *a, const char *what, const json_t *args, const json_t *by)
{
	char time[32];
	json_t *entry = json_pack(
		"{s:s,s:o,s:o,s:s,s:o}",
		"time",
		clock_format(clock_now_ns(), "%Y-%m-%dT%H:%M:%SZ", time, sizeof(time)),
		"who",
		text_of(by, "user", "unknown"),
		"from",
		text_of(by, "address", "control socket"),
		"what",
		what,
		"args",
		plain_args(args)
	);
	char *text = entry ? json_dumps(entry, JSON_COMPACT) : NULL;
	json_decref(entry);
	int ret = text ? put(a, text) : -ENOMEM;
	free(text);
	return ret;
}

struct newest {
	json_t **ring;
	size_t limit, n;
};

static int keep_newest(void *ctx, const struct doc *d)
{
	struct newest *x = ctx;
	json_t *entry = json_loadb(d->text, d->len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(entry)) {
		json_decref(entry);
		return 0;
	}
	json_object_set_new(entry, "id", json_string(d->name));
	json_t **at = &x->ring[x->n++ % x->limit];
	json_decref(*at);
	*at = entry;
	return 0;
}

json_t *audit_list(struct audit *a, size_t limit)
{
	struct newest x = {.limit = limit < AUDIT_MAX ? limit : AUDIT_MAX};
	json_t *list = json_array();
	x.ring = calloc(x.limit, sizeof(json_t *));
	int ret = x.ring && list ? store_doc_each(a->store, DOC_AUDIT, keep_newest, &x) : -ENOMEM;
	for (size_t i = 0; ret == 0 && i < x.limit && i < x.n; i++)
		json_array_append(list, x.ring[(x.n - 1 - i) % x.limit]);
	for (size_t i = 0; x.ring && i < x.limit; i++)
		json_decref(x.ring[i]);
	free(x.ring);
	if (ret == 0)
		return list;
	json_decref(list);
	return NULL;
}
