// SPDX-License-Identifier: Apache-2.0
#include "api/query/page.h"

#include "lib/base/siphash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

// What tells records apart beside their start. Records that are equal in all of these are one as
// good as the other.
static const uint8_t identity[] = {
	FIELD_end_ns,	   FIELD_recv_ns,   FIELD_src,		 FIELD_dst,	 FIELD_sport,
	FIELD_dport,	   FIELD_proto,	    FIELD_tcp_flags,	 FIELD_packets,	 FIELD_bytes,
	FIELD_rev_packets, FIELD_rev_bytes, FIELD_rev_tcp_flags, FIELD_exporter, FIELD_domain,
	FIELD_icmp_type,   FIELD_icmp_code, FIELD_in_if,	 FIELD_out_if,	 FIELD_vlan,
};

#define IDENTITY_N (sizeof(identity) / sizeof(identity[0]))

static uint64_t identity_fields(void)
{
	uint64_t fields = RECORD_BIT(start_ns);
	for (size_t i = 0; i < IDENTITY_N; i++)
		fields |= 1ull << identity[i];
	return fields;
}

static uint64_t order_of(const struct record_batch *b, uint32_t row)
{
	// cursors outlive the process, so the key is fixed; a collision costs nothing but the order
	static const struct siphash_key key = {0x77656972, 0x70616765};
	uint8_t bytes[IDENTITY_N * 16] = {};
	size_t at = 0;
	for (size_t i = 0; i < IDENTITY_N; i++) {
		size_t width = record_fields[identity[i]].width;
		if (b->used >> identity[i] & 1)
			memcpy(bytes + at,
			       (const uint8_t *)b->columns[identity[i]] + row * width,
			       width);
		at += width;
	}
	return siphash(&key, bytes, at);
}

// Below 0: a comes first.
static int compare(const struct page_row *a, const struct page_row *b)
{
	if (a->start_ns != b->start_ns)
		return a->start_ns > b->start_ns ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int compare_rows(const void *left, const void *right)
{
	return compare(left, right);
}

static void swap(struct page *p, size_t i, size_t k)
{
	struct page_row r = p->rows[i];
	p->rows[i] = p->rows[k];
	p->rows[k] = r;
}

static void sift_up(struct page *p, size_t i)
{
	for (; i > 0 && compare(&p->rows[i], &p->rows[(i - 1) / 2]) > 0; i = (i - 1) / 2)
		swap(p, i, (i - 1) / 2);
}

static void sift_down(struct page *p)
{
	for (size_t i = 0, last;; i = last) {
		last = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < p->n; child++)
			if (compare(&p->rows[child], &p->rows[last]) > 0)
				last = child;
		if (last == i)
			return;
		swap(p, i, last);
	}
}

// Takes the row's values out of the batch.
static int
load_cells(const struct page *p, const struct record_batch *b, uint32_t row, struct page_row *r)
{
	size_t len = 0, at = 0;
	free(r->text);
	r->text = NULL;
	for (size_t i = 0; i < p->columns->n; i++) {
		r->cells[i] = cell_load(&p->columns->c[i], b, row, false);
		len += r->cells[i].text.len;
	}
	if (!len)
		return 0;
	r->text = malloc(len);
	if (!r->text) {
		memset(r->cells, 0, p->columns->n * sizeof(*r->cells));
		return -ENOMEM;
	}
	for (size_t i = 0; i < p->columns->n; i++) {
		struct record_str *s = &r->cells[i].text;
		if (s->len)
			s->p = memcpy(r->text + at, s->p, s->len);
		at += s->len;
	}
	return 0;
}

// One row more than asked for is kept: it says whether there is a next page.
static int push(struct page *p, const struct record_batch *b, uint32_t row, struct page_row key)
{
	if (p->n == p->limit + 1) {
		if (compare(&key, &p->rows[0]) >= 0)
			return 0;
		struct page_row *root = &p->rows[0];
		root->start_ns = key.start_ns;
		root->order = key.order;
		int ret = load_cells(p, b, row, root);
		sift_down(p);
		p->floor_ns = p->rows[0].start_ns;
		return ret;
	}
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 64;
		struct page_row *rows = reallocarray(p->rows, cap, sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		p->rows = rows;
		p->cap = cap;
	}
	key.cells = calloc(p->columns->n ? p->columns->n : 1, sizeof(*key.cells));
	if (!key.cells)
		return -ENOMEM;
	p->rows[p->n++] = key;
	int ret = load_cells(p, b, row, &p->rows[p->n - 1]);
	sift_up(p, p->n - 1);
	if (p->n == p->limit + 1)
		p->floor_ns = p->rows[0].start_ns;
	return ret;
}

// Whether the row was on a page before this one.
static bool is_behind(struct page *p, const struct page_row *key)
{
	struct page_row cursor = {.start_ns = p->after_ns, .order = p->after_order};
	if (!p->has_cursor)
		return true;
	int c = compare(key, &cursor);
	return c > 0 || (c == 0 && ++p->n_equal > p->after_skip);
}

static int take(void *ctx, const struct record_batch *b, const uint32_t *rows, uint32_t n)
{
	struct page *p = ctx;
	const uint64_t *start = RECORD_COLUMN(b, start_ns);
	for (uint32_t i = n; i-- > 0;) { // the newest are at the end
		struct page_row key = {.start_ns = start ? start[rows[i]] : 0};
		if (key.start_ns < p->floor_ns || (p->has_cursor && key.start_ns > p->after_ns))
			continue;
		key.order = order_of(b, rows[i]);
		int ret = is_behind(p, &key) ? push(p, b, rows[i], key) : 0;
		if (ret < 0)
			return ret;
	}
	return 0;
}

// A hexadecimal number of at most 16 digits in front of `end`, which *text is moved behind.
static bool take_hex(const char **text, char end, uint64_t *ret)
{
	size_t n = strspn(*text, "0123456789abcdef");
	if (n < 1 || n > 16 || (*text)[n] != end)
		return false;
	*ret = strtoull(*text, NULL, 16);
	*text += n + (end != '\0');
	return true;
}

int page_init(struct page *p, const struct cell_columns *columns, size_t limit, const char *cursor)
{
	*p = (struct page){.columns = columns, .limit = limit, .has_cursor = cursor != NULL};
	if (!cursor)
		return 0;
	bool good = take_hex(&cursor, '-', &p->after_ns) &&
		    take_hex(&cursor, '-', &p->after_order) &&
		    take_hex(&cursor, '\0', &p->after_skip);
	return good ? 0 : -EINVAL;
}

void page_fini(struct page *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->rows[i].cells);
		free(p->rows[i].text);
	}
	free(p->rows);
	*p = (struct page){};
}

int page_run(struct page *p, const struct run *run, const struct filter *filter)
{
	struct window w = *run->window;
	struct walk walk = {
		.run = *run,
		.filter = filter,
		.fields = identity_fields() | cell_columns_fields(p->columns),
		.newest_first = true,
		.rows = take,
		.ctx = p,
		.floor_ns = &p->floor_ns,
	};
	walk.run.window = &w;
	if (p->has_cursor && p->after_ns < w.to_ns)
		w.to_ns = p->after_ns;
	if (w.to_ns < w.from_ns)
		return 0;
	int ret = walk_rows(&walk, &p->counts);
	if (ret < 0)
		return ret;
	if (p->n)
		qsort(p->rows, p->n, sizeof(*p->rows), compare_rows);
	p->more = p->n > p->limit;
	if (p->more) {
		p->n--;
		free(p->rows[p->n].cells);
		free(p->rows[p->n].text);
	}
	return 0;
}

const char *page_next(const struct page *p, char text[static PAGE_CURSOR_LEN])
{
	struct page_row cursor = {.start_ns = p->after_ns, .order = p->after_order};
	uint64_t skip = 0;
	if (!p->more)
		return NULL;
	const struct page_row *last = &p->rows[p->n - 1];
	for (size_t i = p->n; i > 0 && compare(&p->rows[i - 1], last) == 0; i--)
		skip++;
	if (p->has_cursor && compare(last, &cursor) == 0)
		skip += p->after_skip;
	snprintf(
		text,
		PAGE_CURSOR_LEN,
		"%" PRIx64 "-%" PRIx64 "-%" PRIx64,
		last->start_ns,
		last->order,
		skip
	);
	return text;
}
