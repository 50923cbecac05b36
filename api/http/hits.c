// SPDX-License-Identifier: Apache-2.0

// GET /api/v1/hits: traffic that indicators matched, newest first; with `after` the changes since a
// number, oldest first, for who follows them.
// Thread: worker.

#include "api/http/app.h"
#include "collector/store/hit_json.h"
#include "lib/intel/indicator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MAX 1000
#define LIMIT_DEFAULT 200
#define HELD_MAX 100000 // of one hour, put in order

struct wanted {
	uint64_t from_ns, to_ns;
	uint16_t min_score;
	int retro; // -1: either
	unsigned limit;
	const struct query_stop *stop;
	struct hit_row {
		uint64_t last_ns;
		json_t *json;
	} * rows; // of the hour being read
	size_t n, cap;
	uint32_t hour;
	json_t *list; // of the hours before
};

static bool is_wanted(const struct wanted *w, const struct hit *h)
{
	bool retro = h->retro.flows > 0;
	return h->last_ns >= w->from_ns && h->first_ns <= w->to_ns && h->score >= w->min_score &&
	       (w->retro < 0 || retro == w->retro);
}

static int cmp_newest(const void *left, const void *right)
{
	const struct hit_row *l = left, *r = right;
	if (l->last_ns != r->last_ns)
		return l->last_ns > r->last_ns ? -1 : 1;
	return strcmp(
		json_string_value(json_object_get(l->json, "id")),
		json_string_value(json_object_get(r->json, "id"))
	);
}

// Ends an hour: its rows in order, as many as there is room for.
static void end_hour(struct wanted *w)
{
	if (w->n)
		qsort(w->rows, w->n, sizeof(*w->rows), cmp_newest);
	for (size_t i = 0; i < w->n; i++) {
		if (json_array_size(w->list) < w->limit)
			json_array_append_new(w->list, w->rows[i].json);
		else
			json_decref(w->rows[i].json);
	}
	w->n = 0;
}

static int take(void *ctx, const struct hit *h)
{
	struct wanted *w = ctx;
	if (h->hour != w->hour) {
		end_hour(w);
		w->hour = h->hour;
		if (json_array_size(w->list) >= w->limit)
			return 1;
		int ret = query_stopped(w->stop);
		if (ret < 0)
			return ret;
	}
	if (!is_wanted(w, h) || w->n == HELD_MAX)
		return 0;
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 256;
		struct hit_row *rows = reallocarray(w->rows, cap, sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		w->rows = rows;
		w->cap = cap;
	}
	w->rows[w->n++] = (struct hit_row){h->last_ns, hit_json(h)};
	return w->rows[w->n - 1].json ? 0 : -ENOMEM;
}

static int take_change(void *ctx, const struct hit *h)
{
	struct wanted *w = ctx;
	if (is_wanted(w, h))
		json_array_append_new(w->list, hit_json(h));
	return json_array_size(w->list) >= w->limit;
}

// A time parameter in any form clients write; 0 with *ret, or -EINVAL with the response set.
static int time_of(struct call *c, const char *name, uint64_t def, uint64_t *ret)
{
	const char *text = query_find(&c->query, name);
	uint64_t ns;
	*ret = def;
	if (!text)
		return 0;
	uint32_t sec = clock_parse_sec(text, strlen(text));
	if (sec)
		*ret = sec * NS_PER_SEC;
	else if (clock_parse_minute(text, &ns) == 0)
		*ret = ns;
	else
		response_error(
			c->response,
			400,
			"parameter '%s': expected a time such as 2026-03-25T09:00:00Z",
			name
		);
	return sec || clock_parse_minute(text, &ns) == 0 ? 0 : -EINVAL;
}

static int number_of(struct call *c, const char *name, uint64_t max, uint64_t def, uint64_t *ret)
{
	const char *text = query_find(&c->query, name);
	char *end;
	*ret = def;
	if (!text)
		return 0;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || v > max) {
		response_error(
			c->response,
			400,
			"parameter '%s': expected a whole number up to %llu",
			name,
			(unsigned long long)max
		);
		return -EINVAL;
	}
	*ret = v;
	return 0;
}

static int parse(struct call *c, struct wanted *w)
{
	char fault[QUERY_ERROR_LEN];
	uint64_t score;
	const char *retro = query_find(&c->query, "retro");
	w->limit = LIMIT_DEFAULT;
	if (query_find(&c->query, "limit") &&
	    query_limit(&c->query, LIMIT_MAX, &w->limit, fault) < 0) {
		response_error(c->response, 400, "%s", fault);
		return -EINVAL;
	}
	w->retro = !retro ? -1 : strcmp(retro, "true") == 0 || strcmp(retro, "yes") == 0;
	if (number_of(c, "min_score", INDICATOR_SCORE_MAX, 0, &score) < 0 ||
	    time_of(c, "start", 0, &w->from_ns) < 0 || time_of(c, "end", UINT64_MAX, &w->to_ns) < 0)
		return -EINVAL;
	w->min_score = (uint16_t)score;
	return 0;
}

static void answer(struct call *c, int entity)
{
	struct wanted w = {.stop = &c->request->stop, .list = json_array()};
	uint64_t after = 0, last = 0;
	int ret = parse(c, &w);
	if (ret == 0)
		ret = number_of(c, "after", UINT64_MAX - 1, 0, &after);
	if (ret < 0) {
		json_decref(w.list);
		return;
	}
	if (entity >= 0 && query_find(&c->query, "after")) {
		ret = store_view_hits_since(c->view, entity, after, take_change, &w);
	} else if (entity >= 0) {
		uint32_t first = store_hour_of(w.from_ns);
		uint32_t to = w.to_ns == UINT64_MAX ? UINT32_MAX : store_hour_of(w.to_ns);
		ret = store_view_hits(c->view, (uint16_t)entity, first, to, take, &w);
		if (ret >= 0)
			end_hour(&w);
	}
	for (size_t i = 0; i < w.n; i++) // of an hour that was not read to its end
		json_decref(w.rows[i].json);
	free(w.rows);
	if (ret >= 0)
		ret = store_view_hits_last(c->view, &last);
	if (ret < 0) {
		json_decref(w.list);
		call_failed(c, ret);
		return;
	}
	response_json(
		c->response, 200, json_pack("{s:o,s:I}", "hits", w.list, "last", (json_int_t)last)
	);
}

void hits_get(struct call *c)
{
	int entity = call_entity(c);
	if (entity != -EPERM)
		answer(c, entity);
}
