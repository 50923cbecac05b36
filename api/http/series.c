// SPDX-License-Identifier: Apache-2.0

// GET /api/v1/series: the window's records summed up by steps of time, and by fields if wanted; the
// largest groups each on their own, the rest together.
// Thread: worker.

#include "api/http/native.h"
#include "api/query/group.h"
#include "api/query/time.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define LIMIT_DEFAULT 5
#define LIMIT_MAX 100
#define POINTS_MAX 5000
#define POINTS_AIM 200

// Rows of one group, which lie together.
struct line {
	size_t first, n;
	uint64_t total;
};

struct series {
	const struct native *n;
	const struct cell_columns *by;
	struct groups *g;
	const struct group_row *rows;
	uint64_t step_sec, first_bucket, n_points;
	int metric;
	uint64_t limit;
	struct line *lines;
	size_t n_lines;
	uint64_t *points; // of the line being written
	struct walk_counts counts;
};

static bool same_key(const struct group_row *a, const struct group_row *b)
{
	return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

static int cmp_total(const void *left, const void *right)
{
	const struct line *a = left, *b = right;
	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

// Finds the lines, largest first.
static int make_lines(struct series *s)
{
	size_t n = groups_count(s->g);
	s->rows = groups_by_key(s->g);
	s->lines = calloc(n ? n : 1, sizeof(*s->lines));
	s->points = calloc(s->n_points, sizeof(*s->points));
	if (!s->lines || !s->points)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || !same_key(&s->rows[i], &s->rows[i - 1]))
			s->lines[s->n_lines++].first = i;
		struct line *l = &s->lines[s->n_lines - 1];
		l->n++;
		l->total += s->rows[i].sums.v[s->metric];
	}
	if (s->n_lines)
		qsort(s->lines, s->n_lines, sizeof(*s->lines), cmp_total);
	return 0;
}

static void add_points(struct series *s, const struct line *l)
{
	for (size_t i = l->first; i < l->first + l->n; i++)
		s->points[s->rows[i].bucket - s->first_bucket] += s->rows[i].sums.v[s->metric];
}

static void print_points(struct series *s, struct native_out *o, uint64_t total)
{
	fprintf(o->file, "\"total\":%" PRIu64 ",\"values\":[", total);
	for (uint64_t i = 0; i < s->n_points; i++)
		fprintf(o->file, "%s%" PRIu64, i ? "," : "", s->points[i]);
	fputs("]}", o->file);
	memset(s->points, 0, s->n_points * sizeof(*s->points));
}

static void print_line(struct series *s, struct native_out *o, const struct line *l, bool first)
{
	fputs(first ? "{\"key\":{" : ",{\"key\":{", o->file);
	for (size_t i = 0; i < s->by->n; i++) {
		struct cell v = groups_cell(s->g, &s->rows[l->first], i);
		native_cell(o, NATIVE_JSON, &s->by->c[i], &v, i == 0);
	}
	fputs("},", o->file);
	add_points(s, l);
	print_points(s, o, l->total);
}

// All lines beyond the limit as one.
static void print_other(struct series *s, struct native_out *o)
{
	uint64_t total = 0;
	if (s->n_lines <= s->limit)
		return;
	for (size_t i = s->limit; i < s->n_lines; i++) {
		add_points(s, &s->lines[i]);
		total += s->lines[i].total;
	}
	fputs(",{\"key\":null,", o->file);
	print_points(s, o, total);
}

static void print_json(struct series *s, struct native_out *o)
{
	char text[TIME_TEXT_LEN];
	fprintf(o->file,
		"{\"metric\":\"%s\",\"step\":%" PRIu64 ",\"times\":[",
		group_metrics[s->metric],
		s->step_sec);
	for (uint64_t i = 0; i < s->n_points; i++)
		fprintf(o->file,
			"%s\"%s\"",
			i ? "," : "",
			time_format((s->first_bucket + i) * s->step_sec * NS_PER_SEC, text));
	fputs("],\"series\":[", o->file);
	for (size_t i = 0; i < s->n_lines && i < s->limit; i++)
		print_line(s, o, &s->lines[i], i == 0);
	print_other(s, o);
	fprintf(o->file, "],\"groups\":%zu,\"meta\":", s->n_lines);
	native_meta(o, s->n, &s->counts);
	fputs("}}\n", o->file);
}

// A row for each time and group of the lines asked for.
static void print_rows(struct series *s, struct native_out *o)
{
	enum native_format f = s->n->format;
	static const struct cell_column time = {.name = "time", .type = CELL_TIME};
	if (f == NATIVE_CSV) {
		fprintf(o->file, s->by->n ? "time," : "time");
		cell_print_names(o->file, s->by);
		for (int m = 0; m < GROUP_N_METRICS; m++)
			fprintf(o->file, ",%s", group_metrics[m]);
		native_row_end(o, f);
	}
	for (size_t l = 0; l < s->n_lines && l < s->limit; l++) {
		for (size_t i = s->lines[l].first; i < s->lines[l].first + s->lines[l].n; i++) {
			const struct group_row *row = &s->rows[i];
			struct cell at = {.number = row->bucket * s->step_sec * NS_PER_SEC};
			native_row_begin(o, f, false);
			native_cell(o, f, &time, &at, true);
			for (size_t k = 0; k < s->by->n; k++) {
				struct cell v = groups_cell(s->g, row, k);
				native_cell(o, f, &s->by->c[k], &v, false);
			}
			for (int m = 0; m < GROUP_N_METRICS; m++)
				native_count(o, f, group_metrics[m], row->sums.v[m], false);
			native_row_end(o, f);
		}
	}
}

static void answer(struct call *c, struct series *s)
{
	struct native_out o;
	if (native_open(c, &o) < 0)
		return;
	if (s->n->format == NATIVE_JSON)
		print_json(s, &o);
	else
		print_rows(s, &o);
	native_close(c, s->n, &o);
}

// A round step that gives about POINTS_AIM points.
static uint64_t fitting_step(uint64_t span_sec)
{
	static const uint32_t steps[] = {
		1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 86400};
	size_t i = 0, n = sizeof(steps) / sizeof(steps[0]);
	while (i + 1 < n && span_sec / steps[i] > POINTS_AIM)
		i++;
	uint64_t step = steps[i];
	return span_sec / step < POINTS_MAX ? step : span_sec / POINTS_AIM;
}

static int parse(struct call *c, struct series *s)
{
	const struct window *w = &s->n->window;
	const char *step = query_find(&c->query, "step");
	s->step_sec = fitting_step((w->to_ns - w->from_ns) / NS_PER_SEC);
	if (step && time_parse_span(step, &s->step_sec) < 0) {
		response_error(
			c->response, 400, "parameter 'step': expected a span such as 60, 5m, 1h"
		);
		return -EINVAL;
	}
	s->first_bucket = w->from_ns / (s->step_sec * NS_PER_SEC);
	s->n_points = w->to_ns / (s->step_sec * NS_PER_SEC) - s->first_bucket + 1;
	if (s->n_points > POINTS_MAX) {
		response_error(
			c->response,
			400,
			"parameter 'step': more than %d steps in the window",
			POINTS_MAX
		);
		return -EINVAL;
	}
	s->limit = LIMIT_DEFAULT;
	s->metric = GROUP_BYTES;
	int ret = native_number(c, "limit", 1, LIMIT_MAX, &s->limit);
	return ret < 0 ? ret : native_choice(c, "metric", group_metrics, &s->metric);
}

static void run(struct call *c, struct series *s)
{
	struct run r = native_run(c, s->n);
	if (parse(c, s) < 0)
		return;
	int ret = groups_create(
		s->by, s->step_sec * NS_PER_SEC, (size_t)c->app->config->query_memory, &s->g
	);
	if (ret == 0 && s->n->entity >= 0)
		ret = groups_run(s->g, &r, s->n->filter, &s->counts);
	if (ret == 0)
		ret = make_lines(s);
	if (ret < 0)
		call_failed(c, ret);
	else
		answer(c, s);
	free(s->lines);
	free(s->points);
	groups_free(s->g);
}

void series_get(struct call *c)
{
	struct native n;
	struct cell_columns by = {};
	char bad[CELL_NAME_LEN];
	const char *text = query_find(&c->query, "by");
	if (native_parse(c, &n) < 0)
		return;
	if (text && *text && cell_groups_parse(text, GROUP_COLUMNS_MAX, &by, bad) < 0) {
		response_error(c->response, 400, "parameter 'by': what is '%s'?", bad);
	} else {
		struct series s = {.n = &n, .by = &by};
		run(c, &s);
	}
	native_fini(&n);
}
