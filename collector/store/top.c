// SPDX-License-Identifier: Apache-2.0
#include "collector/store/top.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TOP_WIDTH_MAX 128

static uint8_t *item_at(const struct top *t, size_t i)
{
	return (uint8_t *)t->items + i * t->width;
}

static void swap(struct top *t, size_t a, size_t b)
{
	uint8_t copy[TOP_WIDTH_MAX];
	memcpy(copy, item_at(t, a), t->width);
	memcpy(item_at(t, a), item_at(t, b), t->width);
	memcpy(item_at(t, b), copy, t->width);
}

// Restores the heap below i: no child comes after its parent.
static void sift_down(struct top *t, size_t i)
{
	for (;;) {
		size_t last = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < t->n; child++) {
			if (t->cmp(item_at(t, child), item_at(t, last)) > 0)
				last = child;
		}
		if (last == i)
			return;
		swap(t, i, last);
		i = last;
	}
}

void top_add(struct top *t, const void *item)
{
	if (t->n < t->cap) {
		memcpy(item_at(t, t->n++), item, t->width);
		if (t->n == t->cap) {
			for (size_t i = t->n / 2; i-- > 0;)
				sift_down(t, i);
		}
	} else if (t->cap && t->cmp(item, item_at(t, 0)) < 0) {
		memcpy(item_at(t, 0), item, t->width);
		sift_down(t, 0);
	}
}

void top_sort(struct top *t)
{
	if (t->n)
		qsort(t->items, t->n, t->width, t->cmp);
}
