// SPDX-License-Identifier: Apache-2.0
#include "collector/intel/feeds.h"

#include "collector/intel/feed_table.h"
#include "collector/store/doc.h"
#include "lib/base/clock.h"
#include "lib/intel/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SHRINK_MIN 10 // lists shorter than this may shrink as they like
#define RETRY_NS (60 * NS_PER_SEC)
#define SLEEP_MAX_NS (3600 * NS_PER_SEC)

struct feed *feed_find(struct feeds *f, const char *name)
{
	for (unsigned i = 0; i < f->n_feeds; i++)
		if (strcmp(f->feeds[i]->def.name, name) == 0)
			return f->feeds[i];
	return NULL;
}

static void feed_free(struct feed *feed)
{
	if (!feed)
		return;
	intel_list_put(feed->list);
	free(feed);
}

// Under the lock. 0, -EEXIST, -ENOSPC or -ENOMEM.
static int table_add(struct feeds *f, const struct feed_def *def)
{
	if (feed_find(f, def->name))
		return -EEXIST;
	if (f->n_feeds == FEEDS_MAX)
		return -ENOSPC;
	struct feed *feed = calloc(1, sizeof(*feed));
	if (!feed)
		return -ENOMEM;
	feed->def = *def;
	f->feeds[f->n_feeds++] = feed;
	return 0;
}

static void save_status(struct feeds *f, const struct feed *feed)
{
	json_t *status = feed_status_json(feed);
	char *text = status ? json_dumps(status, JSON_COMPACT) : NULL;
	if (text)
		// what cannot be kept is told to who asks the collector all the same
		(void)!store_doc_put(
			f->options.store, DOC_FEED_STATUS, feed->def.name, text, strlen(text)
		);
	free(text);
	json_decref(status);
}

// A new copy of the feed is there: its list, or why it is refused (-errno, words in `error`).
static int
judge(const struct feed *feed,
      const struct feed_bytes *b,
      struct intel_list **ret_list,
      struct feed_report *ret_report,
      char error[static FEED_ERROR_LEN])
{
	struct feed_options o = feed_def_options(&feed->def);
	size_t before = feed->list ? feed->list->n : 0;
	int ret = feed_parse(&o, b->data, b->len, clock_now_ns(), ret_list, ret_report);
	if (ret == -EINVAL) {
		snprintf(
			error,
			FEED_ERROR_LEN,
			ret_report->format
				? "nothing in it could be used (as %s); the first fault: %s"
				: "its format is not known%s%s",
			ret_report->format ? ret_report->format : "",
			ret_report->n_rejects ? ret_report->rejects[0].why : ""
		);
		return ret;
	}
	if (ret < 0) {
		snprintf(error, FEED_ERROR_LEN, "%s", strerror(-ret));
		return ret;
	}
	size_t now = (*ret_list)->n;
	if (!feed->is_forced && before >= SHRINK_MIN && now * 100 < before * feed->def.min_share) {
		snprintf(
			error,
			FEED_ERROR_LEN,
			"shrank from %zu to %zu indicators, below %u %%: kept the last good copy "
			"(refresh with force takes it)",
			before,
			now,
			feed->def.min_share
		);
		intel_list_put(*ret_list);
		return -ERANGE;
	}
	return 0;
}

// Looks at one feed. `copy` is the thread's own of the entry. True when its list is new.
static bool look(struct feeds *f, struct feed *copy)
{
	struct feed_bytes b = {};
	struct intel_list *list = NULL;
	struct feed_report report = {};
	struct feed_mark mark = copy->mark;
	copy->error[0] = '\0';
	copy->tried_ns = clock_now_ns();
	int ret = feed_source_read(&copy->def, &mark, &b, copy->error);
	if (ret > 0) {
		ret = judge(copy, &b, &list, &report, copy->error);
		if (ret == 0) {
			(void)!feed_copy_write(f->dir, copy->def.name, &b);
			copy->list = list;
			copy->report = report;
			copy->mark = mark;
			copy->ok_ns = copy->tried_ns;
			ret = 1;
		} else if (!feed_def_is_url(&copy->def)) {
			copy->mark = mark; // a refused file is looked at again once it changes
		}
	} else if (ret == 0) {
		copy->ok_ns = copy->tried_ns;
	}
	copy->n_refused += ret < 0;
	free(b.data);
	uint64_t wait = copy->def.every_ns;
	copy->due_ns = clock_mono_ns() + (ret < 0 && wait > RETRY_NS ? RETRY_NS : wait);
	return ret > 0;
}

// Puts what was learnt into the table, unless the feed has been removed or replaced meanwhile.
static bool take(struct feeds *f, const struct feed *copy, bool is_new)
{
	pthread_mutex_lock(&f->lock);
	struct feed *feed = feed_find(f, copy->def.name);
	bool same = feed && strcmp(feed->def.location, copy->def.location) == 0;
	bool told = false;
	if (same) {
		struct intel_list *old = feed->list;
		bool asked = feed->is_asked, forced = feed->is_forced; // since it was copied
		told = is_new || strcmp(feed->error, copy->error) != 0;
		*feed = *copy;
		feed->is_asked = asked;
		feed->is_forced = forced;
		if (is_new)
			intel_list_put(old);
	} else if (is_new) {
		intel_list_put(copy->list);
	}
	pthread_mutex_unlock(&f->lock);
	if (told)
		save_status(f, copy);
	return same && is_new;
}

// The next feed whose time has come, copied; false: none.
static bool next_due(struct feeds *f, struct feed *ret_copy)
{
	uint64_t now = clock_mono_ns();
	bool found = false;
	pthread_mutex_lock(&f->lock);
	for (unsigned i = 0; i < f->n_feeds && !found; i++) {
		struct feed *feed = f->feeds[i];
		if (feed->due_ns > now && !feed->is_asked)
			continue;
		*ret_copy = *feed;
		feed->is_asked = feed->is_forced = false;
		found = true;
	}
	found = found && !f->stop;
	pthread_mutex_unlock(&f->lock);
	return found;
}

// References to all lists in the order of strength: allow-list, our own, the feeds'.
static size_t gather(struct feeds *f, struct intel_list *lists[static FEEDS_MAX + 2])
{
	size_t n = 0;
	pthread_mutex_lock(&f->lock);
	if (f->allow)
		lists[n++] = intel_list_get(f->allow);
	if (f->local)
		lists[n++] = intel_list_get(f->local);
	for (unsigned i = 0; i < f->n_feeds; i++)
		if (f->feeds[i]->list)
			lists[n++] = intel_list_get(f->feeds[i]->list);
	f->values_changed = false;
	pthread_mutex_unlock(&f->lock);
	return n;
}

// Builds a database of all lists and swaps it in. The old one stays when that fails.
static int rebuild(struct feeds *f)
{
	struct intel_list *lists[FEEDS_MAX + 2];
	char error[INTEL_ERROR_LEN];
	struct intel_db *db = NULL;
	size_t n = gather(f, lists);
	struct intel_options o = {
		.own = f->options.own,
		.n_own = f->options.n_own,
		.n_threads = f->options.n_threads,
		.cache_dir = f->dir,
	};
	int ret = intel_db_create(lists, n, &o, &db, error);
	for (size_t i = 0; i < n; i++)
		intel_list_put(lists[i]);
	pthread_mutex_lock(&f->lock);
	memcpy(f->build_error, error, sizeof(error));
	f->builds += ret == 0;
	f->built_ns = ret == 0 ? clock_now_ns() : f->built_ns;
	pthread_mutex_unlock(&f->lock);
	if (ret < 0)
		return ret;
	intel_current_set(f->options.current, intel_db_get(db));
	if (f->options.on_change)
		f->options.on_change(f->options.ctx, db);
	intel_db_put(db);
	return 0;
}

static void sleep_until_due(struct feeds *f)
{
	uint64_t now = clock_mono_ns(), at = now + SLEEP_MAX_NS;
	pthread_mutex_lock(&f->lock);
	for (unsigned i = 0; i < f->n_feeds; i++) {
		uint64_t due = f->feeds[i]->is_asked ? now : f->feeds[i]->due_ns;
		at = due < at ? due : at;
	}
	struct timespec until = {
		.tv_sec = (time_t)(at / NS_PER_SEC), .tv_nsec = (long)(at % NS_PER_SEC)};
	if (!f->stop && !f->values_changed && at > now)
		pthread_cond_timedwait(&f->wake, &f->lock, &until);
	pthread_mutex_unlock(&f->lock);
}

static bool is_stopped(struct feeds *f, bool *ret_values_changed)
{
	pthread_mutex_lock(&f->lock);
	bool stop = f->stop;
	*ret_values_changed = f->values_changed;
	pthread_mutex_unlock(&f->lock);
	return stop;
}

static void *feeds_main(void *arg)
{
	struct feeds *f = arg;
	struct feed copy;
	bool changed = false;
	while (!is_stopped(f, &changed)) {
		while (next_due(f, &copy)) {
			bool is_new = look(f, &copy);
			changed |= take(f, &copy, is_new);
		}
		if (changed)
			(void)!rebuild(f); // the reason is in the status
		sleep_until_due(f);
	}
	return NULL;
}

static int add_files(struct feeds *f, char error[static FEED_ERROR_LEN])
{
	for (size_t i = 0; f->options.files && i < f->options.files->n; i++) {
		const char *path = f->options.files->items[i];
		char name[INTEL_FEED_NAME_MAX + 1], whole[FEED_LOCATION_MAX + 1];
		intel_name_of_path(path, name);
		char *real = realpath(path, NULL);
		snprintf(whole, sizeof(whole), "%s", real ? real : path);
		free(real);
		struct feed_def def;
		int ret = feed_def_parse(name, (const char *[]){whole}, 1, &def, error);
		if (ret == 0)
			ret = table_add(f, &def);
		if (ret == -EEXIST)
			snprintf(error, FEED_ERROR_LEN, "two feeds are named %s", name);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int add_configured(struct feeds *f, char error[static FEED_ERROR_LEN])
{
	for (size_t i = 0; f->options.feeds && i < f->options.feeds->n; i++) {
		const struct config_map_entry *e = &f->options.feeds->entries[i];
		char why[FEED_ERROR_LEN];
		struct feed_def def;
		int ret = feed_def_parse(
			e->name, (const char *const *)e->values.items, e->values.n, &def, why
		);
		if (ret == 0)
			ret = table_add(f, &def);
		if (ret < 0) {
			snprintf(
				error,
				FEED_ERROR_LEN,
				"intel.feeds.%.60s: %.160s",
				e->name,
				ret == -EINVAL ? why : strerror(-ret)
			);
			return ret;
		}
	}
	return 0;
}

// One that the settings name too is theirs.
static int add_stored(void *ctx, const struct doc *d)
{
	struct feeds *f = ctx;
	char error[FEED_ERROR_LEN];
	struct feed_def def;
	json_t *json = json_loadb(d->text, d->len, JSON_REJECT_DUPLICATES, NULL);
	if (json && feed_def_of_json(d->name, json, &def, error) == 0) {
		def.is_stored = true;
		(void)!table_add(f, &def);
	}
	json_decref(json);
	return 0;
}

// The last good copies, so that the first record finds intelligence already.
static void load_copies(struct feeds *f)
{
	for (unsigned i = 0; i < f->n_feeds; i++) {
		struct feed *feed = f->feeds[i];
		struct feed_bytes b;
		char error[FEED_ERROR_LEN];
		if (feed_copy_read(f->dir, feed->def.name, &b) < 0)
			continue;
		struct intel_list *list = NULL;
		if (judge(feed, &b, &list, &feed->report, error) == 0)
			feed->list = list;
		free(b.data);
	}
}

static int make_dir(const char *path)
{
	return mkdir(path, 0750) < 0 && errno != EEXIST ? -errno : 0;
}

static void feeds_free(struct feeds *f)
{
	for (unsigned i = 0; i < f->n_feeds; i++)
		feed_free(f->feeds[i]);
	intel_list_put(f->allow);
	intel_list_put(f->local);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->wake);
	free(f->dir);
	free(f);
}

static int load(struct feeds *f, char error[static FEED_ERROR_LEN])
{
	int ret = make_dir(f->dir);
	if (ret < 0) {
		snprintf(error, FEED_ERROR_LEN, "%.180s: %s", f->dir, strerror(-ret));
		return ret;
	}
	ret = add_files(f, error);
	if (ret == 0)
		ret = add_configured(f, error);
	if (ret < 0)
		return ret;
	ret = store_doc_each(f->options.store, DOC_FEED, add_stored, f);
	if (ret == 0)
		ret = feed_values_load(f);
	if (ret < 0)
		snprintf(error, FEED_ERROR_LEN, "stored feeds: %s", strerror(-ret));
	return ret;
}

int feeds_start(
	const struct feeds_options *options,
	struct feeds **ret_feeds,
	char error[static FEED_ERROR_LEN]
)
{
	struct feeds *f = calloc(1, sizeof(*f));
	pthread_condattr_t attr;
	if (!f)
		return -ENOMEM;
	f->options = *options;
	f->dir = strdup(options->dir);
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wake, &attr);
	pthread_condattr_destroy(&attr);
	int ret = f->dir ? load(f, error) : -ENOMEM;
	if (ret == 0) {
		load_copies(f);
		ret = rebuild(f);
		snprintf(error, FEED_ERROR_LEN, "%s", f->build_error);
	}
	if (ret == 0)
		ret = -pthread_create(&f->thread, NULL, feeds_main, f);
	if (ret < 0) {
		feeds_free(f);
		return ret;
	}
	*ret_feeds = f;
	return 0;
}

void feeds_stop(struct feeds *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	feeds_free(f);
}
