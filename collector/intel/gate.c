// SPDX-License-Identifier: Apache-2.0
#include "collector/intel/gate.h"

#include <pthread.h>
#include <stdlib.h>

struct gate {
	struct gate_options options;
	pthread_mutex_t lock;
	pthread_cond_t given;
	unsigned *numbers; // that are free: a stack
	unsigned n_free;
};

struct gate *gate_create(const struct gate_options *options)
{
	struct gate *g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->options = *options;
	g->numbers = calloc(options->n_threads, sizeof(*g->numbers));
	if (!g->numbers) {
		free(g);
		return NULL;
	}
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->given, NULL);
	while (g->n_free < options->n_threads) {
		g->numbers[g->n_free] = g->n_free;
		g->n_free++;
	}
	return g;
}

void gate_free(struct gate *g)
{
	if (!g)
		return;
	pthread_mutex_destroy(&g->lock);
	pthread_cond_destroy(&g->given);
	free(g->numbers);
	free(g);
}

static unsigned take_number(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	while (g->n_free == 0)
		pthread_cond_wait(&g->given, &g->lock);
	unsigned number = g->numbers[--g->n_free];
	pthread_mutex_unlock(&g->lock);
	return number;
}

static void give_number(struct gate *g, unsigned number)
{
	pthread_mutex_lock(&g->lock);
	g->numbers[g->n_free++] = number;
	pthread_cond_signal(&g->given);
	pthread_mutex_unlock(&g->lock);
}

struct gate_pass gate_match(struct gate *g, struct record_batch *b)
{
	struct intel_counters c = {};
	struct gate_pass pass = {.db = g ? intel_current_get(g->options.current) : NULL};
	bool is_empty = !pass.db || intel_db_stats(pass.db)->entries == 0;
	if (!g || (is_empty && !(b->used & RECORD_BIT(indicator))))
		return pass;
	unsigned number = is_empty ? 0 : take_number(g);
	pass.hits = batch_match(is_empty ? NULL : pass.db, number, b, &c);
	if (!is_empty)
		give_number(g, number);
	ledger_add(g->options.ledger, LEDGER_intel_hits, c.hits);
	ledger_add(g->options.ledger, LEDGER_intel_allowed, c.allowed);
	ledger_add(g->options.ledger, LEDGER_intel_scan_errors, c.scan_errors);
	return pass;
}

size_t gate_hits(const struct gate_pass *pass, const struct record_batch *b, struct hit *ret_hits)
{
	const struct batch_hits *hits = pass->hits;
	for (uint32_t i = 0; hits && i < hits->n; i++) {
		struct record r;
		record_batch_get(b, hits->matches[i].row, &r);
		ret_hits[i] = batch_hit_of(&hits->matches[i].match, &r, b->entity, false);
	}
	return hits ? hits->n : 0;
}

void gate_release(struct gate_pass *pass)
{
	batch_hits_free(pass->hits);
	intel_db_put(pass->db);
	*pass = (struct gate_pass){};
}
