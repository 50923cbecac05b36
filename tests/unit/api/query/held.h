// SPDX-License-Identifier: Apache-2.0
#pragma once

// A store whose rows are partly sealed and partly in the journal, and beside it every row.

#include "api/query/run.h"
#include "collector/store/store.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#define HELD_ENTITY 1
#define HELD_ROWS 4000

struct held {
	char dir[64], scratch[80];
	char error[STORE_ERROR_LEN];
	struct store *store;
	struct store_reader *reader;
	struct store_view *view;
	struct record_batch *all;
	struct window window; // every hour
	struct query_stop stop;
};

static inline void held_commit(struct held *h, struct record_batch *b)
{
	struct record r;
	b->entity = HELD_ENTITY;
	for (uint32_t i = 0; i < b->n_rows; i++) {
		record_batch_get(b, i, &r);
		assert_int_equal(record_batch_add(h->all, &r), 0);
	}
	if (store_commit(h->store, &b, 1, h->error) < 0)
		fail_msg("%s", h->error);
	record_batch_free(b);
}

static inline void held_look(struct held *h)
{
	char error[STORE_READ_ERROR_LEN];
	if (!h->reader && store_reader_open(h->dir, h->scratch, &h->reader, error) < 0)
		fail_msg("%s", error);
	assert_int_equal(store_reader_refresh(h->reader, 0), 0);
	store_view_close(h->view);
	h->view = store_view_open(h->reader);
	assert_non_null(h->view);
}

static inline void held_seal(struct held *h)
{
	assert_true(store_seal(h->store, UINT64_MAX, true, h->error) >= 0);
}

static inline int held_set_up(void **state)
{
	struct held *h = calloc(1, sizeof(*h));
	rows_dir(h->dir);
	snprintf(h->scratch, sizeof(h->scratch), "%s.reader", h->dir);
	struct store_options o = {.dir = h->dir, .block_rows = 150};
	if (store_open(&o, &h->store, h->error) < 0)
		fail_msg("%s", h->error);
	h->all = record_batch_create(HELD_ROWS);
	h->stop.deadline_ns = UINT64_MAX;
	h->window.from_ns = store_hour_start(ROWS_HOUR);
	h->window.to_ns = store_hour_start(ROWS_HOUR + 3) - 1;
	held_commit(h, rows_batch(HELD_ENTITY, ROWS_HOUR, 700));
	held_commit(h, rows_batch(HELD_ENTITY, ROWS_HOUR + 1, 400));
	held_seal(h);
	held_commit(h, rows_batch(HELD_ENTITY, ROWS_HOUR + 1, 200));
	held_commit(h, rows_batch(HELD_ENTITY, ROWS_HOUR + 2, 300));
	held_look(h);
	*state = h;
	return 0;
}

static inline int held_tear_down(void **state)
{
	struct held *h = *state;
	store_view_close(h->view);
	store_reader_close(h->reader);
	store_close(h->store);
	record_batch_free(h->all);
	rows_dir_remove(h->dir);
	rows_dir_remove(h->scratch);
	free(h);
	return 0;
}

static inline struct run held_run(struct held *h)
{
	return (struct run){h->view, HELD_ENTITY, &h->window, &h->stop};
}
