// SPDX-License-Identifier: Apache-2.0

// GET /api/v1/flows?limit=all: everything that passes, written while it is read. Memory: what is on
// its way, whatever the window. The worker is busy as long as the client reads, so that only half
// of them do this at a time. Thread: worker.

#include "api/http/native.h"
#include "api/http/stream.h"

#include <errno.h>
#include <stdlib.h>

#define PIECE_LEN ((size_t)64 << 10)
#define STALL_NS (30 * NS_PER_SEC)
#define LONGEST_NS (1800 * NS_PER_SEC)

struct pour {
	struct stream *stream;
	const struct native *native;
	const struct cell_columns *columns;
	struct query_stop stop;
	struct native_out out;
};

static int begin_piece(struct pour *p)
{
	p->out = (struct native_out){};
	p->out.file = open_memstream(&p->out.text, &p->out.len);
	return p->out.file ? 0 : -ENOMEM;
}

static int end_piece(struct pour *p)
{
	bool ok = !ferror(p->out.file);
	ok = fclose(p->out.file) == 0 && ok;
	int ret = ok ? 0 : -ENOMEM;
	if (ok && p->out.len)
		ret = stream_write(p->stream, p->out.text, p->out.len, STALL_NS, &p->stop);
	free(p->out.text);
	p->out.file = NULL;
	return ret;
}

static void print_row(struct pour *p, const struct record_batch *b, uint32_t row)
{
	enum native_format f = p->native->format;
	native_row_begin(&p->out, f, true);
	for (size_t i = 0; i < p->columns->n; i++) {
		struct cell cell = cell_load(&p->columns->c[i], b, row, false);
		native_cell(&p->out, f, &p->columns->c[i], &cell, i == 0);
	}
	native_row_end(&p->out, f);
}

static int take(void *ctx, const struct record_batch *b, const uint32_t *rows, uint32_t n)
{
	struct pour *p = ctx;
	for (uint32_t i = 0; i < n; i++) {
		print_row(p, b, rows[i]);
		if ((size_t)ftell(p->out.file) < PIECE_LEN)
			continue;
		int ret = end_piece(p);
		if (ret < 0 || (ret = begin_piece(p)) < 0)
			return ret;
	}
	return 0;
}

static int pour(struct call *c, struct pour *p)
{
	struct walk_counts counts;
	struct walk walk = {
		.run = native_run(c, p->native),
		.filter = p->native->filter,
		.fields = cell_columns_fields(p->columns),
		.rows = take,
		.ctx = p,
	};
	walk.run.stop = &p->stop;
	int ret = begin_piece(p);
	if (ret == 0 && p->native->format == NATIVE_CSV) {
		cell_print_names(p->out.file, p->columns);
		native_row_end(&p->out, NATIVE_CSV);
	}
	if (ret == 0 && p->native->entity >= 0)
		ret = walk_rows(&walk, &counts);
	if (p->out.file) {
		int last = end_piece(p);
		ret = ret < 0 ? ret : last;
	}
	return ret;
}

// One of the places, or none: half of the workers, and one at least.
static bool take_place(struct call *c)
{
	unsigned max = (unsigned)(c->app->config->workers + 1) / 2;
	if (atomic_fetch_add(&c->app->n_exports, 1) < max)
		return true;
	atomic_fetch_sub(&c->app->n_exports, 1);
	response_error(c->response, 503, "too many exports at a time");
	c->response->retry_after_sec = 10;
	return false;
}

void rows_stream(struct call *c, const struct native *n, const struct cell_columns *columns)
{
	struct pour p = {
		.native = n,
		.columns = columns,
		.stop = {.deadline_ns = clock_mono_ns() + LONGEST_NS, .also = &c->request->stop},
	};
	if (n->format == NATIVE_JSON || query_find(&c->query, "cursor")) {
		response_error(
			c->response, 400, "parameter 'limit': all comes as csv or jsonl, at once"
		);
		return;
	}
	if (!take_place(c))
		return;
	p.stream = stream_create();
	if (!p.stream) {
		call_failed(c, -ENOMEM);
		atomic_fetch_sub(&c->app->n_exports, 1);
		return;
	}
	c->response->status = 200;
	c->response->content_type = native_type(n->format);
	c->response->stream = p.stream;
	bool is_read = c->response->start;
	response_start(c->response); // from here on it is not ours
	int ret = is_read ? pour(c, &p) : 0;
	// who went away knows; for anybody else a body that breaks off says that it is not all
	stream_end(p.stream, ret == 0);
	stream_release(p.stream);
	atomic_fetch_sub(&c->app->n_exports, 1);
}
