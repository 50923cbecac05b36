// SPDX-License-Identifier: Apache-2.0
#include "collector/hunt/hunter.h"

#include "collector/hunt/scan.h"
#include "collector/store/doc.h"
#include "collector/store/lookup.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define QUEUE_MAX 16	   // hunts that wait
#define KEEP_HUNTS 200	   // documents of ended ones
#define TELL_NS NS_PER_SEC // how often progress is written
#define DRAIN_STEP_NS (2 * NS_PER_MSEC)

enum hunt_state { HUNT_WAITING, HUNT_RUNNING, HUNT_DONE, HUNT_CANCELLED, HUNT_FAILED };

static const char *const state_names[] = {"waiting", "running", "done", "cancelled", "failed"};

struct hunt {
	uint64_t id;
	enum hunt_state state;
	char what[128]; // "feeds", or what was asked for
	bool is_manual;
	struct intel_db *db;
	struct ids ids; // hunted for
	uint64_t ids_hash;
	uint64_t since_ns;
	uint64_t asked_ns, started_ns, ended_ns;
	uint64_t hours_all, hours_done, hours_scanned, rows;
	uint64_t hits, allowed; // rows of hits; those with allowed flows
	uint64_t over_limit, damaged;
	uint16_t entity; // where it stands
	uint32_t hour;
	bool has_place; // entity and hour say where to go on
	char error[160];
};

struct hunter {
	struct hunter_options options;
	char *path;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct hunt *queue[QUEUE_MAX];
	unsigned n_queue;
	struct intel_db *changed; // the newest that was not hunted with yet
	struct intel_db *before;  // the one it replaced: batches may still hold it
	uint64_t next_id;
	uint64_t running; // id; 0: none
	_Atomic bool cancel;
	bool stop;
	struct ids known;	 // hunter's own: what has been hunted for
	struct intel_db *in_use; // hunter's own
};

static json_t *time_json(uint64_t ns)
{
	char text[32];
	return ns ? json_string(clock_format(ns, "%Y-%m-%dT%H:%M:%SZ", text, sizeof(text)))
		  : json_null();
}

static json_t *hunt_json(const struct hunt *x)
{
	uint64_t end = x->ended_ns ? x->ended_ns : clock_now_ns();
	uint64_t took = x->started_ns && end > x->started_ns ? end - x->started_ns : 0;
	json_t *j = json_pack(
		"{s:s,s:b,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:s}",
		"what",
		x->what,
		"manual",
		x->is_manual,
		"state",
		state_names[x->state],
		"indicators",
		(json_int_t)x->ids.n,
		"hours",
		(json_int_t)x->hours_all,
		"hours_done",
		(json_int_t)x->hours_done,
		"hours_scanned",
		(json_int_t)x->hours_scanned,
		"rows_scanned",
		(json_int_t)x->rows,
		"hits",
		(json_int_t)x->hits,
		"allowed_hits",
		(json_int_t)x->allowed,
		"hits_over_limit",
		(json_int_t)x->over_limit,
		"damaged_blocks",
		(json_int_t)x->damaged,
		"seconds",
		(double)took / (double)NS_PER_SEC,
		"error",
		x->error
	);
	if (!j)
		return NULL;
	json_object_set_new(j, "asked", time_json(x->asked_ns));
	json_object_set_new(j, "started", time_json(x->started_ns));
	json_object_set_new(j, "ended", time_json(x->ended_ns));
	json_object_set_new(j, "since", time_json(x->since_ns));
	// where to go on after a restart, and whether it is the same hunt
	json_object_set_new(j, "place", json_integer(x->has_place ? x->hour : 0));
	json_object_set_new(j, "place_entity", json_integer(x->has_place ? x->entity : -1));
	json_object_set_new(j, "ids", json_sprintf("%016llx", (unsigned long long)x->ids_hash));
	return j;
}

static void doc_name(uint64_t id, char name[static 24])
{
	snprintf(name, 24, "%012llu", (unsigned long long)id);
}

static void tell(struct hunter *h, const struct hunt *x)
{
	char name[24];
	json_t *j = hunt_json(x);
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	doc_name(x->id, name);
	if (text)
		(void)!store_doc_put(h->options.store, DOC_HUNT, name, text, strlen(text));
	free(text);
	json_decref(j);
}

static void hunt_free(struct hunt *x)
{
	if (!x)
		return;
	intel_db_put(x->db);
	ids_free(&x->ids);
	free(x);
}

static uint64_t take_id(struct hunter *h)
{
	pthread_mutex_lock(&h->lock);
	uint64_t id = h->next_id++;
	pthread_mutex_unlock(&h->lock);
	return id;
}

// The whole journey of one hunt over the store.
struct journey {
	struct hunter *hunter;
	struct hunt *hunt;
	struct store_view *view;
	struct hunt_scan scan;
	struct quarry quarry;
	uint64_t told_ns;
};

static int store_hits(struct journey *j)
{
	char error[STORE_ERROR_LEN];
	struct hunt_scan *s = &j->scan;
	if (s->n_hits == 0)
		return 0;
	for (size_t i = 0; i < s->n_hits; i++)
		j->hunt->allowed += s->hits[i].retro.flows > s->hits[i].retro.denied;
	j->hunt->hits += s->n_hits;
	int ret = store_hits_add(j->hunter->options.store, s->hits, s->n_hits, error);
	if (ret < 0)
		snprintf(j->hunt->error, sizeof(j->hunt->error), "%.150s", error);
	return ret;
}

static void progress(struct journey *j)
{
	struct hunt *x = j->hunt;
	x->hours_scanned = j->scan.hours_scanned;
	x->rows = j->scan.rows;
	x->over_limit = j->scan.over_limit;
	x->damaged = j->scan.damaged;
	uint64_t now = clock_mono_ns();
	if (now - j->told_ns < TELL_NS)
		return;
	j->told_ns = now;
	tell(j->hunter, x);
}

static int hunt_hour(struct journey *j, uint16_t entity, const struct store_hour *hour)
{
	struct hunt *x = j->hunt;
	int ret = hunt_scan_hour(&j->scan, j->view, entity, hour, &j->hunter->cancel);
	if (ret == 0)
		ret = store_hits(j);
	if (ret < 0)
		return ret;
	x->hours_done++;
	x->entity = entity;
	x->hour = hour->hour;
	x->has_place = true;
	progress(j);
	return 0;
}

// Walks the hours of an entity from the newest to the oldest. `count`: only counts them.
static int walk_entity(struct journey *j, uint16_t entity, bool count)
{
	struct hunt *x = j->hunt;
	uint32_t to = UINT32_MAX, oldest = store_hour_of(x->since_ns);
	struct store_hour hour;
	bool resumed = !count && x->has_place && x->entity == entity;
	int ret;
	if (resumed) {
		if (x->hour == 0)
			return 0;
		to = x->hour - 1;
	}
	while ((ret = store_view_hour_last(j->view, entity, to, &hour)) > 0 && hour.hour >= oldest
	) {
		if (count)
			x->hours_all++;
		else if ((ret = hunt_hour(j, entity, &hour)) < 0)
			return ret;
		if (hour.hour == 0)
			break;
		to = hour.hour - 1;
	}
	return ret < 0 ? ret : 0;
}

static int walk(struct journey *j, bool count)
{
	unsigned n = store_n_entities(j->hunter->options.store);
	uint16_t first = !count && j->hunt->has_place ? j->hunt->entity : 0;
	int ret = 0;
	for (unsigned e = first; e < n && ret == 0; e++)
		ret = walk_entity(j, (uint16_t)e, count);
	return ret;
}

// Records that were matched by the indicators of before are on their way still; once they are
// committed the hunt sees them. Each batch holds its database until then.
static void wait_for_batches(struct hunter *h, struct intel_db *before)
{
	struct timespec step = {.tv_nsec = DRAIN_STEP_NS};
	while (before && intel_db_owners(before) > 1 && !atomic_load(&h->cancel))
		nanosleep(&step, NULL);
	intel_db_put(before);
}

static int hunt_run(struct hunter *h, struct hunt *x)
{
	struct journey j = {.hunter = h, .hunt = x, .told_ns = clock_mono_ns()};
	int ret = quarry_init(&j.quarry, x->db, &x->ids);
	if (ret == 0)
		ret = hunt_scan_init(&j.scan, x->db, h->options.thread, &x->ids, &j.quarry);
	j.view = ret == 0 ? store_view_of(h->options.store) : NULL;
	if (ret == 0 && !j.view)
		ret = -ENOMEM;
	if (ret == 0 && x->hours_all == 0)
		ret = walk(&j, true);
	if (ret == 0)
		ret = walk(&j, false);
	progress(&j);
	hunt_scan_fini(&j.scan);
	quarry_fini(&j.quarry);
	store_view_close(j.view);
	return ret;
}

static void run(struct hunter *h, struct hunt *x)
{
	pthread_mutex_lock(&h->lock);
	h->running = x->id;
	atomic_store(&h->cancel, h->stop);
	pthread_mutex_unlock(&h->lock);
	x->state = HUNT_RUNNING;
	x->started_ns = x->started_ns ? x->started_ns : clock_now_ns();
	tell(h, x);
	int ret = hunt_run(h, x);
	pthread_mutex_lock(&h->lock);
	h->running = 0;
	bool stopping = h->stop;
	pthread_mutex_unlock(&h->lock);
	if (ret == -ECANCELED && stopping) {
		tell(h, x); // goes on at the next start
		return;
	}
	x->state = ret == 0 ? HUNT_DONE : ret == -ECANCELED ? HUNT_CANCELLED : HUNT_FAILED;
	x->ended_ns = clock_now_ns();
	if (ret < 0 && ret != -ECANCELED && !x->error[0])
		snprintf(x->error, sizeof(x->error), "%s", strerror(-ret));
	tell(h, x);
}

static bool is_open(const json_t *j)
{
	const char *state = json_string_value(json_object_get(j, "state"));
	return state && (strcmp(state, "running") == 0 || strcmp(state, "waiting") == 0);
}

// Says of a hunt that it will not go on.
static void give_up(struct hunter *h, const char *name, json_t *j)
{
	json_object_set_new(j, "state", json_string(state_names[HUNT_FAILED]));
	json_object_set_new(j, "error", json_string("interrupted by a restart"));
	char *text = json_dumps(j, JSON_COMPACT);
	if (text)
		(void)!store_doc_put(h->options.store, DOC_HUNT, name, text, strlen(text));
	free(text);
}

// A hunt that a restart interrupted, when it was for the same indicators.
struct resume {
	struct hunter *hunter;
	struct hunt *hunt;
};

static int try_resume(void *ctx, const struct doc *d)
{
	struct resume *r = ctx;
	json_t *j = json_loadb(d->text, d->len, 0, NULL);
	const char *ids = json_string_value(json_object_get(j, "ids"));
	uint64_t id = strtoull(d->name, NULL, 10);
	bool ours = is_open(j) && ids && !json_is_true(json_object_get(j, "manual")) &&
		    id < r->hunt->id;
	if (ours && strtoull(ids, NULL, 16) != r->hunt->ids_hash) {
		give_up(r->hunter, d->name, j);
	} else if (ours) {
		r->hunt->id = id;
		json_int_t entity = json_integer_value(json_object_get(j, "place_entity"));
		r->hunt->has_place = entity >= 0 && json_object_get(j, "place_entity");
		r->hunt->entity = (uint16_t)entity;
		r->hunt->hour = (uint32_t)json_integer_value(json_object_get(j, "place"));
		r->hunt->hits = (uint64_t)json_integer_value(json_object_get(j, "hits"));
		r->hunt->allowed = (uint64_t)json_integer_value(json_object_get(j, "allowed_hits"));
		r->hunt->hours_done =
			(uint64_t)json_integer_value(json_object_get(j, "hours_done"));
		r->hunt->hours_all = (uint64_t)json_integer_value(json_object_get(j, "hours"));
	}
	json_decref(j);
	return 0;
}

// Hunts for what the changed database has and was not hunted for yet.
static void hunt_changes(struct hunter *h, struct intel_db *db, struct intel_db *before)
{
	struct ids now = {};
	struct hunt *x = calloc(1, sizeof(*x));
	int ret = x ? ids_of(db, &now) : -ENOMEM;
	if (ret == 0)
		ret = ids_new(&now, &h->known, &x->ids);
	wait_for_batches(h, before);
	if (ret == 0 && x->ids.n) {
		struct resume r = {h, x};
		x->id = take_id(h);
		x->db = intel_db_get(db);
		x->asked_ns = clock_now_ns();
		x->ids_hash = ids_hash(&x->ids);
		snprintf(x->what, sizeof(x->what), "feeds");
		(void)!store_doc_each(h->options.store, DOC_HUNT, try_resume, &r);
		run(h, x);
	}
	if (ret == 0 && (x->ids.n == 0 || x->state == HUNT_DONE || x->state == HUNT_CANCELLED)) {
		ids_free(&h->known);
		h->known = now;
		now = (struct ids){};
		(void)!ids_save(h->path, &h->known);
	}
	ids_free(&now);
	hunt_free(x);
	intel_db_put(db);
}

struct old_hunts {
	unsigned n;
	char first[KEEP_HUNTS][24];
};

static int count_hunts(void *ctx, const struct doc *d)
{
	struct old_hunts *o = ctx;
	if (o->n < KEEP_HUNTS)
		snprintf(o->first[o->n], sizeof(o->first[0]), "%.23s", d->name);
	o->n++;
	return 0;
}

// Keeps the newest documents.
static void forget_old(struct hunter *h)
{
	struct old_hunts o = {};
	(void)!store_doc_each(h->options.store, DOC_HUNT, count_hunts, &o);
	for (unsigned i = 0; i < KEEP_HUNTS && i + KEEP_HUNTS < o.n; i++)
		(void)!store_doc_del(h->options.store, DOC_HUNT, o.first[i]);
}

static void *hunter_main(void *arg)
{
	struct hunter *h = arg;
	for (;;) {
		struct hunt *x = NULL;
		pthread_mutex_lock(&h->lock);
		while (!h->stop && !h->changed && h->n_queue == 0)
			pthread_cond_wait(&h->wake, &h->lock);
		bool stop = h->stop;
		struct intel_db *db = h->changed, *before = h->before;
		h->changed = h->before = NULL;
		if (!stop && !db) {
			x = h->queue[0];
			memmove(h->queue, h->queue + 1, --h->n_queue * sizeof(struct hunt *));
		}
		pthread_mutex_unlock(&h->lock);
		if (stop) {
			intel_db_put(db);
			intel_db_put(before);
			return NULL;
		}
		if (db)
			hunt_changes(h, db, before);
		else
			run(h, x);
		hunt_free(x);
		forget_old(h);
	}
}

// Finds the next number; a manual hunt that a restart interrupted is over: what it was for is gone.
static int note_hunt(void *ctx, const struct doc *d)
{
	struct hunter *h = ctx;
	uint64_t id = strtoull(d->name, NULL, 10);
	json_t *j = json_loadb(d->text, d->len, 0, NULL);
	h->next_id = id >= h->next_id ? id + 1 : h->next_id;
	if (is_open(j) && json_is_true(json_object_get(j, "manual")))
		give_up(h, d->name, j);
	json_decref(j);
	return 0;
}

static void hunter_free(struct hunter *h)
{
	for (unsigned i = 0; i < h->n_queue; i++)
		hunt_free(h->queue[i]);
	intel_db_put(h->in_use);
	ids_free(&h->known);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->wake);
	free(h->path);
	free(h);
}

int hunter_start(const struct hunter_options *options, struct hunter **ret_hunter)
{
	struct hunter *h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->options = *options;
	h->next_id = 1;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->wake, NULL);
	int ret = asprintf(&h->path, "%s/hunted", options->dir) < 0 ? -ENOMEM : 0;
	if (ret < 0)
		h->path = NULL;
	if (ret == 0)
		ret = ids_load(h->path, &h->known);
	if (ret == 0)
		ret = store_doc_each(options->store, DOC_HUNT, note_hunt, h);
	if (ret == 0 || ret == -EIO)
		ret = -pthread_create(&h->thread, NULL, hunter_main, h);
	if (ret < 0) {
		hunter_free(h);
		return ret;
	}
	*ret_hunter = h;
	return 0;
}

void hunter_stop(struct hunter *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	atomic_store(&h->cancel, true);
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	hunter_free(h);
}

void hunter_changed(struct hunter *h, struct intel_db *db)
{
	pthread_mutex_lock(&h->lock);
	intel_db_put(h->changed);
	h->changed = intel_db_get(db);
	// Of several changes the first one's predecessor is what batches may still hold, then the
	// next: each is waited for by holding on to the latest alone, as ingest takes a database
	// for a batch, which is a quarter of a second.
	intel_db_put(h->before);
	h->before = h->in_use;
	h->in_use = intel_db_get(db);
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->lock);
}

static int add_to_list(void *ctx, const struct doc *d)
{
	json_t *j = json_loadb(d->text, d->len, 0, NULL);
	if (!j)
		return 0;
	json_object_set_new(j, "id", json_integer((json_int_t)strtoull(d->name, NULL, 10)));
	json_array_insert_new(ctx, 0, j); // newest first
	return 0;
}

json_t *hunter_list(struct hunter *h, char error[static 256])
{
	json_t *list = json_array();
	int ret = store_doc_each(h->options.store, DOC_HUNT, add_to_list, list);
	if (ret == 0 || ret == -EIO)
		return list;
	json_decref(list);
	snprintf(error, 256, "hunts: %s", strerror(-ret));
	return NULL;
}

json_t *hunter_hunt(
	struct hunter *h,
	struct intel_db *db,
	const char *what,
	uint64_t since_ns,
	char error[static 256]
)
{
	struct hunt *x = calloc(1, sizeof(*x));
	int ret = x ? ids_of(db, &x->ids) : -ENOMEM;
	if (ret < 0) {
		hunt_free(x);
		snprintf(error, 256, "hunt: %s", strerror(-ret));
		return NULL;
	}
	x->db = intel_db_get(db);
	x->is_manual = true;
	x->since_ns = since_ns;
	x->asked_ns = clock_now_ns();
	x->ids_hash = ids_hash(&x->ids);
	x->id = take_id(h);
	snprintf(x->what, sizeof(x->what), "%s", what);
	tell(h, x);
	pthread_mutex_lock(&h->lock);
	bool room = h->n_queue < QUEUE_MAX && !h->stop;
	if (room) {
		h->queue[h->n_queue++] = x;
		pthread_cond_signal(&h->wake);
	}
	json_t *answer =
		json_pack("{s:I,s:I}", "id", (json_int_t)x->id, "indicators", (json_int_t)x->ids.n);
	pthread_mutex_unlock(&h->lock);
	if (room)
		return answer;
	x->state = HUNT_CANCELLED;
	tell(h, x);
	hunt_free(x);
	json_decref(answer);
	snprintf(error, 256, "hunt: %d hunts are waiting already", QUEUE_MAX);
	return NULL;
}

json_t *hunter_cancel(struct hunter *h, const char *id_text, char error[static 256])
{
	uint64_t id = strtoull(id_text, NULL, 10);
	struct hunt *x = NULL;
	bool found;
	pthread_mutex_lock(&h->lock);
	found = h->running == id && id;
	if (found)
		atomic_store(&h->cancel, true);
	for (unsigned i = 0; i < h->n_queue && !found; i++) {
		if (h->queue[i]->id != id)
			continue;
		x = h->queue[i];
		memmove(h->queue + i, h->queue + i + 1, (--h->n_queue - i) * sizeof(struct hunt *));
		found = true;
	}
	pthread_mutex_unlock(&h->lock);
	if (x) {
		x->state = HUNT_CANCELLED;
		x->ended_ns = clock_now_ns();
		tell(h, x);
		hunt_free(x);
	}
	if (found)
		return json_pack("{s:I}", "cancelled", (json_int_t)id);
	snprintf(error, 256, "hunt %.30s: neither running nor waiting", id_text);
	return NULL;
}
