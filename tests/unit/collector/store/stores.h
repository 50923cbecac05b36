// SPDX-License-Identifier: Apache-2.0
#pragma once

// A store in a throw-away folder, its reader and a view, as a test's fixture. Rows carry a serial
// number (in `domain`), so that each row is known again wherever it turns up.

#include "collector/store/key.h"
#include "collector/store/read.h"
#include "collector/store/store.h"
#include "tests/unit/collector/store/rows.h"

#include <errno.h>

struct stores {
	char dir[64], scratch[80];
	char error[STORE_ERROR_LEN];
	struct store_options options; // the folder is set by stores_open
	struct store *store;
	struct store_reader *reader;
	struct store_view *view; // closed before the reader, whatever happens
	uint32_t next_serial;
};

static inline int stores_try_open(struct stores *f)
{
	f->options.dir = f->dir;
	return store_open(&f->options, &f->store, f->error);
}

static inline void stores_open(struct stores *f)
{
	if (stores_try_open(f) < 0)
		fail_msg("%s", f->error);
}

static inline void stores_close(struct stores *f)
{
	store_view_close(f->view);
	store_reader_close(f->reader);
	store_close(f->store);
	f->view = NULL;
	f->reader = NULL;
	f->store = NULL;
}

static inline int stores_set_up(void **state)
{
	struct stores *f = calloc(1, sizeof(*f));
	rows_dir(f->dir);
	snprintf(f->scratch, sizeof(f->scratch), "%s.reader", f->dir);
	f->options.block_rows = 700;
	stores_open(f);
	*state = f;
	return 0;
}

static inline int stores_tear_down(void **state)
{
	struct stores *f = *state;
	stores_close(f);
	rows_dir_remove(f->dir);
	rows_dir_remove(f->scratch);
	free(f);
	return 0;
}

// A view of what is committed now.
static inline struct store_view *stores_view(struct stores *f)
{
	char error[STORE_READ_ERROR_LEN];
	if (!f->reader && store_reader_open(f->dir, f->scratch, &f->reader, error) < 0)
		fail_msg("%s", error);
	assert_int_equal(store_reader_refresh(f->reader, 0), 0);
	store_view_close(f->view);
	f->view = store_view_open(f->reader);
	assert_non_null(f->view);
	return f->view;
}

// n rows with the next serial numbers, in random hours of the first n_hours; the caller frees them.
static inline struct record_batch *
stores_rows(struct stores *f, uint16_t entity, uint32_t n_hours, uint32_t n)
{
	struct record_batch *b = record_batch_create(n);
	assert_non_null(b);
	b->entity = entity;
	for (uint32_t i = 0; i < n; i++) {
		struct record r = rows_record(ROWS_HOUR + (uint32_t)rows_below(n_hours));
		RECORD_SET(&r, domain, f->next_serial++);
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	return b;
}

// Commits n such rows.
static inline void stores_commit(struct stores *f, uint16_t entity, uint32_t n_hours, uint32_t n)
{
	struct record_batch *b = stores_rows(f, entity, n_hours, n);
	int ret = store_commit(f->store, &b, 1, f->error);
	record_batch_free(b);
	if (ret < 0)
		fail_msg("%s", f->error);
}

static inline void stores_seal(struct stores *f)
{
	if (store_seal(f->store, 0, true, f->error) < 0)
		fail_msg("%s", f->error);
}

// Turns over a bit in the middle of a stored value; the store must be closed.
static inline void stores_damage(struct stores *f, const struct key *k)
{
	char path[80], error[DB_ERROR_LEN];
	struct db *db;
	snprintf(path, sizeof(path), "%s/db", f->dir);
	if (db_open(path, 64 << 20, DB_WAL_STRICT, &db, error) < 0)
		fail_msg("%s", error);
	struct db_iter *it = db_iter_open(db, NULL, false);
	struct db_batch *b = db_batch_create();
	assert_true(db_iter_seek(it, key_slice(k)) && key_is(db_iter_key(it), k));
	struct slice value = db_iter_value(it);
	uint8_t *copy = malloc(value.len);
	memcpy(copy, value.p, value.len);
	copy[value.len / 2] ^= 4;
	db_batch_put(b, key_slice(k), (struct slice){copy, value.len});
	db_iter_close(it);
	assert_int_equal(db_write(db, b, true, error), 0);
	db_batch_free(b);
	db_close(db);
	free(copy);
}

// Deletes all keys of a kind, as if the store was of a release that did not know it; the store must
// be closed.
static inline void stores_forget(struct stores *f, enum key_kind kind)
{
	char path[80], error[DB_ERROR_LEN];
	uint8_t from = (uint8_t)kind, to = (uint8_t)(from + 1);
	struct db *db;
	snprintf(path, sizeof(path), "%s/db", f->dir);
	if (db_open(path, 64 << 20, DB_WAL_STRICT, &db, error) < 0)
		fail_msg("%s", error);
	struct db_batch *b = db_batch_create();
	db_batch_del_range(b, (struct slice){&from, 1}, (struct slice){&to, 1});
	assert_int_equal(db_write(db, b, true, error), 0);
	db_batch_free(b);
	db_close(db);
}

// Which serial numbers a scan of everything finds.
struct serials {
	uint32_t n;	 // rows seen
	uint32_t beyond; // the largest + 1
	bool twice;	 // one was seen more than once
	uint8_t *seen;
	uint32_t cap;
};

static inline void serials_fini(struct serials *s)
{
	free(s->seen);
	*s = (struct serials){0};
}

static inline void serials_add(struct serials *s, uint32_t serial)
{
	if (serial >= s->cap) {
		uint32_t cap = serial * 2 + 1024;
		s->seen = realloc(s->seen, cap);
		assert_non_null(s->seen);
		memset(s->seen + s->cap, 0, cap - s->cap);
		s->cap = cap;
	}
	s->n++;
	s->twice |= s->seen[serial];
	s->seen[serial] = 1;
	s->beyond = serial >= s->beyond ? serial + 1 : s->beyond;
}

// Adds the rows of an entity. 0, or -EIO when a block was damaged.
static inline int serials_scan(struct serials *s, struct store_view *v, uint16_t entity)
{
	struct store_scan_spec spec = {
		.entity = entity, .to_ns = UINT64_MAX, .fields = RECORD_BIT(domain)};
	const struct record_batch *b;
	struct store_scan *scan;
	int ret, damaged = 0;
	assert_int_equal(store_scan_open(v, &spec, &scan), 0);
	while ((ret = store_scan_next(scan, &b)) != 0) {
		const uint32_t *domain = ret > 0 ? RECORD_COLUMN(b, domain) : NULL;
		for (uint32_t i = 0; ret > 0 && i < b->n_rows; i++)
			serials_add(s, domain ? domain[i] : 0);
		damaged = ret < 0 ? ret : damaged;
	}
	store_scan_close(scan);
	return damaged;
}

// That exactly the rows 0 to n - 1 are there, each once: n.
static inline uint32_t serials_assert_prefix(const struct serials *s)
{
	assert_false(s->twice);
	assert_int_equal(s->n, s->beyond);
	return s->n;
}
