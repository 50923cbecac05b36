// SPDX-License-Identifier: Apache-2.0

// GET /api/v1/top: the window's records summed up by fields, largest first.
// Thread: worker.

#include "api/http/native.h"
#include "api/query/group.h"

#include <errno.h>

#define LIMIT_DEFAULT 10
#define LIMIT_MAX 10000
#define BY_DEFAULT "src_ip"

static void print_row(
	struct native_out *o,
	enum native_format f,
	const struct groups *g,
	const struct cell_columns *by,
	const struct group_row *row
)
{
	for (size_t i = 0; i < by->n; i++) {
		struct cell v = groups_cell(g, row, i);
		native_cell(o, f, &by->c[i], &v, i == 0);
	}
	for (int m = 0; m < GROUP_N_METRICS; m++)
		native_count(o, f, group_metrics[m], row->sums.v[m], false);
}

static void print_total(struct native_out *o, const struct groups *g)
{
	struct group_sums total = groups_total(g);
	fprintf(o->file, "],\"groups\":%zu,\"total\":{", groups_count(g));
	for (int m = 0; m < GROUP_N_METRICS; m++)
		native_count(o, NATIVE_JSON, group_metrics[m], total.v[m], m == 0);
	fputs("},\"meta\":", o->file);
}

struct top {
	struct groups *g;
	const struct cell_columns *by;
	int metric;
	uint64_t limit;
	struct walk_counts counts;
};

static void print_names(struct native_out *o, const struct cell_columns *by)
{
	cell_print_names(o->file, by);
	for (int m = 0; m < GROUP_N_METRICS; m++)
		fprintf(o->file, ",%s", group_metrics[m]);
	native_row_end(o, NATIVE_CSV);
}

static void answer(struct call *c, const struct native *n, const struct top *t)
{
	struct native_out o;
	size_t n_rows;
	const struct group_row *rows =
		groups_largest(t->g, (enum group_metric)t->metric, t->limit, &n_rows);
	if (native_open(c, &o) < 0)
		return;
	if (n->format == NATIVE_CSV)
		print_names(&o, t->by);
	else if (n->format == NATIVE_JSON)
		fputs("{\"top\":[", o.file);
	for (size_t i = 0; i < n_rows; i++) {
		native_row_begin(&o, n->format, i == 0);
		print_row(&o, n->format, t->g, t->by, &rows[i]);
		native_row_end(&o, n->format);
	}
	if (n->format == NATIVE_JSON) {
		print_total(&o, t->g);
		native_meta(&o, n, &t->counts);
		fputs("}}\n", o.file);
	}
	native_close(c, n, &o);
}

static void run(struct call *c, const struct native *n, const struct cell_columns *by)
{
	struct top t = {.by = by, .metric = GROUP_BYTES, .limit = LIMIT_DEFAULT};
	if (native_number(c, "limit", 1, LIMIT_MAX, &t.limit) < 0 ||
	    native_choice(c, "metric", group_metrics, &t.metric) < 0)
		return;
	int ret = groups_create(by, 0, (size_t)c->app->config->query_memory, &t.g);
	struct run r = native_run(c, n);
	if (ret == 0 && n->entity >= 0)
		ret = groups_run(t.g, &r, n->filter, &t.counts);
	if (ret < 0)
		call_failed(c, ret);
	else
		answer(c, n, &t);
	groups_free(t.g);
}

void top_get(struct call *c)
{
	struct native n;
	struct cell_columns by;
	char bad[CELL_NAME_LEN];
	const char *text = query_find(&c->query, "by");
	if (native_parse(c, &n) < 0)
		return;
	if (cell_groups_parse(text ? text : BY_DEFAULT, GROUP_COLUMNS_MAX, &by, bad) < 0)
		response_error(c->response, 400, "parameter 'by': what is '%s'?", bad);
	else
		run(c, &n, &by);
	native_fini(&n);
}
