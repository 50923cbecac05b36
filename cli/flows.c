// SPDX-License-Identifier: Apache-2.0
#include "cli/flows.h"

#include "collector/store/read.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SLICE_ROWS 100000u // sorted at a time, about
#define CHUNK_LEN ((size_t)64 << 10)
#define MINUTE_NS (60 * NS_PER_SEC)

// Memory for texts of a slice: pieces that stay where they are.
struct chunk {
	struct chunk *next;
	size_t len;
	char data[CHUNK_LEN];
};

struct place {
	uint64_t start_ns;
	size_t row;
};

// Rows of a part of an hour, in order.
struct slice_rows {
	uint64_t from_ns, to_ns;
	struct record *rows;
	struct place *order;
	size_t n, cap, next;
	struct chunk *chunks;
};

struct flows {
	struct flows_options o;
	char scratch[PATH_MAX];
	struct store_reader *reader;
	struct store_view *view;
	struct store_scan *scan; // of the window, or of the slice
	const struct record_batch *batch;
	uint32_t row; // of the batch, the next one
	uint16_t entity;
	uint64_t total, passed, damaged;
	struct slice_rows slice;
};

int flows_parse_time(const char *text, uint64_t *ret_ns)
{
	char plain[17];
	if (strlen(text) != 16)
		return -EINVAL;
	memcpy(plain, text, sizeof(plain));
	for (char *p = plain; *p; p++) {
		if (*p == '-')
			*p = '/';
		else if (*p == 'T')
			*p = ' ';
	}
	return clock_parse_minute(plain, ret_ns);
}

int flows_parse_window(
	const char *from,
	const char *until,
	struct flows_options *ret_options,
	const char **ret_what
)
{
	uint64_t from_ns = 0, until_ns = UINT64_MAX;
	*ret_what = NULL;
	if (*from && flows_parse_time(from, &from_ns) < 0)
		*ret_what = "--from is a UTC time such as 2026/03/25 09:00";
	else if (*until && flows_parse_time(until, &until_ns) < 0)
		*ret_what = "the window's end is a UTC time such as 2026/03/25 09:59";
	if (*ret_what)
		return -EINVAL;
	if (*until) // that minute too
		until_ns += MINUTE_NS - 1;
	if (from_ns > until_ns) {
		*ret_what = "the window ends before it begins";
		return -EINVAL;
	}
	ret_options->from_ns = from_ns;
	ret_options->until_ns = until_ns;
	return 0;
}

static int remove_entry(const char *path, const struct stat *, int, struct FTW *)
{
	return remove(path);
}

static int make_scratch(struct flows *f, char error[static FLOWS_ERROR_LEN])
{
	const char *tmp = getenv("TMPDIR");
	snprintf(f->scratch, sizeof(f->scratch), "%s/weir-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (mkdtemp(f->scratch))
		return 0;
	int ret = -errno;
	snprintf(error, FLOWS_ERROR_LEN, "%.200s: %s", f->scratch, strerror(-ret));
	f->scratch[0] = '\0';
	return ret;
}

// Counts what the window's hours hold.
static int count_rows(struct flows *f)
{
	uint32_t hour = store_hour_of(f->o.from_ns), last = store_hour_of(f->o.until_ns);
	struct store_hour h;
	int ret;
	while ((ret = store_view_hour(f->view, f->entity, hour, &h)) > 0 && h.hour <= last) {
		f->total += h.sealed_rows + h.journal_rows;
		if (h.hour == UINT32_MAX)
			break;
		hour = h.hour + 1;
	}
	return ret < 0 ? ret : 0;
}

static int
open_scan(struct flows *f, uint64_t from_ns, uint64_t to_ns, struct store_scan **ret_scan)
{
	struct store_scan_spec spec = {
		.entity = f->entity,
		.from_ns = from_ns,
		.to_ns = to_ns,
		.fields = ~0ull,
	};
	return store_scan_open(f->view, &spec, ret_scan);
}

static int open_store(struct flows *f, char error[static FLOWS_ERROR_LEN])
{
	static_assert(FLOWS_ERROR_LEN >= STORE_READ_ERROR_LEN, "the store's words fit");
	int ret = store_reader_open(f->o.dir, f->scratch, &f->reader, error);
	if (ret < 0)
		return ret;
	snprintf(error, FLOWS_ERROR_LEN, "%.200s: %s", f->o.dir, strerror(ENOMEM));
	f->view = store_view_open(f->reader);
	if (!f->view)
		return -ENOMEM;
	ret = store_view_entity(f->view, f->o.entity);
	if (ret < 0) {
		snprintf(error, FLOWS_ERROR_LEN, "%.200s: no entity %s", f->o.dir, f->o.entity);
		return ret;
	}
	f->entity = (uint16_t)ret;
	ret = count_rows(f);
	if (ret == 0 && !f->o.sorted)
		ret = open_scan(f, f->o.from_ns, f->o.until_ns, &f->scan);
	if (ret < 0)
		snprintf(error, FLOWS_ERROR_LEN, "%.200s: %s", f->o.dir, strerror(-ret));
	return ret;
}

int flows_open(
	const struct flows_options *options,
	struct flows **ret_flows,
	char error[static FLOWS_ERROR_LEN]
)
{
	struct flows *f = calloc(1, sizeof(*f));
	if (!f) {
		snprintf(error, FLOWS_ERROR_LEN, "out of memory");
		return -ENOMEM;
	}
	f->o = *options;
	f->slice.to_ns = f->o.from_ns; // the first slice begins there
	f->slice.from_ns = f->o.from_ns + 1;
	int ret = make_scratch(f, error);
	if (ret == 0)
		ret = open_store(f, error);
	if (ret < 0) {
		flows_close(f);
		return ret;
	}
	*ret_flows = f;
	return 0;
}

static void slice_clear(struct slice_rows *s)
{
	while (s->chunks) {
		struct chunk *next = s->chunks->next;
		free(s->chunks);
		s->chunks = next;
	}
	s->n = s->next = 0;
}

void flows_close(struct flows *f)
{
	if (!f)
		return;
	slice_clear(&f->slice);
	free(f->slice.rows);
	free(f->slice.order);
	store_scan_close(f->scan);
	store_view_close(f->view);
	store_reader_close(f->reader);
	if (*f->scratch)
		nftw(f->scratch, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
}

// The next row of the scan that is within the window: 1, 0 at its end, or -errno.
static int next_of_scan(
	struct flows *f, struct store_scan *scan, uint64_t from_ns, uint64_t to_ns, struct record *r
)
{
	for (;;) {
		const uint64_t *start = f->batch ? RECORD_COLUMN(f->batch, start_ns) : NULL;
		while (f->batch && f->row < f->batch->n_rows) {
			uint32_t i = f->row++;
			uint64_t at = start ? start[i] : 0;
			if (at < from_ns || at > to_ns)
				continue;
			record_batch_get(f->batch, i, r);
			return 1;
		}
		f->batch = NULL;
		f->row = 0;
		int ret = store_scan_next(scan, &f->batch);
		if (ret == -EIO) {
			f->damaged++;
			f->batch = NULL;
			continue;
		}
		if (ret <= 0)
			return ret;
	}
}

// Room for `len` bytes that stay where they are; NULL without memory.
static char *slice_text(struct slice_rows *s, size_t len)
{
	if (!s->chunks || CHUNK_LEN - s->chunks->len < len) {
		struct chunk *c = malloc(sizeof(*c));
		if (!c)
			return NULL;
		c->next = s->chunks;
		c->len = 0;
		s->chunks = c;
	}
	char *p = s->chunks->data + s->chunks->len;
	s->chunks->len += len;
	return p;
}

static int keep_texts(struct slice_rows *s, struct record *r)
{
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		struct record_str *str = (void *)((char *)r + record_fields[f].offset);
		if (record_fields[f].type != RECORD_TYPE_STR || str->len == 0)
			continue;
		char *p = slice_text(s, str->len);
		if (!p)
			return -ENOMEM;
		str->p = memcpy(p, str->p, str->len);
	}
	return 0;
}

static int slice_add(struct slice_rows *s, struct record *r)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 4096;
		struct record *rows = reallocarray(s->rows, cap, sizeof(*rows));
		if (rows)
			s->rows = rows;
		struct place *order = reallocarray(s->order, cap, sizeof(*order));
		if (order)
			s->order = order;
		if (!rows || !order)
			return -ENOMEM;
		s->cap = cap;
	}
	int ret = keep_texts(s, r);
	s->order[s->n] = (struct place){r->start_ns, s->n};
	s->rows[s->n++] = *r;
	return ret;
}

static int cmp_place(const void *left, const void *right)
{
	const struct place *l = left, *r = right;
	if (l->start_ns != r->start_ns)
		return l->start_ns < r->start_ns ? -1 : 1;
	return l->row < r->row ? -1 : l->row > r->row;
}

// Moves to the next slice that can hold rows: 1, 0 at the end, or -errno. A slice is a whole hour
// or so much of it as holds SLICE_ROWS on average.
static int slice_move(struct flows *f)
{
	struct slice_rows *s = &f->slice;
	bool first = s->from_ns > s->to_ns;
	uint64_t at = first ? s->to_ns : s->to_ns + 1;
	struct store_hour h;
	if (at > f->o.until_ns || (!first && at == 0))
		return 0;
	int ret = store_view_hour(f->view, f->entity, store_hour_of(at), &h);
	if (ret <= 0)
		return ret;
	uint64_t begin = store_hour_start(h.hour), rows = h.sealed_rows + h.journal_rows;
	uint64_t span = rows > SLICE_ROWS ? NS_PER_HOUR / (rows / SLICE_ROWS + 1) : NS_PER_HOUR;
	s->from_ns = begin > at ? begin : at;
	s->to_ns = s->from_ns + (span > NS_PER_SEC ? span : NS_PER_SEC) - 1;
	if (s->to_ns > begin + NS_PER_HOUR - 1)
		s->to_ns = begin + NS_PER_HOUR - 1;
	if (s->to_ns > f->o.until_ns)
		s->to_ns = f->o.until_ns;
	return s->from_ns <= f->o.until_ns;
}

static int slice_load(struct flows *f)
{
	struct slice_rows *s = &f->slice;
	struct store_scan *scan;
	struct record r;
	slice_clear(s);
	int ret = open_scan(f, s->from_ns, s->to_ns, &scan);
	if (ret < 0)
		return ret;
	f->batch = NULL;
	while ((ret = next_of_scan(f, scan, s->from_ns, s->to_ns, &r)) > 0) {
		if ((ret = slice_add(s, &r)) < 0)
			break;
	}
	f->batch = NULL;
	store_scan_close(scan);
	if (s->n)
		qsort(s->order, s->n, sizeof(*s->order), cmp_place);
	return ret;
}

int flows_next(struct flows *f, struct record *ret_record)
{
	struct slice_rows *s = &f->slice;
	if (!f->o.sorted) {
		int ret = next_of_scan(f, f->scan, f->o.from_ns, f->o.until_ns, ret_record);
		f->passed += ret > 0;
		return ret;
	}
	while (s->next == s->n) {
		int ret = slice_move(f);
		if (ret <= 0)
			return ret;
		if ((ret = slice_load(f)) < 0)
			return ret;
	}
	*ret_record = s->rows[s->order[s->next++].row];
	f->passed++;
	return 1;
}

uint64_t flows_total(const struct flows *f)
{
	return f->total;
}

uint64_t flows_passed(const struct flows *f)
{
	return f->passed;
}

uint64_t flows_damaged(const struct flows *f)
{
	return f->damaged;
}
