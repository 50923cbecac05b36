// SPDX-License-Identifier: Apache-2.0

// GET /api/v1/flows: records that pass a filter, newest first, page by page.
// Thread: worker.

#include "api/http/native.h"
#include "api/query/page.h"

#include <errno.h>

#define LIMIT_DEFAULT 200
#define LIMIT_MAX 10000

static void print_row(
	struct native_out *o,
	enum native_format f,
	const struct cell_columns *columns,
	const struct page_row *row,
	bool first
)
{
	native_row_begin(o, f, first);
	for (size_t i = 0; i < columns->n; i++)
		native_cell(o, f, &columns->c[i], &row->cells[i], i == 0);
	native_row_end(o, f);
}

static void answer(struct call *c, const struct native *n, const struct page *p)
{
	struct native_out o;
	const char *next = page_next(p, c->response->next_cursor);
	if (native_open(c, &o) < 0)
		return;
	if (n->format == NATIVE_CSV) {
		cell_print_names(o.file, p->columns);
		native_row_end(&o, NATIVE_CSV);
	} else if (n->format == NATIVE_JSON) {
		fputs("{\"flows\":[", o.file);
	}
	for (size_t i = 0; i < p->n; i++)
		print_row(&o, n->format, p->columns, &p->rows[i], i == 0);
	if (n->format == NATIVE_JSON) {
		fputs("],\"next\":", o.file);
		fprintf(o.file, next ? "\"%s\"" : "null", next);
		fputs(",\"meta\":", o.file);
		native_meta(&o, n, &p->counts);
		fputs("}}\n", o.file);
	}
	native_close(c, n, &o);
}

static void run(struct call *c, const struct native *n, const struct cell_columns *columns)
{
	uint64_t limit = LIMIT_DEFAULT;
	struct page page;
	const char *text = query_find(&c->query, "limit");
	if (text && strcmp(text, "all") == 0) {
		rows_stream(c, n, columns);
		return;
	}
	if (native_number(c, "limit", 1, LIMIT_MAX, &limit) < 0)
		return;
	int ret = page_init(&page, columns, limit, query_find(&c->query, "cursor"));
	if (ret == -EINVAL) {
		response_error(c->response, 400, "parameter 'cursor': not one of ours");
		return;
	}
	struct run r = native_run(c, n);
	if (n->entity >= 0)
		ret = page_run(&page, &r, n->filter);
	if (ret < 0)
		call_failed(c, ret);
	else
		answer(c, n, &page);
	page_fini(&page);
}

void rows_get(struct call *c)
{
	struct native n;
	struct cell_columns columns;
	if (native_parse(c, &n) < 0)
		return;
	if (native_fields(c, &columns) == 0)
		run(c, &n, &columns);
	native_fini(&n);
}
