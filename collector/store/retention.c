// SPDX-License-Identifier: Apache-2.0
#include "collector/store/retention.h"

#include "collector/store/changes.h"
#include "collector/store/key.h"
#include "collector/store/table.h"
#include "collector/store/view.h"
#include "collector/store/witness.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#define WORTH_COMPACTING ((uint64_t)64 << 10) // bytes in files that a deleted range still covers

// Everything that belongs to an hour.
static const enum key_kind kinds[] = {
	KEY_ADDRS,
	KEY_SUMMARY,
	KEY_COLUMN,
	KEY_HOUR,
	KEY_ARRIVED,
	KEY_JOURNAL,
	KEY_NAMES,
	KEY_PORTS,
	KEY_HIT,
	KEY_INDEX,
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct range {
	struct key from, to;
};

// A removal on its way: all hours up to `hour`.
struct removal {
	struct store *store;
	struct store_view *view;
	struct db_batch *batch;
	uint32_t hour;
	struct range *ranges;
	size_t n_ranges, cap;
	uint64_t journal_rows, sealed_rows;
	uint32_t hours, next_hour; // what stays begins here; UINT32_MAX: nothing does
};

static struct range range_of(enum key_kind kind, uint16_t entity, uint32_t hour)
{
	return (struct range){key_hour(kind, entity, 0), key_hour(kind, entity, hour + 1)};
}

// The rows an entry tells of, as an opening store counts them: damaged ones are none.
static uint64_t rows_of(enum key_kind kind, struct slice value, uint64_t *ret_len)
{
	struct block_summary block;
	struct table_hour hour;
	*ret_len = 0;
	if (kind == KEY_HOUR)
		return table_hour_decode(value, &hour) == 0 ? hour.totals.flows : 0;
	if (block_summary_decode(value.p, value.len, &block) < 0)
		return 0;
	*ret_len = block.len;
	return block.n_rows;
}

struct sums {
	uint64_t rows, bytes;
};

// Adds up what the entries of a kind tell of in the hours from..to.
static int
sum(struct store_view *v, enum key_kind kind, struct key_parts from, uint32_t to, struct sums *sums)
{
	struct key key = key_hour(kind, from.entity, from.hour);
	struct key_parts at;
	bool valid = db_iter_seek(v->keys, key_slice(&key));
	for (; valid && key_parse(db_iter_key(v->keys), kind, &at) && at.entity == from.entity &&
	       at.hour <= to;
	     valid = db_iter_next(v->keys)) {
		uint64_t len;
		sums->rows += rows_of(kind, db_iter_value(v->keys), &len);
		sums->bytes += len;
	}
	return view_error(v->keys);
}

static int range_add(struct removal *r, struct range range)
{
	if (r->n_ranges == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 64;
		struct range *ranges = realloc(r->ranges, cap * sizeof(*ranges));
		if (!ranges)
			return -ENOMEM;
		r->ranges = ranges;
		r->cap = cap;
	}
	r->ranges[r->n_ranges++] = range;
	db_batch_del_range(r->batch, key_slice(&range.from), key_slice(&range.to));
	return 0;
}

// The ranges of an entity that have something in them, and what that is.
static int add_entity(struct removal *r, uint16_t entity)
{
	struct db_iter *keys = r->view->keys;
	uint32_t hour = 0;
	int ret = 0;
	for (size_t i = 0; i < N_KINDS && ret == 0; i++) {
		struct range range = range_of(kinds[i], entity, r->hour);
		struct key_parts at;
		if (!db_iter_seek(keys, key_slice(&range.from)))
			ret = view_error(keys);
		else if (key_parse(db_iter_key(keys), kinds[i], &at) && at.entity == entity && at.hour <= r->hour)
			ret = range_add(r, range);
	}
	while (ret == 0 && (ret = view_hour_first(r->view, entity, hour, &hour)) > 0) {
		if (hour > r->hour) {
			r->next_hour = hour < r->next_hour ? hour : r->next_hour;
			ret = 0;
			break;
		}
		r->hours++;
		ret = hour++ == UINT32_MAX;
	}
	struct key_parts first = {.entity = entity};
	struct sums sealed = {0}, journal = {0};
	if (ret == 0)
		ret = sum(r->view, KEY_HOUR, first, r->hour, &sealed);
	if (ret == 0)
		ret = sum(r->view, KEY_ARRIVED, first, r->hour, &journal);
	r->sealed_rows += sealed.rows;
	r->journal_rows += journal.rows;
	return ret;
}

// What is gone counts as known to be gone, in the same write.
static int write_removal(struct removal *r, char error[static STORE_ERROR_LEN])
{
	struct store *s = r->store;
	struct commit_mark gone = s->gone;
	char words[DB_ERROR_LEN];
	uint64_t rows = r->journal_rows + r->sealed_rows;
	gone.rows += rows;
	witness_mark_put(r->batch, "gone", &gone);
	int ret = db_write(s->db, r->batch, true, words);
	if (ret < 0)
		return store_fail(ret, error, "retention: %s", words);
	s->gone = gone;
	s->journal_rows -= r->journal_rows;
	s->total_rows -= rows;
	atomic_store(&s->first_hour, r->next_hour);
	if (r->next_hour == UINT32_MAX)
		atomic_store(&s->last_hour, 0);
	return 0;
}

// What there is to remove, and the deletions that do it.
static int gather(struct removal *r)
{
	int ret = 0;
	db_batch_clear(r->batch);
	r->n_ranges = 0;
	r->journal_rows = r->sealed_rows = r->hours = 0;
	r->next_hour = UINT32_MAX;
	r->view = view_open(r->store->db, true);
	if (!r->view)
		return -ENOMEM;
	for (unsigned e = 0; e < r->store->n_entities && ret == 0; e++)
		ret = add_entity(r, (uint16_t)e);
	store_view_close(r->view);
	return ret;
}

// Readers keep rows they have read from a WAL until they meet another one that is in use (see
// store.c, settle). Before hours are deleted those must be in files, and the deletions must be seen
// before a compaction forgets them: else a reader would show what it once read.
static void settle(struct store *s)
{
	char words[DB_ERROR_LEN];
	struct db_batch *b = db_batch_create();
	if (!b)
		return;
	witness_mark_put(b, "gone", &s->gone);
	int ret = db_write(s->db, b, true, words);
	if (ret == 0)
		ret = db_flush(s->db, words);
	if (ret == 0)
		ret = db_write(s->db, b, true, words);
	(void)ret; // what the disk refuses is said by the next write that matters
	db_batch_free(b);
}

// Gives the space back: files that lie in a range go as they are, the rest is rewritten without it.
// Many ranges may share a file, which is rewritten for the first of them only.
static void give_back(struct removal *r)
{
	struct db *db = r->store->db;
	for (size_t i = 0; i < r->n_ranges; i++) {
		const struct range *g = &r->ranges[i];
		db_delete_files(db, key_slice(&g->from), key_slice(&g->to));
	}
	for (size_t i = 0; i < r->n_ranges; i++) {
		const struct range *g = &r->ranges[i];
		struct slice from = key_slice(&g->from), to = key_slice(&g->to);
		if (i == 0 || db_range_len(db, from, to) >= WORTH_COMPACTING)
			db_compact(db, from, to);
	}
}

static int remove_until(
	struct store *s,
	uint32_t hour,
	struct store_expired *expired,
	char error[static STORE_ERROR_LEN]
)
{
	struct removal r = {.store = s, .hour = hour};
	r.batch = db_batch_create();
	if (!r.batch)
		return -ENOMEM;
	int ret = gather(&r);
	if (ret == 0 && r.n_ranges) {
		settle(s);
		pthread_mutex_lock(&s->hours); // no row joins an hour between its count and its end
		ret = gather(&r);
		if (ret == 0)
			ret = write_removal(&r, error);
		pthread_mutex_unlock(&s->hours);
	}
	db_batch_free(r.batch);
	if (ret == 0 && r.n_ranges) {
		changes_bump(s->changes_fd);
		settle(s);
		give_back(&r);
		settle(s);
		expired->rows += r.journal_rows + r.sealed_rows;
		expired->hours += r.hours;
		expired->before_hour = hour + 1;
	}
	free(r.ranges);
	return ret;
}

// What the store takes too much of: by its size, or by what is free.
static uint64_t excess(struct store *s, const struct store_retention *limits)
{
	struct statvfs fs;
	struct store_stats stats;
	uint64_t over = 0;
	if (limits->size) {
		store_stats(s, &stats);
		over = stats.size > limits->size ? stats.size - limits->size : 0;
	}
	if (limits->free && statvfs(s->dir, &fs) == 0) {
		uint64_t avail = (uint64_t)fs.f_bavail * fs.f_frsize;
		if (avail < limits->free && limits->free - avail > over)
			over = limits->free - avail;
	}
	return over;
}

// The bytes of an hour, rather too many than too few: what its blocks say, before compression, and
// its tables in the files.
static uint64_t hour_len(struct store *s, struct store_view *v, uint16_t entity, uint32_t hour)
{
	static const enum key_kind tables[] = {KEY_ADDRS, KEY_INDEX, KEY_NAMES, KEY_HIT, KEY_PORTS};
	struct key_parts at = {.entity = entity, .hour = hour};
	struct sums sums = {0};
	// What cannot be read is met again, and said, where it is removed.
	if (sum(v, KEY_SUMMARY, at, hour, &sums) < 0 || sum(v, KEY_ARRIVED, at, hour, &sums) < 0)
		return sums.bytes;
	uint64_t len = sums.bytes;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		struct key from = key_hour(tables[i], entity, hour);
		struct key to = key_hour(tables[i], entity, hour + 1);
		len += db_range_len(s->db, key_slice(&from), key_slice(&to));
	}
	return len;
}

// The oldest hour >= from of any entity: 1, 0 when it is the running one or none, -EIO.
static int oldest_hour(
	struct store *s, struct store_view *v, uint32_t from, uint32_t running, uint32_t *ret_hour
)
{
	uint32_t best = running, hour;
	int ret = 0;
	for (unsigned e = 0; e < s->n_entities && ret >= 0; e++) {
		ret = view_hour_first(v, (uint16_t)e, from, &hour);
		if (ret > 0 && hour < best)
			best = hour;
	}
	*ret_hour = best;
	return ret < 0 ? ret : best < running;
}

// The last hour that must go so that so many bytes come free: 1, 0 when none may, -errno.
static int hour_for(struct store *s, uint64_t bytes, uint32_t running, uint32_t *ret_hour)
{
	struct store_view *v = view_open(s->db, true);
	uint32_t from = 0, hour;
	uint64_t got = 0;
	int ret = 0, found = 0;
	if (!v)
		return -ENOMEM;
	while (got < bytes && (ret = oldest_hour(s, v, from, running, &hour)) > 0) {
		for (unsigned e = 0; e < s->n_entities; e++)
			got += hour_len(s, v, (uint16_t)e, hour);
		*ret_hour = hour;
		from = hour + 1;
		found = 1;
	}
	store_view_close(v);
	return ret < 0 ? ret : found;
}

int store_retain(
	struct store *s,
	const struct store_retention *limits,
	uint64_t now_ns,
	struct store_expired *ret_expired,
	char error[static STORE_ERROR_LEN]
)
{
	uint32_t running = store_hour_of(now_ns), hour;
	int ret = 0;
	error[0] = 0;
	*ret_expired = (struct store_expired){0};
	if (limits->age_ns && limits->age_ns < now_ns) {
		uint32_t kept = store_hour_of(now_ns - limits->age_ns);
		if (kept > 0 && s->first_hour < kept)
			ret = remove_until(s, kept - 1, ret_expired, error);
	}
	uint64_t bytes = ret == 0 ? excess(s, limits) : 0;
	if (bytes && (ret = hour_for(s, bytes, running, &hour)) > 0)
		ret = remove_until(s, hour, ret_expired, error);
	if (ret < 0 && !error[0])
		return store_fail(ret, error, "retention: %s", strerror(-ret));
	return ret;
}
