// SPDX-License-Identifier: Apache-2.0
#include "collector/store/hit_row.h"
#include "collector/store/key.h"
#include "collector/store/witness.h"

#include <errno.h>
#include <sys/statvfs.h>

// One commit on its way.
struct commit_state {
	struct store *store;
	struct commit_mark mark; // as it will be
	uint32_t first_hour, last_hour;
};

static int add_block(struct commit_state *c, uint32_t hour, const struct column_rows *rows)
{
	struct store *s = c->store;
	uint16_t entity = rows->batch->entity;
	struct key block = key_block(KEY_JOURNAL, entity, hour, c->mark.next_number);
	struct key arrived = key_block(KEY_ARRIVED, entity, hour, c->mark.next_number);
	struct block_summary summary;
	uint8_t bytes[BLOCK_SUMMARY_LEN];

	s->value.len = 0;
	s->value.bad = false;
	int ret = block_encode(&s->coder, &s->value, rows, &summary);
	if (ret < 0)
		return ret;
	block_summary_encode(&summary, bytes);
	db_batch_put(s->batch, key_slice(&block), (struct slice){s->value.p, s->value.len});
	db_batch_put(s->batch, key_slice(&arrived), (struct slice){bytes, sizeof(bytes)});
	c->mark.next_number++;
	c->mark.rows += rows->n;
	c->first_hour = hour < c->first_hour ? hour : c->first_hour;
	c->last_hour = hour > c->last_hour ? hour : c->last_hour;
	return 0;
}

// Room for a sort key per row, and behind them for the row numbers they give.
static int order_room(struct store *s, uint32_t n)
{
	if (n <= s->order_cap)
		return 0;
	uint64_t *order = realloc(s->order, 2 * (size_t)n * sizeof(*order));
	if (!order)
		return -ENOMEM;
	s->order = order;
	s->order_cap = n;
	return 0;
}

static int cmp_order(const void *left, const void *right)
{
	const uint64_t *l = left, *r = right;
	return *l < *r ? -1 : *l > *r;
}

// Sorts the rows by hour, within an hour as they came. True when all are of one hour.
static bool sort_rows(struct store *s, const struct record_batch *b, uint32_t *rows)
{
	const uint64_t *start = RECORD_COLUMN(b, start_ns);
	bool same = true;
	for (uint32_t i = 0; i < b->n_rows; i++) {
		uint32_t hour = store_hour_of(start ? start[i] : 0);
		s->order[i] = (uint64_t)hour << 32 | i;
		same &= s->order[i] >> 32 == s->order[0] >> 32;
	}
	if (!same)
		qsort(s->order, b->n_rows, sizeof(*s->order), cmp_order);
	for (uint32_t i = 0; i < b->n_rows; i++)
		rows[i] = (uint32_t)s->order[i];
	return same;
}

static int add_batch(struct commit_state *c, const struct record_batch *b)
{
	struct store *s = c->store;
	if (order_room(s, b->n_rows) < 0)
		return -ENOMEM;
	uint32_t *rows = (uint32_t *)(s->order + s->order_cap);
	bool same = sort_rows(s, b, rows);
	for (uint32_t from = 0, to; from < b->n_rows; from = to) {
		uint64_t hour = s->order[from] >> 32;
		for (to = from + 1; to < b->n_rows && to - from < JOURNAL_ROWS_MAX; to++) {
			if (s->order[to] >> 32 != hour)
				break;
		}
		bool whole = same && to - from == b->n_rows;
		struct column_rows chunk = {b, whole ? NULL : rows + from, to - from};
		int ret = add_block(c, (uint32_t)hour, &chunk);
		if (ret < 0)
			return ret;
	}
	return 0;
}

// What an acknowledged commit changes beside the database.
static void finish(struct commit_state *c, uint64_t start_ns)
{
	struct store *s = c->store;
	uint64_t rows = c->mark.rows - s->mark.rows;
	s->mark = c->mark;
	witness_write(s->witness_fd, &s->mark);
	store_span_add(s, c->first_hour);
	store_span_add(s, c->last_hour);
	s->journal_rows += rows;
	s->total_rows += rows;
	s->committed_rows += rows;
	s->commits++;
	s->commit_ns += clock_mono_ns() - start_ns;
}

// Writes rows and hits together. The hits' lock is held from their reading to the end of the write.
static int write_all(
	struct store *s, const struct hit *hits, size_t n_hits, char error[static STORE_ERROR_LEN]
)
{
	char words[DB_ERROR_LEN] = "";
	int ret = 0;
	if (n_hits == 0) {
		ret = db_write(s->db, s->batch, true, words);
	} else {
		pthread_mutex_lock(&s->hits);
		uint64_t number = s->hits_number;
		ret = hits_lay(s, s->batch, hits, n_hits);
		if (ret == 0)
			ret = db_write(s->db, s->batch, true, words);
		if (ret < 0)
			s->hits_number = number;
		pthread_mutex_unlock(&s->hits);
	}
	return ret < 0 ? store_fail(ret, error, "commit: %s", *words ? words : strerror(-ret)) : 0;
}

// A disk that is full to the last byte would stop compaction and sealing, too.
static int check_room(const struct store *s, char error[static STORE_ERROR_LEN])
{
	struct statvfs fs;
	if (s->options.reserve == 0 || statvfs(s->dir, &fs) < 0)
		return 0;
	uint64_t avail = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (avail >= s->options.reserve)
		return 0;
	return store_fail(
		-ENOSPC,
		error,
		"%s: %llu MiB are free, collector.reserve is %llu",
		s->dir,
		(unsigned long long)(avail >> 20),
		(unsigned long long)(s->options.reserve >> 20)
	);
}

int store_commit(
	struct store *s,
	struct record_batch *const *batches,
	size_t n,
	char error[static STORE_ERROR_LEN]
)
{
	return store_commit_hits(s, batches, n, NULL, 0, error);
}

int store_commit_hits(
	struct store *s,
	struct record_batch *const *batches,
	size_t n,
	const struct hit *hits,
	size_t n_hits,
	char error[static STORE_ERROR_LEN]
)
{
	struct commit_state c = {.store = s, .mark = s->mark, .first_hour = UINT32_MAX};
	uint64_t start_ns = clock_mono_ns();
	int ret = check_room(s, error);
	if (ret < 0)
		return ret;
	db_batch_clear(s->batch);
	for (size_t i = 0; i < n && ret == 0; i++)
		ret = add_batch(&c, batches[i]);
	if (ret < 0)
		return store_fail(ret, error, "commit: %s", strerror(-ret));
	if (c.mark.rows == s->mark.rows)
		return 0;
	c.mark.commits++;
	witness_mark_put(s->batch, "commit", &c.mark);
	pthread_mutex_lock(&s->hours);
	ret = write_all(s, hits, n_hits, error);
	if (ret == 0)
		finish(&c, start_ns);
	pthread_mutex_unlock(&s->hours);
	return ret;
}
