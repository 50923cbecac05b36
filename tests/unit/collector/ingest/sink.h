// SPDX-License-Identifier: Apache-2.0
#pragma once

// The committer of the ingest tests: it keeps the rows it is given for a look at them, and can
// stand still. Thread: take and push from any ingest thread; the rest the test's.

#include "collector/commit.h"
#include "tests/unit/cmocka.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct commit {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	uint32_t batch_rows;
	uint32_t n_out;	  // batches taken and not yet pushed
	bool is_stuck;	  // who takes waits
	bool is_counting; // rows are counted and forgotten
	uint64_t n_rows;
	struct record_batch **batches;
	size_t n_batches, cap;
	size_t n_hits;					      // told of
	struct hit hit;					      // the last one, without texts
	char value[HIT_TEXT_MAX + 1], feed[HIT_TEXT_MAX + 1]; // its texts
};

static inline void sink_init(struct commit *c, uint32_t batch_rows)
{
	*c = (struct commit){.batch_rows = batch_rows, .cap = 1 << 16};
	c->batches = calloc(c->cap, sizeof(struct record_batch *));
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->moved, NULL);
}

// Forgets the rows.
static inline void sink_clear(struct commit *c)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->n_batches; i++)
		record_batch_free(c->batches[i]);
	c->n_batches = 0;
	c->n_rows = 0;
	pthread_mutex_unlock(&c->lock);
}

static inline void sink_fini(struct commit *c)
{
	assert_int_equal(c->n_out, 0); // every batch came back
	sink_clear(c);
	free(c->batches);
	c->batches = NULL;
	pthread_cond_destroy(&c->moved);
	pthread_mutex_destroy(&c->lock);
}

static inline uint64_t sink_rows(struct commit *c)
{
	pthread_mutex_lock(&c->lock);
	uint64_t n = c->n_rows;
	pthread_mutex_unlock(&c->lock);
	return n;
}

static inline void sink_stick(struct commit *c, bool is_stuck)
{
	pthread_mutex_lock(&c->lock);
	c->is_stuck = is_stuck;
	pthread_cond_broadcast(&c->moved);
	pthread_mutex_unlock(&c->lock);
}

// The row pushed as the n-th, and the entity of its batch (may be NULL).
static inline struct record sink_row(struct commit *c, uint64_t n, uint16_t *ret_entity)
{
	struct record r = {};
	bool found = false;
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->n_batches && !found; i++) {
		const struct record_batch *b = c->batches[i];
		found = n < b->n_rows;
		if (found) {
			record_batch_get(b, (uint32_t)n, &r);
			if (ret_entity)
				*ret_entity = b->entity;
		}
		n -= b->n_rows;
	}
	pthread_mutex_unlock(&c->lock);
	assert_true(found);
	return r;
}

struct record_batch *commit_take(struct commit *c, uint16_t entity)
{
	pthread_mutex_lock(&c->lock);
	while (c->is_stuck)
		pthread_cond_wait(&c->moved, &c->lock);
	c->n_out++;
	pthread_mutex_unlock(&c->lock);
	struct record_batch *b = record_batch_create(c->batch_rows);
	if (!b)
		abort();
	b->entity = entity;
	return b;
}

bool commit_hit(struct commit *c, const struct hit *h)
{
	pthread_mutex_lock(&c->lock);
	c->n_hits++;
	c->hit = *h;
	snprintf(
		c->value, sizeof(c->value), "%.*s", h->texts[HIT_VALUE].len, h->texts[HIT_VALUE].p
	);
	snprintf(c->feed, sizeof(c->feed), "%.*s", h->texts[HIT_FEED].len, h->texts[HIT_FEED].p);
	pthread_mutex_unlock(&c->lock);
	return true;
}

void commit_push(struct commit *c, struct record_batch *b)
{
	pthread_mutex_lock(&c->lock);
	c->n_out--;
	c->n_rows += b->n_rows;
	if (c->is_counting) {
		record_batch_free(b);
	} else {
		c->batches[c->n_batches++] = b;
		if (c->n_batches == c->cap)
			abort(); // more than a test can want to look at
	}
	pthread_mutex_unlock(&c->lock);
}
