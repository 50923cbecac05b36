// SPDX-License-Identifier: Apache-2.0
#include "cli/query.h"

#include "api/query/group.h"
#include "api/query/page.h"
#include "api/query/sums.h"
#include "api/query/time.h"
#include "cli/opened.h"
#include "cli/output.h"
#include "lib/base/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOP_N 10
#define MEMORY ((size_t)1 << 30) // of groups
#define FLOWS_COLUMNS                                                                              \
	"start,duration_ms,proto_name,src_ip,src_port,dst_ip,dst_port,flags,packets,bytes,verdict"

struct settings {
	char *dir, *start, *end, *last, *entity, *fields, *by, *metric, *step, *output;
	int64_t limit;
	struct config_list filter;
};

#define AT(m) offsetof(struct settings, m)
// clang-format off
#define COMMON \
	{"store.dir", "store", "DIR", CONFIG_STRING, AT(dir), 0, 0, "/var/lib/weir/store", \
	 "where the flows are kept"}, \
	{NULL, "start", "TIME", CONFIG_STRING, AT(start), 0, 0, NULL, \
	 "flows that began then or later: 2026-03-25T09:00:00Z"}, \
	{NULL, "end", "TIME", CONFIG_STRING, AT(end), 0, 0, NULL, "and before then; none given: now"}, \
	{NULL, "last", "SPAN", CONFIG_STRING, AT(last), 0, 0, "1h", \
	 "without a start: so long before the end: 15m, 12h, 7d"}, \
	{NULL, "entity", "E", CONFIG_STRING, AT(entity), 0, 0, "netflow", "whose flows"}, \
	{NULL, "output", "FORMAT", CONFIG_STRING, AT(output), 0, 0, "table", "table, json or csv; also -o"}, \
	{NULL, NULL, NULL, CONFIG_LIST, AT(filter), 0, 0, NULL, "a filter: docs/FILTER.md"}
#define BY(def) \
	{NULL, "by", "FIELDS", CONFIG_STRING, AT(by), 0, 0, def, \
	 "fields to sum up by: src_ip, dst_port, src_ip/24, ip, ..., separated by commas"}
#define METRIC \
	{NULL, "metric", "M", CONFIG_STRING, AT(metric), 0, 0, "bytes", \
	 "largest first by flows, packets, bytes or denied"}
#define LIMIT(def, text) {NULL, "limit", "N", CONFIG_INT, AT(limit), 1, 1000000, def, text}

static const struct config_item flows_items[] = {
	COMMON, LIMIT("20", "flows at most, newest first"),
	{NULL, "fields", "FIELDS", CONFIG_STRING, AT(fields), 0, 0, FLOWS_COLUMNS, "what is shown of each"},
};
static const struct config_item top_items[] = {
	COMMON, BY("src_ip"), METRIC, LIMIT("10", "groups at most"),
};
static const struct config_item series_items[] = {
	COMMON, BY(NULL), LIMIT("1000000", "rows at most"),
	{NULL, "step", "SPAN", CONFIG_STRING, AT(step), 0, 0, "5m", "of time"},
};
static const struct config_item kpi_items[] = {COMMON};
// clang-format on

// A question that is being answered.
struct question {
	struct settings s;
	enum output_format format;
	struct opened *store;
	struct filter *filter;
	struct window window;
	struct query_stop stop;
	struct run run;
};

static int fail(const char *what, const char *word)
{
	fprintf(stderr, "weir: %s%s%s\n", what, *word ? ": " : "", word);
	return CONFIG_EXIT_USAGE;
}

static int fail_errno(int ret)
{
	fprintf(stderr,
		"weir: %s\n",
		ret == -E2BIG ? "too many groups: narrow the filter or the window" : strerror(-ret)
	);
	return EXIT_FAILURE;
}

// A cell as JSON, as the API writes it.
static json_t *cell_json(const struct cell_column *c, const struct cell *v)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		return NULL;
	cell_print_json(out, c, v);
	fclose(out);
	json_t *j = json_loadb(text, len, JSON_DECODE_ANY, NULL);
	free(text);
	return j;
}

static void name_columns(
	const struct cell_columns *columns,
	const char *const *more,
	const char *names[CELL_COLUMNS_MAX]
)
{
	size_t n = 0;
	for (size_t i = 0; i < columns->n; i++)
		names[n++] = columns->c[i].name;
	for (; *more && n < CELL_COLUMNS_MAX - 1; more++)
		names[n++] = *more;
	names[n] = NULL;
}

static int ask_flows(struct question *q)
{
	static const char *const nothing[] = {NULL};
	const char *names[CELL_COLUMNS_MAX];
	struct cell_columns columns;
	char bad[CELL_NAME_LEN];
	struct page page;
	if (cell_columns_parse(q->s.fields, &columns, bad) < 0 || columns.n > 32)
		return fail("--fields: not known", bad);
	int ret = page_init(&page, &columns, (size_t)q->s.limit, NULL);
	if (ret == 0)
		ret = page_run(&page, &q->run, q->filter);
	json_t *rows = json_array();
	for (size_t i = 0; ret == 0 && i < page.n; i++) {
		json_t *row = json_object();
		for (size_t k = 0; k < columns.n; k++)
			json_object_set_new(
				row,
				columns.c[k].name,
				cell_json(&columns.c[k], &page.rows[i].cells[k])
			);
		json_array_append_new(rows, row);
	}
	name_columns(&columns, nothing, names);
	if (ret == 0)
		output_rows(rows, names, q->format);
	json_decref(rows);
	page_fini(&page);
	return ret < 0 ? fail_errno(ret) : EXIT_SUCCESS;
}

static json_t *
group_json(const struct groups *g, const struct cell_columns *by, const struct group_row *row)
{
	json_t *j = json_object();
	for (size_t i = 0; i < by->n; i++) {
		struct cell v = groups_cell(g, row, i);
		json_object_set_new(j, by->c[i].name, cell_json(&by->c[i], &v));
	}
	for (int m = 0; m < GROUP_N_METRICS; m++)
		json_object_set_new(j, group_metrics[m], json_integer((json_int_t)row->sums.v[m]));
	return j;
}

// Sums up; the groups in *ret_groups are the caller's.
static int
sum_up(struct question *q,
       const struct cell_columns *by,
       uint64_t step_ns,
       struct groups **ret_groups)
{
	struct walk_counts counts;
	int ret = groups_create(by, step_ns, MEMORY, ret_groups);
	return ret < 0 ? ret : groups_run(*ret_groups, &q->run, q->filter, &counts);
}

static int ask_top(struct question *q)
{
	const char *names[CELL_COLUMNS_MAX];
	struct cell_columns by;
	char bad[CELL_NAME_LEN];
	struct groups *g = NULL;
	int metric = 0;
	if (cell_groups_parse(q->s.by, GROUP_COLUMNS_MAX, &by, bad) < 0)
		return fail("--by: not known", bad);
	while (group_metrics[metric] && strcmp(group_metrics[metric], q->s.metric) != 0)
		metric++;
	if (!group_metrics[metric])
		return fail("--metric: flows, packets, bytes or denied", q->s.metric);
	int ret = sum_up(q, &by, 0, &g);
	if (ret == 0) {
		size_t n;
		const struct group_row *rows =
			groups_largest(g, (enum group_metric)metric, (size_t)q->s.limit, &n);
		json_t *list = json_array();
		for (size_t i = 0; i < n; i++)
			json_array_append_new(list, group_json(g, &by, &rows[i]));
		name_columns(&by, group_metrics, names);
		output_rows(list, names, q->format);
		json_decref(list);
	}
	groups_free(g);
	return ret < 0 ? fail_errno(ret) : EXIT_SUCCESS;
}

static int by_time(const void *left, const void *right)
{
	const struct group_row *const *a = left, *const *b = right;
	if ((*a)->bucket != (*b)->bucket)
		return (*a)->bucket < (*b)->bucket ? -1 : 1;
	return *a < *b ? -1 : *a > *b; // by key
}

static int
print_series(struct question *q, struct groups *g, const struct cell_columns *by, uint64_t step_ns)
{
	const char *names[CELL_COLUMNS_MAX + 1] = {"time"};
	const struct group_row *rows = groups_by_key(g);
	size_t n = groups_count(g);
	const struct group_row **order = calloc(n ? n : 1, sizeof(struct group_row *));
	json_t *list = json_array();
	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		order[i] = &rows[i];
	qsort(order, n, sizeof(struct group_row *), by_time);
	for (size_t i = 0; i < n && i < (size_t)q->s.limit; i++) {
		char at[TIME_TEXT_LEN];
		json_t *row = group_json(g, by, order[i]);
		json_object_set_new(
			row, "time", json_string(time_format(order[i]->bucket * step_ns, at))
		);
		json_array_append_new(list, row);
	}
	name_columns(by, group_metrics, names + 1);
	output_rows(list, names, q->format);
	json_decref(list);
	free(order);
	return 0;
}

static int ask_series(struct question *q)
{
	struct cell_columns by = {};
	char bad[CELL_NAME_LEN];
	struct groups *g = NULL;
	uint64_t step_sec;
	if (*q->s.by && cell_groups_parse(q->s.by, GROUP_COLUMNS_MAX, &by, bad) < 0)
		return fail("--by: not known", bad);
	if (time_parse_span(q->s.step, &step_sec) < 0)
		return fail("--step: a span such as 60, 5m, 1h", q->s.step);
	int ret = sum_up(q, &by, step_sec * NS_PER_SEC, &g);
	if (ret == 0)
		ret = print_series(q, g, &by, step_sec * NS_PER_SEC);
	groups_free(g);
	return ret < 0 ? fail_errno(ret) : EXIT_SUCCESS;
}

struct amount {
	uint64_t flows, packets, bytes;
};

static void add_row(json_t *rows, const char *kind, const char *name, struct amount a)
{
	json_array_append_new(
		rows,
		json_pack(
			"{s:s,s:s,s:I,s:I,s:I}",
			"kind",
			kind,
			"name",
			name,
			"flows",
			(json_int_t)a.flows,
			"packets",
			(json_int_t)a.packets,
			"bytes",
			(json_int_t)a.bytes
		)
	);
}

static void add_hosts(json_t *rows, const struct rollup *r, bool senders)
{
	struct rollup_host hosts[TOP_N];
	char text[ADDR_TEXT_LEN];
	size_t n =
		rollup_hosts(r, senders ? ROLLUP_BY_OUT_BYTES : ROLLUP_BY_IN_BYTES, hosts, TOP_N);
	for (size_t i = 0; i < n && i < TOP_N; i++) {
		const struct rollup_host *h = &hosts[i];
		struct amount out = {h->out_flows, h->out_packets, h->out_bytes};
		struct amount in = {h->in_flows, h->in_packets, h->in_bytes};
		add_row(rows,
			senders ? "sender" : "receiver",
			addr_format(&h->addr, text),
			senders ? out : in);
	}
}

static void add_ports(json_t *rows, const struct rollup *r)
{
	struct rollup_port ports[TOP_N];
	size_t n = rollup_ports(r, ROLLUP_BY_BYTES, ports, TOP_N);
	for (size_t i = 0; i < n && i < TOP_N; i++) {
		char name[32], proto[16];
		snprintf(
			name,
			sizeof(name),
			"%s %u",
			record_format_proto(ports[i].proto, proto),
			ports[i].port
		);
		struct amount a = {ports[i].flows, ports[i].packets, ports[i].bytes};
		add_row(rows, "port", name, a);
	}
}

static void print_kpi(struct question *q, const struct rollup *r)
{
	static const char *const columns[] = {"kind", "name", "flows", "packets", "bytes", NULL};
	struct rollup_totals t = rollup_totals(r);
	struct rollup_proto protos[256];
	json_t *rows = json_array();
	add_row(rows, "total", "all", (struct amount){t.flows, t.packets, t.bytes});
	add_row(rows, "total", "denied", (struct amount){.flows = t.denied});
	size_t n = rollup_protos(r, ROLLUP_BY_BYTES, protos, 256);
	for (size_t i = 0; i < n; i++) {
		char name[16];
		record_format_proto(protos[i].proto, name);
		struct amount a = {protos[i].flows, protos[i].packets, protos[i].bytes};
		add_row(rows, "protocol", name, a);
	}
	add_hosts(rows, r, true);
	add_hosts(rows, r, false);
	add_ports(rows, r);
	output_rows(rows, columns, q->format);
	json_decref(rows);
}

static int ask_kpi(struct question *q)
{
	struct rollup *r = NULL;
	struct walk_counts counts;
	bool scanned;
	int ret = rollup_create(&r);
	if (ret == 0 && filter_is_any(q->filter))
		ret = run_sums(&q->run, r, &scanned);
	else if (ret == 0)
		ret = sums_run(&q->run, q->filter, r, &counts);
	if (ret == 0)
		print_kpi(q, r);
	rollup_free(r);
	return ret < 0 ? fail_errno(ret) : EXIT_SUCCESS;
}

static int take_window(struct question *q)
{
	struct query times = {};
	char error[QUERY_ERROR_LEN];
	uint64_t span_sec;
	if (*q->s.start)
		times.params[times.n++] = (struct query_param){"start", q->s.start};
	if (*q->s.end)
		times.params[times.n++] = (struct query_param){"end", q->s.end};
	if (time_parse_span(q->s.last, &span_sec) < 0)
		return fail("--last: a span such as 15m, 12h, 7d", q->s.last);
	if (window_parse_native(&times, clock_now_ns(), &q->window, error) < 0)
		return fail(error, "");
	uint64_t end_ns = q->window.to_ns + 1, span_ns = span_sec * NS_PER_SEC;
	if (!*q->s.start)
		q->window.from_ns = end_ns > span_ns ? end_ns - span_ns : 0;
	return CONFIG_RUN;
}

// The words of the filter may come as one argument or as many.
static int take_filter(struct question *q)
{
	char text[FILTER_TEXT_MAX + 2] = "";
	struct filter_error e;
	size_t n = 0;
	for (size_t i = 0; i < q->s.filter.n && n < sizeof(text) - 1; i++)
		n += (size_t
		)snprintf(text + n, sizeof(text) - n, "%s%s", i ? " " : "", q->s.filter.items[i]);
	n = n < sizeof(text) ? n : sizeof(text) - 1;
	int ret = filter_parse(text, n, q->s.entity, &q->filter, &e);
	if (ret == -ENOMEM)
		return fail_errno(ret);
	if (ret < 0) {
		fprintf(stderr, "weir: %s\n      %*s\n", text, (int)e.column, "^");
		return fail(e.text, "");
	}
	return CONFIG_RUN;
}

static int open_store(struct question *q)
{
	char error[OPENED_ERROR_LEN];
	int ret = opened_open(q->s.dir, q->s.entity, &q->store, error);
	if (ret < 0) {
		fprintf(stderr, "weir: %s\n", error);
		return EXIT_FAILURE;
	}
	q->stop.deadline_ns = UINT64_MAX;
	q->run = (struct run){opened_view(q->store), opened_entity(q->store), &q->window, &q->stop};
	return CONFIG_RUN;
}

// Says where the newest flows are when they are all older than what was asked for.
static void hint(const struct question *q)
{
	struct store_hour h;
	char at[TIME_TEXT_LEN];
	if (*q->s.start || *q->s.end ||
	    store_view_hour_last(q->run.view, q->run.entity, UINT32_MAX, &h) <= 0)
		return;
	uint64_t end_ns = store_hour_start(h.hour) + NS_PER_HOUR;
	if (end_ns <= q->window.from_ns)
		fprintf(stderr,
			"weir: no flows of the last %s; the newest are from before %s (--start, "
			"--last)\n",
			q->s.last,
			time_format(end_ns, at));
}

static const struct {
	struct config_program program;
	int (*ask)(struct question *q);
} commands[] = {
#define PROGRAM(f, what)                                                                           \
	{                                                                                          \
		{.name = "weir " #f,                                                               \
		 .section = "weir",                                                                \
		 .synopsis = "[FILTER]... [OPTION]...",                                            \
		 .about = (what),                                                                  \
		 .items = f##_items,                                                               \
		 .n_items = sizeof(f##_items) / sizeof((f##_items)[0]),                            \
		 .size = sizeof(struct settings)},                                                 \
			ask_##f                                                                    \
	}
	PROGRAM(flows, "Shows stored flows that pass a filter, newest first."),
	PROGRAM(top, "Sums stored flows up by fields, largest first."),
	PROGRAM(series, "Sums stored flows up by steps of time."),
	PROGRAM(kpi, "Totals, protocols, largest senders, receivers and ports."),
};

static int ask(struct question *q, int (*fn)(struct question *q))
{
	if (output_format_parse(q->s.output, &q->format) < 0)
		return fail("--output: table, json or csv", q->s.output);
	int status = take_window(q);
	if (status == CONFIG_RUN)
		status = take_filter(q);
	if (status == CONFIG_RUN)
		status = open_store(q);
	if (status != CONFIG_RUN)
		return status;
	status = fn(q);
	if (status == EXIT_SUCCESS)
		hint(q);
	return status;
}

int query_main(int argc, char **argv)
{
	size_t i = 0;
	while (strcmp(commands[i].program.name + strlen("weir "), argv[0]) != 0)
		i++; // main has found it in its table
	struct question q = {};
	int status = config_parse(&commands[i].program, argc, argv, &q.s, NULL);
	if (status == CONFIG_RUN)
		status = ask(&q, commands[i].ask);
	filter_free(q.filter);
	opened_close(q.store);
	config_free(&commands[i].program, &q.s);
	return status;
}
