// SPDX-License-Identifier: Apache-2.0
#include "api/http/peers.h"

#include "lib/base/siphash.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	struct addr addr;
	uint32_t n; // 0: free
};

struct peers {
	pthread_mutex_t lock;
	struct siphash_key key;
	uint32_t max_total, max_each, total;
	uint32_t mask;
	struct slot *slots; // open addressing, at most half full
};

struct peers *peers_create(uint32_t max_total, uint32_t max_each)
{
	struct peers *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	p->key = siphash_key_random();
	p->max_total = max_total;
	p->max_each = max_each;
	for (p->mask = 15; p->mask < 2 * max_total; p->mask = 2 * p->mask + 1)
		;
	p->slots = calloc((size_t)p->mask + 1, sizeof(*p->slots));
	if (!p->slots) {
		peers_free(p);
		return NULL;
	}
	return p;
}

void peers_free(struct peers *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p->slots);
	free(p);
}

static struct addr who(const struct addr *a)
{
	struct addr w = *a;
	if (!addr_is_v4(&w))
		memset(w.b + 8, 0, 8);
	return w;
}

static uint32_t home_of(const struct peers *p, const struct addr *w)
{
	return (uint32_t)siphash(&p->key, w, sizeof(*w)) & p->mask;
}

// The address's slot, or the free one where it would go.
static uint32_t find(const struct peers *p, const struct addr *w)
{
	uint32_t i = home_of(p, w);
	while (p->slots[i].n && !addr_eq(&p->slots[i].addr, w))
		i = (i + 1) & p->mask;
	return i;
}

int peers_add(struct peers *p, const struct addr *a)
{
	struct addr w = who(a);
	int ret = 0;
	pthread_mutex_lock(&p->lock);
	struct slot *s = &p->slots[find(p, &w)];
	if (p->total >= p->max_total)
		ret = -EMFILE;
	else if (s->n >= p->max_each)
		ret = -EDQUOT;
	if (ret == 0) {
		s->addr = w;
		s->n++;
		p->total++;
	}
	pthread_mutex_unlock(&p->lock);
	return ret;
}

// Closes the gap that a freed slot leaves in the runs across it (Knuth 6.4, algorithm R).
static void close_gap(struct peers *p, uint32_t gap)
{
	for (uint32_t i = (gap + 1) & p->mask; p->slots[i].n; i = (i + 1) & p->mask) {
		uint32_t home = home_of(p, &p->slots[i].addr);
		if (((i - home) & p->mask) >= ((i - gap) & p->mask)) {
			p->slots[gap] = p->slots[i];
			p->slots[i].n = 0;
			gap = i;
		}
	}
}

void peers_del(struct peers *p, const struct addr *a)
{
	struct addr w = who(a);
	pthread_mutex_lock(&p->lock);
	uint32_t i = find(p, &w);
	if (p->slots[i].n) {
		p->total--;
		if (--p->slots[i].n == 0)
			close_gap(p, i);
	}
	pthread_mutex_unlock(&p->lock);
}

uint32_t peers_total(struct peers *p)
{
	pthread_mutex_lock(&p->lock);
	uint32_t n = p->total;
	pthread_mutex_unlock(&p->lock);
	return n;
}
