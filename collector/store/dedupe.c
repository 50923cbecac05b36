// SPDX-License-Identifier: Apache-2.0
#include "collector/store/dedupe.h"

#include "lib/base/siphash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void dedupe_init(struct dedupe *d)
{
	*d = (struct dedupe){.seed = siphash_key_random().k0};
}

void dedupe_fini(struct dedupe *d)
{
	free(d->slots);
	free(d->first);
	free(d->index);
	*d = (struct dedupe){0};
}

static int reserve(struct dedupe *d, uint32_t n)
{
	if (n <= d->cap)
		return 0;
	dedupe_fini(&(struct dedupe){.slots = d->slots, .first = d->first, .index = d->index});
	size_t n_slots = 64;
	while (n_slots < 2 * (size_t)n)
		n_slots *= 2;
	d->slots = malloc(n_slots * sizeof(*d->slots));
	d->first = malloc(n * sizeof(*d->first));
	d->index = malloc(n * sizeof(*d->index));
	d->n_slots = n_slots;
	d->cap = d->slots && d->first && d->index ? n : 0;
	return d->cap ? 0 : -ENOMEM;
}

int dedupe_run(struct dedupe *d, const struct dedupe_items *items, uint32_t n, uint32_t n_max)
{
	d->n = 0;
	if (n == 0)
		return 0;
	if (reserve(d, n) < 0)
		return -ENOMEM;
	size_t mask = 64;
	while (mask < 2 * (size_t)n)
		mask *= 2;
	memset(d->slots, 0, mask-- * sizeof(*d->slots));
	for (uint32_t i = 0; i < n; i++) {
		size_t at = items->hash(items->ctx, i, d->seed) & mask;
		while (d->slots[at] && !items->equal(items->ctx, d->first[d->slots[at] - 1], i))
			at = (at + 1) & mask;
		if (!d->slots[at]) {
			if (d->n == n_max)
				return -E2BIG;
			d->first[d->n] = i;
			d->slots[at] = ++d->n;
		}
		d->index[i] = d->slots[at] - 1;
	}
	return 0;
}
