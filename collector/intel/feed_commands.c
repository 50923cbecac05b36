// SPDX-License-Identifier: Apache-2.0

// What the control socket can ask of the feeds.

#include "collector/intel/feed_table.h"
#include "collector/store/doc.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *fail(char error[static 256], const char *what, const char *why)
{
	snprintf(error, 256, "%.60s: %.180s", what, why);
	return NULL;
}

static json_t *time_json(uint64_t ns)
{
	char text[32];
	return ns ? json_string(clock_format(ns, "%Y-%m-%dT%H:%M:%SZ", text, sizeof(text)))
		  : json_null();
}

json_t *feed_status_json(const struct feed *feed)
{
	const struct feed_report *r = &feed->report;
	uint64_t now = clock_now_ns();
	bool never = !feed->list;
	json_t *j = json_pack(
		"{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
		"name",
		feed->def.name,
		"location",
		feed->def.location,
		"status",
		*feed->error ? "error"
		: never	     ? "waiting"
			     : "ok",
		"error",
		feed->error,
		"indicators",
		(json_int_t)(feed->list ? feed->list->n : 0),
		"lines",
		(json_int_t)r->lines,
		"rejected",
		(json_int_t)r->rejected,
		"unsupported",
		(json_int_t)r->unsupported,
		"reserved",
		(json_int_t)r->reserved,
		"expired",
		(json_int_t)r->expired,
		"refused",
		(json_int_t)feed->n_refused
	);
	if (!j)
		return NULL;
	json_object_set_new(j, "format", json_string(r->format ? r->format : ""));
	json_object_set_new(j, "last_try", time_json(feed->tried_ns));
	json_object_set_new(j, "last_ok", time_json(feed->ok_ns));
	json_object_set_new(
		j,
		"age_sec",
		feed->ok_ns ? json_integer((json_int_t)((now - feed->ok_ns) / NS_PER_SEC))
			    : json_null()
	);
	json_object_set_new(j, "stored", json_boolean(feed->def.is_stored));
	json_object_set_new(j, "settings", feed_def_json(&feed->def));
	json_object_set_new(j, "rejects", feed_rejects_json(r));
	return j;
}

json_t *feeds_list(struct feeds *f)
{
	json_t *list = json_array();
	pthread_mutex_lock(&f->lock);
	for (unsigned i = 0; i < f->n_feeds; i++)
		json_array_append_new(list, feed_status_json(f->feeds[i]));
	pthread_mutex_unlock(&f->lock);
	return list;
}

static int store_def(struct feeds *f, const struct feed_def *def)
{
	json_t *json = feed_def_json(def);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int ret = text ? store_doc_put(f->options.store, DOC_FEED, def->name, text, strlen(text))
		       : -ENOMEM;
	free(text);
	json_decref(json);
	return ret;
}

json_t *feeds_add(struct feeds *f, const char *name, const json_t *def, char error[static 256])
{
	char why[FEED_ERROR_LEN];
	struct feed_def d;
	if (feed_def_of_json(name, def, &d, why) < 0)
		return fail(error, name, why);
	d.is_stored = true;
	pthread_mutex_lock(&f->lock);
	struct feed *feed = NULL;
	int ret = feed_find(f, name) ? -EEXIST : f->n_feeds == FEEDS_MAX ? -ENOSPC : 0;
	if (ret == 0 && !(feed = calloc(1, sizeof(*feed))))
		ret = -ENOMEM;
	if (ret == 0)
		ret = store_def(f, &d);
	json_t *status = NULL;
	if (ret == 0) {
		feed->def = d;
		f->feeds[f->n_feeds++] = feed;
		status = feed_status_json(feed);
		pthread_cond_signal(&f->wake);
	} else {
		free(feed);
	}
	pthread_mutex_unlock(&f->lock);
	if (ret < 0)
		return fail(
			error,
			name,
			ret == -EEXIST ? "a feed of that name is there" : strerror(-ret)
		);
	return status;
}

json_t *feeds_remove(struct feeds *f, const char *name, char error[static 256])
{
	pthread_mutex_lock(&f->lock);
	struct feed *feed = feed_find(f, name);
	int ret = !feed ? -ENOENT : feed->def.is_stored ? 0 : -EPERM;
	if (ret == 0)
		ret = store_doc_del(f->options.store, DOC_FEED, name);
	for (unsigned i = 0; ret == 0 && i < f->n_feeds; i++) {
		if (f->feeds[i] != feed)
			continue;
		f->feeds[i] = f->feeds[--f->n_feeds];
		intel_list_put(feed->list);
		free(feed);
		f->values_changed = true; // a database without it is to be built
		pthread_cond_signal(&f->wake);
		break;
	}
	pthread_mutex_unlock(&f->lock);
	if (ret < 0)
		return fail(
			error,
			name,
			ret == -ENOENT	? "no such feed"
			: ret == -EPERM ? "is in the settings: remove it there"
					: strerror(-ret)
		);
	(void)!store_doc_del(f->options.store, DOC_FEED_STATUS, name);
	feed_copy_del(f->dir, name);
	return json_pack("{s:s}", "removed", name);
}

json_t *feeds_refresh(struct feeds *f, const char *name, bool force, char error[static 256])
{
	json_int_t n = 0;
	pthread_mutex_lock(&f->lock);
	for (unsigned i = 0; i < f->n_feeds; i++) {
		struct feed *feed = f->feeds[i];
		if (name && strcmp(feed->def.name, name) != 0)
			continue;
		feed->is_asked = true;
		feed->is_forced = force;
		if (force)
			feed->mark = (struct feed_mark){}; // an unchanged one too
		n++;
	}
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	if (name && n == 0)
		return fail(error, name, "no such feed");
	return json_pack("{s:I}", "feeds", n);
}
