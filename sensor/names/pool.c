// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/pool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int pool_init(struct pool *p, uint32_t n, uint16_t max_bytes)
{
	*p = (struct pool){.oldest = POOL_NONE, .newest = POOL_NONE, .max_bytes = max_bytes};
	if (n < 1 || n >= POOL_MAX)
		return -ERANGE;
	p->n = n + 1; // one is always spare
	p->held = calloc(p->n, sizeof(*p->held));
	p->data = calloc(p->n, max_bytes);
	p->spare = malloc(p->n * sizeof(*p->spare));
	if (!p->held || !p->data || !p->spare) {
		pool_fini(p);
		return -ENOMEM;
	}
	while (p->n_spare < p->n) {
		p->spare[p->n_spare] = (uint16_t)(n - p->n_spare);
		p->n_spare++;
	}
	return 0;
}

void pool_fini(struct pool *p)
{
	free(p->held);
	free(p->data);
	free(p->spare);
	*p = (struct pool){};
}

static uint16_t index_of(const struct pool *p, const struct held *h)
{
	return (uint16_t)(h - p->held);
}

struct held *pool_spare(struct pool *p)
{
	uint16_t at = p->spare[p->n_spare - 1];
	struct held *h = &p->held[at];
	h->owner = NULL;
	h->kind = 0;
	h->n_segments = 0;
	h->sequence = 0;
	h->quic.has_keys = false;
	assembly_init(&h->bytes, p->data + (size_t)at * p->max_bytes, p->max_bytes);
	return h;
}

static void list_add(struct pool *p, uint16_t at)
{
	struct held *h = &p->held[at];
	h->older = p->newest;
	h->newer = POOL_NONE;
	if (p->newest != POOL_NONE)
		p->held[p->newest].newer = at;
	else
		p->oldest = at;
	p->newest = at;
}

static void list_del(struct pool *p, const struct held *h)
{
	if (h->older != POOL_NONE)
		p->held[h->older].newer = h->newer;
	else
		p->oldest = h->newer;
	if (h->newer != POOL_NONE)
		p->held[h->newer].older = h->older;
	else
		p->newest = h->older;
}

void pool_release(struct pool *p, struct held *h)
{
	list_del(p, h);
	h->owner = NULL;
	p->spare[p->n_spare++] = index_of(p, h);
}

bool pool_keep(struct pool *p, struct held *h, struct names_flow *owner)
{
	uint16_t at = index_of(p, h);
	assert(p->spare[p->n_spare - 1] == at);
	p->n_spare--;
	h->owner = owner;
	owner->at = at;
	owner->stage = NAMES_HELD;
	list_add(p, at);
	if (p->n_spare > 0)
		return false;
	struct held *oldest = &p->held[p->oldest];
	oldest->owner->stage = NAMES_DONE;
	pool_release(p, oldest);
	return true;
}
