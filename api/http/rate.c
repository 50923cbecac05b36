// SPDX-License-Identifier: Apache-2.0
#include "api/http/rate.h"

#include "lib/base/clock.h"
#include "lib/base/siphash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define N_SETS 4096
#define N_WAYS 4

struct entry {
	struct addr addr; // or key
	uint32_t n, next; // of the ring
	uint64_t newest_ns;
};

struct rate {
	pthread_mutex_t lock;
	struct siphash_key key;
	unsigned limit;
	uint64_t window_ns;
	uint64_t *rings; // `limit` times of each entry
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
	r->rings = calloc((size_t)N_SETS * N_WAYS * r->limit, sizeof(*r->rings));
	if (!r->rings) {
		rate_free(r);
		return NULL;
	}
	return r;
}

void rate_free(struct rate *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r->rings);
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
	return e->n ? e->newest_ns : 0;
}

static uint64_t *ring_of(struct rate *r, const struct entry *e)
{
	return r->rings + (size_t)(e - &r->sets[0][0]) * r->limit;
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

// Seconds until the entry is below the limit. The oldest of `limit` times has to leave the window.
static unsigned wait_of(struct rate *r, const struct entry *e, uint64_t now_ns)
{
	if (!e || e->n < r->limit)
		return 0;
	uint64_t at = ring_of(r, e)[e->next];
	if (at + r->window_ns <= now_ns)
		return 0;
	return (unsigned)((at + r->window_ns - now_ns - 1) / NS_PER_SEC) + 1;
}

static void put(struct rate *r, struct entry *e, uint64_t now_ns)
{
	ring_of(r, e)[e->next] = now_ns;
	e->next = (e->next + 1) % r->limit;
	e->newest_ns = now_ns;
	if (e->n < r->limit)
		e->n++;
}

unsigned rate_wait_sec(struct rate *r, const struct addr *a, uint64_t now_ns)
{
	struct addr w = who(a);
	pthread_mutex_lock(&r->lock);
	unsigned wait = wait_of(r, entry_of(r, &w, false), now_ns);
	pthread_mutex_unlock(&r->lock);
	return wait;
}

void rate_add(struct rate *r, const struct addr *a, uint64_t now_ns)
{
	struct addr w = who(a);
	pthread_mutex_lock(&r->lock);
	put(r, entry_of(r, &w, true), now_ns);
	pthread_mutex_unlock(&r->lock);
}

unsigned rate_take(struct rate *r, const uint8_t key[static RATE_KEY_LEN], uint64_t now_ns)
{
	struct addr w;
	memcpy(w.b, key, sizeof(w.b));
	pthread_mutex_lock(&r->lock);
	struct entry *e = entry_of(r, &w, true);
	unsigned wait = wait_of(r, e, now_ns);
	if (wait == 0)
		put(r, e, now_ns);
	pthread_mutex_unlock(&r->lock);
	return wait;
}
