// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the native query routes have in common: window, filter, form of the answer. Each function
// returns 0, or below 0 with the response set.
// Thread: worker.

#include "api/http/app.h"
#include "api/query/cell.h"
#include "api/query/filter.h"
#include "api/query/walk.h"
#include "api/query/window.h"

enum native_format { NATIVE_JSON, NATIVE_JSONL, NATIVE_CSV };

struct native {
	struct window window;
	struct filter *filter;
	enum native_format format;
	int entity; // -ENOENT: holds nothing yet
};

// "start", "end", "filter", "format" (else the Accept header), "entity".
[[nodiscard]] int native_parse(struct call *c, struct native *ret_native);
void native_fini(struct native *n);

// The "filter" parameter; absent: any.
[[nodiscard]] int native_filter(struct call *c, struct filter **ret_filter);

// The "fields" parameter.
[[nodiscard]] int native_fields(struct call *c, struct cell_columns *ret_columns);

static inline struct run native_run(const struct call *c, const struct native *n)
{
	return (struct run){c->view, (uint16_t)n->entity, &n->window, &c->request->stop};
}

// A whole number from `min` to `max`; `def` when absent.
[[nodiscard]] int
native_number(struct call *c, const char *name, uint64_t min, uint64_t max, uint64_t *value);

// The place of a parameter's value in a list ended by NULL; *value as it is when absent.
[[nodiscard]] int
native_choice(struct call *c, const char *name, const char *const *words, int *value);

// An answer being written.
struct native_out {
	FILE *file;
	char *text;
	size_t len;
};

[[nodiscard]] int native_open(struct call *c, struct native_out *o);

// Makes what was written the answer, unless it is above the limit or there was no memory.
void native_close(struct call *c, const struct native *n, struct native_out *o);

// A row of cells in one of the three forms; `first` of all rows in JSON. More members may follow in
// JSON before native_row_end.
void native_row_begin(struct native_out *o, enum native_format f, bool first);
void native_cell(
	struct native_out *o,
	enum native_format f,
	const struct cell_column *c,
	const struct cell *v,
	bool first
);
void native_count(
	struct native_out *o, enum native_format f, const char *name, uint64_t v, bool first
);
void native_row_end(struct native_out *o, enum native_format f);

// {"start": …, "end": …, "scanned": …, "matched": …
void native_meta(struct native_out *o, const struct native *n, const struct walk_counts *counts);

// The type of an answer in that form.
const char *native_type(enum native_format f);

// Answers with all rows of the window that pass, in the order in which they are stored, as they are
// read (rows_stream.c).
void rows_stream(struct call *c, const struct native *n, const struct cell_columns *columns);
