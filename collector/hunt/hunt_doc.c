// SPDX-License-Identifier: Apache-2.0
#include "collector/hunt/hunt_doc.h"

#include "collector/store/doc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define KEEP_HUNTS 200 // documents of ended ones

static const char *const state_names[] = {"waiting", "running", "done", "cancelled", "failed"};

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
		"{s:s,s:b,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:s}",
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
		"hosts_found",
		(json_int_t)x->hosts,
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

void hunt_doc_put(struct store *s, const struct hunt *x)
{
	char name[24];
	json_t *j = hunt_json(x);
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	doc_name(x->id, name);
	if (text)
		(void)!store_doc_put(s, DOC_HUNT, name, text, strlen(text));
	free(text);
	json_decref(j);
}

void hunt_free(struct hunt *x)
{
	if (!x)
		return;
	intel_db_put(x->db);
	ids_free(&x->ids);
	free(x);
}

static bool is_open(const json_t *j)
{
	const char *state = json_string_value(json_object_get(j, "state"));
	return state && (strcmp(state, "running") == 0 || strcmp(state, "waiting") == 0);
}

// Says of a hunt that it will not go on.
static void give_up(struct store *s, const char *name, json_t *j)
{
	json_object_set_new(j, "state", json_string(state_names[HUNT_FAILED]));
	json_object_set_new(j, "error", json_string("interrupted by a restart"));
	char *text = json_dumps(j, JSON_COMPACT);
	if (text)
		(void)!store_doc_put(s, DOC_HUNT, name, text, strlen(text));
	free(text);
}

// A hunt that a restart interrupted, when it was for the same indicators.
struct resume {
	struct store *store;
	struct hunt *hunt;
};

static uint64_t number_of(const json_t *j, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(j, key));
	return n > 0 ? (uint64_t)n : 0;
}

static uint64_t time_of(const json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));
	return text ? clock_parse_sec(text, strlen(text)) * NS_PER_SEC : 0;
}

// What a document tells of where a hunt stands.
static void take_over(struct hunt *x, uint64_t id, const json_t *j)
{
	json_int_t entity = json_integer_value(json_object_get(j, "place_entity"));
	bool has_entity = json_is_integer(json_object_get(j, "place_entity"));
	x->id = id;
	x->has_place = has_entity && entity >= 0 && entity <= UINT16_MAX;
	x->entity = x->has_place ? (uint16_t)entity : 0;
	x->hour = (uint32_t)number_of(j, "place");
	x->hits = number_of(j, "hits");
	x->allowed = number_of(j, "allowed_hits");
	x->hours_all = number_of(j, "hours");
	x->hours_done = number_of(j, "hours_done");
	x->hours_scanned = number_of(j, "hours_scanned");
	x->hosts = number_of(j, "hosts_found");
	x->rows = number_of(j, "rows_scanned");
	x->over_limit = number_of(j, "hits_over_limit");
	x->damaged = number_of(j, "damaged_blocks");
	x->asked_ns = time_of(j, "asked");
	x->started_ns = time_of(j, "started");
}

static int try_resume(void *ctx, const struct doc *d)
{
	struct resume *r = ctx;
	json_t *j = json_loadb(d->text, d->len, 0, NULL);
	const char *ids = json_string_value(json_object_get(j, "ids"));
	uint64_t id = strtoull(d->name, NULL, 10);
	bool ours = is_open(j) && ids && !json_is_true(json_object_get(j, "manual")) &&
		    id < r->hunt->id;
	if (ours && strtoull(ids, NULL, 16) != r->hunt->ids_hash)
		give_up(r->store, d->name, j);
	else if (ours)
		take_over(r->hunt, id, j);
	json_decref(j);
	return 0;
}

void hunt_doc_resume(struct store *s, struct hunt *x)
{
	struct resume r = {s, x};
	(void)!store_doc_each(s, DOC_HUNT, try_resume, &r);
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

void hunt_doc_forget(struct store *s)
{
	struct old_hunts o = {};
	(void)!store_doc_each(s, DOC_HUNT, count_hunts, &o);
	for (unsigned i = 0; i < KEEP_HUNTS && i + KEEP_HUNTS < o.n; i++)
		(void)!store_doc_del(s, DOC_HUNT, o.first[i]);
}

struct opening {
	struct store *store;
	bool (*fn)(void *ctx, struct hunt *x);
	void *ctx;
	uint64_t next;
};

// The hunt of a document, as far as that tells. NULL without memory.
static struct hunt *hunt_of(uint64_t id, const json_t *j)
{
	struct hunt *x = calloc(1, sizeof(*x));
	const char *what = json_string_value(json_object_get(j, "what"));
	if (!x)
		return NULL;
	take_over(x, id, j);
	x->is_manual = true;
	x->since_ns = time_of(j, "since");
	snprintf(x->what, sizeof(x->what), "%s", what ? what : "");
	return x;
}

static int note_hunt(void *ctx, const struct doc *d)
{
	struct opening *o = ctx;
	uint64_t id = strtoull(d->name, NULL, 10);
	json_t *j = json_loadb(d->text, d->len, 0, NULL);
	o->next = id >= o->next ? id + 1 : o->next;
	if (is_open(j) && json_is_true(json_object_get(j, "manual"))) {
		struct hunt *x = hunt_of(id, j);
		if (!x || !o->fn(o->ctx, x))
			give_up(o->store, d->name, j);
	}
	json_decref(j);
	return 0;
}

int hunt_doc_open(
	struct store *s, bool (*fn)(void *ctx, struct hunt *x), void *ctx, uint64_t *ret_next_id
)
{
	struct opening o = {s, fn, ctx, 1};
	int ret = store_doc_each(s, DOC_HUNT, note_hunt, &o);
	if (ret < 0 && ret != -EIO) // -EIO: one is damaged, the others were given
		return ret;
	*ret_next_id = o.next;
	return 0;
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

json_t *hunt_doc_list(struct store *s, int *ret_error)
{
	json_t *list = json_array();
	int ret = list ? store_doc_each(s, DOC_HUNT, add_to_list, list) : -ENOMEM;
	if (ret == 0 || ret == -EIO)
		return list;
	json_decref(list);
	*ret_error = ret;
	return NULL;
}
