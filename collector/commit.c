// SPDX-License-Identifier: Apache-2.0
#include "collector/commit.h"

#include "collector/intel/told.h"
#include "lib/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define RETRY_SEC 1

// Batches on their way, each with what the intelligence says of it.
struct load {
	struct record_batch **batches;
	struct gate_pass *passes;
	uint32_t n;
};

struct commit {
	struct commit_options options;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t freed;  // a batch came back
	pthread_cond_t pushed; // a batch waits, or stop was asked for
	struct record_batch **all;
	struct record_batch **free; // a stack
	uint32_t n_free;
	struct load waiting;
	struct told *told;
	bool is_writing;
	uint64_t n_pushed, n_done; // batches, in this order
	uint64_t failed_from;	   // number of the first one that was given up; UINT64_MAX: none
	uint64_t n_tries;	   // of writes
	uint64_t n_tries_seen;	   // at the last look,
	bool was_busy;		   // and whether there was something to write
	bool hurry;
	bool stop;
	_Atomic int state; // enum commit_state
};

static int load_init(struct load *l, uint32_t cap)
{
	l->batches = calloc(cap, sizeof(struct record_batch *));
	l->passes = calloc(cap, sizeof(*l->passes));
	return l->batches && l->passes ? 0 : -ENOMEM;
}

static void load_fini(struct load *l)
{
	free(l->batches);
	free(l->passes);
}

static uint64_t rows_of(const struct load *l)
{
	uint64_t rows = 0;
	for (uint32_t i = 0; i < l->n; i++)
		rows += l->batches[i]->n_rows;
	return rows;
}

// The hits of all batches and those that were told of, in *ret_hits (the caller's to free). Without
// memory there are none, and the rows still say what they matched.
static size_t hits_of(struct commit *c, const struct load *l, struct hit **ret_hits)
{
	pthread_mutex_lock(&c->lock);
	size_t n = told_n(c->told);
	for (uint32_t i = 0; i < l->n; i++)
		n += l->passes[i].hits ? l->passes[i].hits->n : 0;
	*ret_hits = n ? malloc(n * sizeof(**ret_hits)) : NULL;
	n = *ret_hits ? told_take(c->told, *ret_hits) : 0;
	pthread_mutex_unlock(&c->lock);
	for (uint32_t i = 0; *ret_hits && i < l->n; i++)
		n += gate_hits(&l->passes[i], l->batches[i], *ret_hits + n);
	return n;
}

// After a write: it was tried. True when the end of the program forbids another.
static bool count_try(struct commit *c)
{
	pthread_mutex_lock(&c->lock);
	c->n_tries++;
	bool hurry = c->hurry;
	pthread_mutex_unlock(&c->lock);
	return hurry;
}

// What the last write tells: said when it changes.
static void set_state(struct commit *c, int ret, uint64_t rows, const char *error)
{
	int state = ret == 0 ? COMMIT_OK : ret == -ENOSPC ? COMMIT_NO_SPACE : COMMIT_REFUSED;
	int was = atomic_exchange(&c->state, state);
	if (was == COMMIT_OK && state != COMMIT_OK)
		ledger_add(c->options.ledger, LEDGER_intake_stops, 1);
	if (state != COMMIT_OK && state != was)
		log_err("%s: intake waits, %llu records wait with it: %s",
			state == COMMIT_NO_SPACE ? "no space" : "commit failed",
			(unsigned long long)rows,
			error);
	if (state == COMMIT_OK && was != COMMIT_OK)
		log_info("the store takes records again: intake goes on");
}

bool commit_is_idle(struct commit *c)
{
	pthread_mutex_lock(&c->lock);
	bool idle = c->n_free == c->options.n_batches;
	pthread_mutex_unlock(&c->lock);
	return idle;
}

enum commit_state commit_state(struct commit *c)
{
	return (enum commit_state)atomic_load(&c->state);
}

// Writes the batches, trying again as long as the store refuses (a full disk may be enlarged):
// meanwhile the batches in use run out and back-pressure holds the intake. False: given up.
static bool write_all(struct commit *c, const struct load *l, const struct hit *hits, size_t n_hits)
{
	uint64_t rows = rows_of(l);
	for (;;) {
		char error[STORE_ERROR_LEN] = "";
		int ret = l->n ? store_commit_hits(
					 c->options.store, l->batches, l->n, hits, n_hits, error
				 )
			       : store_hits_add(c->options.store, hits, n_hits, error);
		bool hurry = count_try(c);
		set_state(c, ret, rows, error);
		if (ret == 0) {
			ledger_add(c->options.ledger, LEDGER_stored, rows);
			return true;
		}
		if (hurry) {
			ledger_add(c->options.ledger, LEDGER_store_failed, rows);
			return false;
		}
		nanosleep(&(struct timespec){.tv_sec = RETRY_SEC}, NULL);
	}
}

static void give_back(struct commit *c, const struct load *l, bool is_stored)
{
	for (uint32_t i = 0; i < l->n; i++) {
		gate_release(&l->passes[i]);
		record_batch_clear(l->batches[i]);
	}
	pthread_mutex_lock(&c->lock);
	for (uint32_t i = 0; i < l->n; i++)
		c->free[c->n_free++] = l->batches[i];
	if (!is_stored && c->failed_from > c->n_done)
		c->failed_from = c->n_done;
	c->n_done += l->n;
	c->is_writing = false;
	pthread_cond_broadcast(&c->freed);
	pthread_mutex_unlock(&c->lock);
}

// One turn: all that waits in one synced commit. While it is written the next ones gather, so that
// the group grows with the load.
static void *commit_main(void *arg)
{
	struct commit *c = arg;
	struct load mine = {};
	if (load_init(&mine, c->options.n_batches) < 0)
		abort();
	for (;;) {
		pthread_mutex_lock(&c->lock);
		while (c->waiting.n == 0 && told_n(c->told) == 0 && !c->stop)
			pthread_cond_wait(&c->pushed, &c->lock);
		struct load taken = c->waiting;
		c->waiting = mine;
		c->waiting.n = 0;
		mine = taken;
		c->is_writing = mine.n > 0 || told_n(c->told) > 0;
		bool is_end = !c->is_writing;
		pthread_mutex_unlock(&c->lock);
		if (is_end)
			break;
		struct hit *hits;
		size_t n_hits = hits_of(c, &mine, &hits);
		bool is_stored = write_all(c, &mine, hits, n_hits);
		free(hits);
		give_back(c, &mine, is_stored);
	}
	load_fini(&mine);
	return NULL;
}

static void commit_free(struct commit *c)
{
	for (uint32_t i = 0; c->all && i < c->options.n_batches; i++)
		record_batch_free(c->all[i]);
	free(c->all);
	free(c->free);
	told_free(c->told);
	load_fini(&c->waiting);
	free(c);
}

int commit_start(const struct commit_options *options, struct commit **ret_commit)
{
	struct commit *c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->options = *options;
	c->failed_from = UINT64_MAX;
	c->all = calloc(options->n_batches, sizeof(struct record_batch *));
	c->free = calloc(options->n_batches, sizeof(struct record_batch *));
	c->told = told_create();
	if (load_init(&c->waiting, options->n_batches) < 0 || !c->all || !c->free || !c->told)
		goto fail;
	for (; c->n_free < options->n_batches; c->n_free++) {
		struct record_batch *b = record_batch_create(options->batch_rows);
		if (!b)
			goto fail;
		c->all[c->n_free] = c->free[c->n_free] = b;
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->freed, NULL);
	pthread_cond_init(&c->pushed, NULL);
	int ret = pthread_create(&c->thread, NULL, commit_main, c);
	if (ret != 0) {
		commit_free(c);
		return -ret;
	}
	*ret_commit = c;
	return 0;
fail:
	commit_free(c);
	return -ENOMEM;
}

struct record_batch *commit_take(struct commit *c, uint16_t entity)
{
	pthread_mutex_lock(&c->lock);
	while (c->n_free == 0)
		pthread_cond_wait(&c->freed, &c->lock);
	struct record_batch *b = c->free[--c->n_free];
	pthread_mutex_unlock(&c->lock);
	b->entity = entity;
	return b;
}

void commit_push(struct commit *c, struct record_batch *b)
{
	struct gate_pass pass = {};
	if (b->n_rows)
		pass = gate_match(c->options.gate, b);
	pthread_mutex_lock(&c->lock);
	if (b->n_rows) {
		c->waiting.batches[c->waiting.n] = b;
		c->waiting.passes[c->waiting.n++] = pass;
		c->n_pushed++;
		pthread_cond_signal(&c->pushed);
	} else {
		c->free[c->n_free++] = b;
		pthread_cond_signal(&c->freed);
	}
	pthread_mutex_unlock(&c->lock);
}

static struct timespec time_of(uint64_t ns)
{
	return (struct timespec){(time_t)(ns / NS_PER_SEC), (long)(ns % NS_PER_SEC)};
}

// A free batch, or NULL at the time.
static struct record_batch *take_until(struct commit *c, uint16_t entity, struct timespec until)
{
	struct record_batch *b = NULL;
	pthread_mutex_lock(&c->lock);
	while (c->n_free == 0 && pthread_cond_timedwait(&c->freed, &c->lock, &until) == 0)
		;
	if (c->n_free)
		b = c->free[--c->n_free];
	pthread_mutex_unlock(&c->lock);
	if (b)
		b->entity = entity;
	return b;
}

// Gives the batch away and waits until it was written.
static int
push_until(struct commit *c, struct record_batch *b, struct gate_pass pass, struct timespec until)
{
	int ret = 0;
	pthread_mutex_lock(&c->lock);
	c->waiting.batches[c->waiting.n] = b;
	c->waiting.passes[c->waiting.n++] = pass;
	uint64_t number = c->n_pushed++;
	pthread_cond_signal(&c->pushed);
	while (c->n_done <= number && ret == 0)
		ret = -pthread_cond_timedwait(&c->freed, &c->lock, &until);
	if (c->n_done > number)
		ret = number >= c->failed_from ? -EIO : 0;
	pthread_mutex_unlock(&c->lock);
	return ret;
}

int commit_one(
	struct commit *c,
	uint16_t entity,
	const struct record *r,
	uint64_t timeout_ns,
	void (*told)(void *ctx, const struct hit *h),
	void *ctx
)
{
	struct timespec until = time_of(clock_now_ns() + timeout_ns);
	struct hit hit;
	struct record_batch *b = take_until(c, entity, until);
	if (!b)
		return -ETIMEDOUT;
	int ret = record_batch_add(b, r);
	if (ret < 0) {
		commit_push(c, b);
		return ret;
	}
	ledger_add(c->options.ledger, LEDGER_records, 1);
	ledger_add(c->options.ledger, LEDGER_posted, 1);
	struct gate_pass pass = gate_match(c->options.gate, b);
	told(ctx, gate_hits(&pass, b, &hit) ? &hit : NULL);
	return push_until(c, b, pass, until);
}

bool commit_hit(struct commit *c, const struct hit *h)
{
	pthread_mutex_lock(&c->lock);
	bool ok = told_put(c->told, h);
	if (ok)
		pthread_cond_signal(&c->pushed);
	pthread_mutex_unlock(&c->lock);
	return ok;
}

bool commit_goes_on(struct commit *c, bool *ret_is_full)
{
	pthread_mutex_lock(&c->lock);
	bool is_busy = c->is_writing || c->waiting.n > 0 || told_n(c->told) > 0;
	bool goes_on = !is_busy || !c->was_busy || c->n_tries != c->n_tries_seen;
	c->n_tries_seen = c->n_tries;
	c->was_busy = is_busy;
	*ret_is_full = c->n_free == 0;
	pthread_mutex_unlock(&c->lock);
	return goes_on;
}

void commit_hurry(struct commit *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->hurry = true;
	pthread_mutex_unlock(&c->lock);
}

void commit_stop(struct commit *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->hurry = c->stop = true;
	pthread_cond_signal(&c->pushed);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->freed);
	pthread_cond_destroy(&c->pushed);
	commit_free(c);
}
