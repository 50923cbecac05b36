// SPDX-License-Identifier: Apache-2.0
#include "collector/intel/told.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	struct hit hit;
	char text[HIT_N_TEXTS][HIT_TEXT_MAX];
};

struct told {
	size_t n;
	struct entry *waiting, *taken;
};

struct told *told_create(void)
{
	struct told *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	// touched as far as they are ever used
	t->waiting = malloc(TOLD_MAX * sizeof(*t->waiting));
	t->taken = malloc(TOLD_MAX * sizeof(*t->taken));
	if (!t->waiting || !t->taken) {
		told_free(t);
		return NULL;
	}
	return t;
}

void told_free(struct told *t)
{
	if (!t)
		return;
	free(t->waiting);
	free(t->taken);
	free(t);
}

bool told_put(struct told *t, const struct hit *h)
{
	if (t->n == TOLD_MAX)
		return false;
	struct entry *e = &t->waiting[t->n++];
	e->hit = *h;
	for (int i = 0; i < HIT_N_TEXTS; i++) {
		const struct record_str *s = &h->texts[i];
		uint16_t len = s->len < HIT_TEXT_MAX ? s->len : HIT_TEXT_MAX;
		if (len)
			memcpy(e->text[i], s->p, len);
		e->hit.texts[i].len = len;
	}
	return true;
}

size_t told_n(const struct told *t)
{
	return t->n;
}

size_t told_take(struct told *t, struct hit *ret_hits)
{
	size_t n = t->n;
	struct entry *taken = t->waiting;
	t->waiting = t->taken;
	t->taken = taken;
	t->n = 0;
	for (size_t i = 0; i < n; i++) {
		for (int k = 0; k < HIT_N_TEXTS; k++)
			taken[i].hit.texts[k].p = taken[i].text[k];
		ret_hits[i] = taken[i].hit;
	}
	return n;
}
