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

static int try_resume(void *ctx, const struct doc *d)
{
	struct resume *r = ctx;
	json_t *j = json_loadb(d->text, d->len, 0, NULL);
	const char *ids = json_string_value(json_object_get(j, "ids"));
	uint64_t id = strtoull(d->name, NULL, 10);
	bool ours = is_open(j) && ids && !json_is_true(json_object_get(j, "manual")) &&
		    id < r->hunt->id;
	if (ours && strtoull(ids, NULL, 16) != r->hunt->ids_hash) {
		give_up(r->store, d->name, j);
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

struct numbers {
	struct store *store;
	uint64_t next;
};

static int note_hunt(void *ctx, const struct doc *d)
{
	struct numbers *n = ctx;
	uint64_t id = strtoull(d->name, NULL, 10);
	json_t *j = json_loadb(d->text, d->len, 0, NULL);
	n->next = id >= n->next ? id + 1 : n->next;
	if (is_open(j) && json_is_true(json_object_get(j, "manual")))
		give_up(n->store, d->name, j);
	json_decref(j);
	return 0;
}

int hunt_doc_open(struct store *s, uint64_t *ret_next_id)
{
	struct numbers n = {s, 1};
	int ret = store_doc_each(s, DOC_HUNT, note_hunt, &n);
	if (ret < 0 && ret != -EIO) // -EIO: one is damaged, the others were given
		return ret;
	*ret_next_id = n.next;
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
