// SPDX-License-Identifier: Apache-2.0
#include "collector/store/block.h"
#include "collector/store/view.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

// A block of the hour the scan is in.
struct candidate {
	bool sealed;
	uint64_t number;
	struct block_summary summary;
};

struct store_scan {
	struct store_view *view;
	struct store_scan_spec spec;
	struct column_coder coder;
	struct record_batch *batch;
	struct candidate *candidates; // of `hour`, in the order of the walk
	size_t n, cap, next;
	const struct candidate *now; // what the batch is of
	uint64_t loaded;	     // columns of it that have been asked for
	uint64_t times;		     // the fields that are times
	uint32_t hour;
	bool started, done;
	uint64_t n_passed; // blocks of the window so far, those of other scans among them
	uint64_t mine;	   // number of the one to take next
	bool claimed;	   // `mine` is set
};

int store_scan_open(
	struct store_view *v, const struct store_scan_spec *spec, struct store_scan **ret_scan
)
{
	struct store_scan *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->view = v;
	s->spec = *spec;
	s->done = spec->from_ns > spec->to_ns;
	for (int f = 0; f < RECORD_N_FIELDS; f++)
		s->times |= (uint64_t)(record_fields[f].type == RECORD_TYPE_TIME) << f;
	column_init(&s->coder);
	*ret_scan = s;
	return 0;
}

void store_scan_close(struct store_scan *s)
{
	if (!s)
		return;
	column_fini(&s->coder);
	record_batch_free(s->batch);
	free(s->candidates);
	free(s);
}

void store_scan_raise(struct store_scan *s, uint64_t from_ns)
{
	if (from_ns > s->spec.from_ns)
		s->spec.from_ns = from_ns;
}

static bool in_window(const struct store_scan *s, const struct block_summary *b)
{
	return b->start_max >= s->spec.from_ns && b->start_min <= s->spec.to_ns;
}

static int candidate_add(struct store_scan *s, const struct candidate *c)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		struct candidate *candidates = realloc(s->candidates, cap * sizeof(*candidates));
		if (!candidates)
			return -ENOMEM;
		s->candidates = candidates;
		s->cap = cap;
	}
	s->candidates[s->n++] = *c;
	return 0;
}

// Adds the hour's blocks of a kind. -EIO when a summary was damaged; the others are there.
static int load_kind(struct store_scan *s, enum key_kind kind)
{
	struct db_iter *it = s->view->keys;
	struct key prefix = key_hour(kind, s->spec.entity, s->hour);
	bool valid = db_iter_seek(it, key_slice(&prefix));
	int result = 0;
	for (; valid && key_has_prefix(db_iter_key(it), &prefix); valid = db_iter_next(it)) {
		struct candidate c = {.sealed = kind == KEY_SUMMARY};
		struct slice value = db_iter_value(it);
		struct key_parts parts;
		if (!key_parse(db_iter_key(it), kind, &parts) ||
		    block_summary_decode(value.p, value.len, &c.summary) < 0) {
			result = -EIO;
			continue;
		}
		c.number = parts.number;
		if (in_window(s, &c.summary) && candidate_add(s, &c) < 0)
			return -ENOMEM;
	}
	return view_error(it) < 0 ? -EIO : result;
}

static int cmp_newest(const void *left, const void *right)
{
	const struct candidate *l = left, *r = right;
	if (l->summary.start_max != r->summary.start_max)
		return l->summary.start_max > r->summary.start_max ? -1 : 1;
	return l->number > r->number ? -1 : l->number < r->number;
}

static int cmp_oldest(const void *left, const void *right)
{
	const struct candidate *l = left, *r = right;
	if (l->summary.start_min != r->summary.start_min)
		return l->summary.start_min < r->summary.start_min ? -1 : 1;
	return l->number < r->number ? -1 : l->number > r->number;
}

// Finds the hour after (before) the one the scan is in: 1, 0 at the end, -EIO.
static int next_hour(struct store_scan *s)
{
	uint32_t first = store_hour_of(s->spec.from_ns), last = store_hour_of(s->spec.to_ns);
	uint32_t hour;
	int ret;
	if (s->spec.newest_first) {
		uint32_t to = s->started ? s->hour - 1 : last;
		if ((s->started && s->hour == 0) || to < first)
			return 0;
		ret = view_hour_last(s->view, s->spec.entity, to, &hour);
	} else {
		uint32_t from = s->started ? s->hour + 1 : first;
		if (from < first) // the lower end was raised
			from = first;
		ret = view_hour_first(s->view, s->spec.entity, from, &hour);
	}
	if (ret <= 0 || hour < first || hour > last)
		return ret < 0 ? ret : 0;
	s->hour = hour;
	s->started = true;
	return 1;
}

static int load_hour(struct store_scan *s)
{
	int journal, sealed = 0;
	s->n = s->next = 0;
	if (!s->spec.journal_only)
		sealed = load_kind(s, KEY_SUMMARY);
	journal = load_kind(s, KEY_ARRIVED);
	if (s->n)
		qsort(s->candidates,
		      s->n,
		      sizeof(*s->candidates),
		      s->spec.newest_first ? cmp_newest : cmp_oldest);
	return sealed < 0 ? sealed : journal;
}

static int batch_room(struct store_scan *s, uint32_t n_rows)
{
	if (s->batch && s->batch->cap >= n_rows)
		return 0;
	record_batch_free(s->batch);
	s->batch = record_batch_create(n_rows);
	if (!s->batch)
		return -ENOMEM;
	s->batch->entity = s->spec.entity;
	return 0;
}

static int read_journal(struct store_scan *s, const struct candidate *c)
{
	struct key key = key_block(KEY_JOURNAL, s->spec.entity, s->hour, c->number);
	struct db_iter *it = s->view->values;
	if (!db_iter_seek(it, key_slice(&key)) || !key_is(db_iter_key(it), &key))
		return -EIO;
	struct slice value = db_iter_value(it);
	uint64_t fields = s->spec.fields | s->spec.late; // it is one value: all in one go
	int ret = block_decode(&s->coder, value.p, value.len, fields, s->batch);
	return ret == 0 && s->batch->n_rows != c->summary.n_rows ? -EIO : ret;
}

static int read_column(struct store_scan *s, const struct candidate *c, enum record_field f)
{
	struct key key = key_column(s->spec.entity, s->hour, c->number, (uint8_t)f);
	struct db_iter *it = s->view->values;
	if (!db_iter_seek(it, key_slice(&key)) || !key_is(db_iter_key(it), &key))
		return -EIO;
	struct slice value = db_iter_value(it);
	struct buf bytes = buf_of(value.p, value.len);
	return block_column_decode(
		&s->coder, bytes, f, s->batch, c->summary.n_rows, s->spec.coded >> f & 1
	);
}

// Adds columns to the batch; it is empty when that failed.
static int read_columns(struct store_scan *s, const struct candidate *c, uint64_t fields)
{
	fields &= ~s->loaded;
	if (fields & s->times) // they are kept as distances from the start
		fields |= RECORD_BIT(start_ns) & ~s->loaded;
	for (uint64_t left = fields & c->summary.fields; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		if (f >= RECORD_N_FIELDS)
			break;
		int ret = read_column(s, c, (enum record_field)f);
		if (ret < 0) {
			record_batch_clear(s->batch);
			return ret;
		}
	}
	s->loaded |= fields;
	s->batch->n_rows = c->summary.n_rows;
	return 0;
}

static bool is_whole(const struct store_scan *s, const struct candidate *c)
{
	return c->summary.start_min >= s->spec.from_ns && c->summary.start_max <= s->spec.to_ns;
}

static int read_sealed(struct store_scan *s, const struct candidate *c)
{
	bool start = !s->spec.lean || !is_whole(s, c);
	record_batch_clear(s->batch);
	return read_columns(s, c, s->spec.fields | (start ? RECORD_BIT(start_ns) : 0));
}

int store_scan_add(struct store_scan *s, uint64_t fields)
{
	if (!s->now || !s->now->sealed)
		return 0;
	return read_columns(s, s->now, fields);
}

int store_scan_load(struct store_scan *s)
{
	return store_scan_add(s, s->spec.late);
}

bool store_scan_is_whole(const struct store_scan *s)
{
	return s->now && is_whole(s, s->now);
}

uint64_t store_scan_loaded(const struct store_scan *s)
{
	return s->loaded;
}

// Whether no other scan takes this block. All of them meet the same blocks in the same order.
static bool is_mine(struct store_scan *s)
{
	if (!s->spec.share)
		return true;
	if (!s->claimed)
		s->mine = atomic_fetch_add(s->spec.share, 1);
	s->claimed = s->n_passed++ != s->mine;
	return !s->claimed;
}

// The next block of the hour that can hold rows of the window, or NULL.
static const struct candidate *next_candidate(struct store_scan *s)
{
	while (s->next < s->n) {
		const struct candidate *c = &s->candidates[s->next++];
		if (in_window(s, &c->summary) && is_mine(s))
			return c;
	}
	return NULL;
}

int store_scan_next_mutable(struct store_scan *s, struct record_batch **ret_batch)
{
	const struct candidate *c;
	int ret;
	s->now = NULL;
	while (!(c = next_candidate(s))) {
		ret = s->done ? 0 : next_hour(s);
		if (ret <= 0) {
			s->done = true;
			return ret;
		}
		if ((ret = load_hour(s)) < 0)
			return ret;
	}
	if ((ret = batch_room(s, c->summary.n_rows)) < 0)
		return ret;
	s->loaded = c->sealed ? 0 : ~0ull;
	ret = c->sealed ? read_sealed(s, c) : read_journal(s, c);
	if (ret < 0)
		return ret;
	s->now = c;
	*ret_batch = s->batch;
	return 1;
}

int store_scan_next(struct store_scan *s, const struct record_batch **ret_batch)
{
	struct record_batch *b;
	int ret = store_scan_next_mutable(s, &b);
	if (ret == 1)
		*ret_batch = b;
	return ret;
}
