// SPDX-License-Identifier: Apache-2.0
#include "api/http/rate.h"

#include "lib/base/clock.h"
#include "lib/base/siphash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define N_SETS 1024
#define N_WAYS 4

struct entry {
	struct addr addr;
	uint32_t n, next; // of the ring
	uint64_t at_ns[RATE_LIMIT_MAX];
};

struct rate {
	pthread_mutex_t lock;
	struct siphash_key key;
	unsigned limit;
	uint64_t window_ns;
	struct entry sets[N_SETS][N_WAYS];
};

struct rate *rate_create(unsigned limit, uint64_t window_ns)
{
	struct rate *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	pthread_mutex_init(&r->lock, NULL);
	r->key = siphash_key_random();
	r->limit = limit < 1 ? 1 : (limit > RATE_LIMIT_MAX ? RATE_LIMIT_MAX : limit);
	r->window_ns = window_ns;
	return r;
}

void rate_free(struct rate *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static struct addr who(const struct addr *a)
{
	struct addr w = *a;
	if (!addr_is_v4(&w))
		memset(w.b + 8, 0, 8);
	return w;
}

static uint64_t newest(const struct entry *e)
{
	return e->n ? e->at_ns[(e->next + RATE_LIMIT_MAX - 1) % RATE_LIMIT_MAX] : 0;
}

// The address's entry, else (with `take`) the one of its set that was used longest ago, emptied.
static struct entry *entry_of(struct rate *r, const struct addr *w, bool take)
{
	struct entry *set = r->sets[siphash(&r->key, w, sizeof(*w)) % N_SETS], *oldest = &set[0];
	for (int i = 0; i < N_WAYS; i++) {
		if (set[i].n && addr_eq(&set[i].addr, w))
			return &set[i];
		if (newest(&set[i]) < newest(oldest))
			oldest = &set[i];
	}
	if (!take)
		return NULL;
	oldest->addr = *w;
	oldest->n = oldest->next = 0;
	return oldest;
}

unsigned rate_wait_sec(struct rate *r, const struct addr *a, uint64_t now_ns)
{
	struct addr w = who(a);
	unsigned wait = 0;
	pthread_mutex_lock(&r->lock);
	const struct entry *e = entry_of(r, &w, false);
	if (e && e->n >= r->limit) {
		// the one that has to leave the window before there is room again
		uint64_t at = e->at_ns[(e->next + RATE_LIMIT_MAX - r->limit) % RATE_LIMIT_MAX];
		if (at + r->window_ns > now_ns)
			wait = (unsigned)((at + r->window_ns - now_ns - 1) / NS_PER_SEC) + 1;
	}
	pthread_mutex_unlock(&r->lock);
	return wait;
}

void rate_add(struct rate *r, const struct addr *a, uint64_t now_ns)
{
	struct addr w = who(a);
	pthread_mutex_lock(&r->lock);
	struct entry *e = entry_of(r, &w, true);
	e->at_ns[e->next] = now_ns;
	e->next = (e->next + 1) % RATE_LIMIT_MAX;
	if (e->n < RATE_LIMIT_MAX)
		e->n++;
	pthread_mutex_unlock(&r->lock);
}
