// SPDX-License-Identifier: Apache-2.0
#include "api/query/filter.h"
#include "api/query/filter_plan.h"

#include <stdlib.h>

#define MAPS_LEN_MAX ((size_t)16 << 20) // beyond it leaves are asked row by row

struct filter_block *filter_block_create(const struct filter *f)
{
	struct filter_block *k = calloc(1, sizeof(*k));
	if (k)
		k->f = f;
	return k;
}

void filter_block_free(struct filter_block *k)
{
	if (!k)
		return;
	free(k->bytes);
	free(k);
}

// Room for a map. False: without memory, or too much.
static bool map_room(struct filter_block *k, size_t n)
{
	if (k->cap - k->len >= n)
		return true;
	size_t cap = 2 * (k->len + n);
	if (cap > MAPS_LEN_MAX)
		return false;
	uint8_t *bytes = realloc(k->bytes, cap);
	if (!bytes)
		return false;
	k->bytes = bytes;
	k->cap = cap;
	return true;
}

// The first value that is not below `a`; with `beyond`, the first one above it.
static uint32_t place_of(const struct record_coded *c, const struct addr *a, bool beyond)
{
	uint32_t lo = 0, hi = c->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int order = addr_cmp(&c->values[mid], a);
		if (order < 0 || (beyond && order == 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

// Marks the values that are in one of the ranges. The dictionary rises if it is one of ours; what a
// damaged one gives is not ours to say, but it stays within it.
static uint32_t
mark(const struct record_coded *c, const struct filter_net *r, uint32_t n, uint8_t *map)
{
	uint32_t hits = 0;
	memset(map, 0, c->n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t first = place_of(c, &r[i].lo, false), end = place_of(c, &r[i].hi, true);
		if (end <= first)
			continue;
		memset(map + first, 1, end - first);
		hits += end - first;
	}
	return hits < c->n ? hits : c->n;
}

static enum filter_outcome of_addrs(struct filter_block *k, uint16_t at)
{
	static const struct addr zero;
	const struct filter_node *node = &k->f->nodes[at];
	const struct filter_net *nets = &k->f->nets[node->first];
	struct filter_map *map = &k->maps[at];
	if (!(k->b->has_coded >> node->source & 1)) {
		if (k->b->used >> node->source & 1)
			return FILTER_SOME_ROWS;
		return filter_in_nets(nets, node->n, &zero) ? FILTER_EVERY_ROW : FILTER_NO_ROW;
	}
	const struct record_coded *c = &k->b->coded[node->source];
	if (!map->given) {
		if (!map_room(k, c->n))
			return FILTER_SOME_ROWS;
		*map = (struct filter_map){.at = k->len, .given = true};
		k->len += c->n;
		map->hits = mark(c, nets, node->n, k->bytes + map->at);
	}
	uint32_t hits = map->hits;
	return hits == 0 ? FILTER_NO_ROW : hits == c->n ? FILTER_EVERY_ROW : FILTER_SOME_ROWS;
}

static enum filter_outcome
// NOLINTNEXTLINE(misc-no-recursion): a parsed filter is at most FILTER_DEPTH_MAX deep
outcome(struct filter_block *k, uint16_t at, uint64_t loaded)
{
	const struct filter_node *node = &k->f->nodes[at];
	enum filter_outcome all = FILTER_SOME_ROWS;
	if (node->op == FILTER_ANY) {
		all = FILTER_EVERY_ROW;
	} else if (node->op == FILTER_AND || node->op == FILTER_OR) {
		// the one outcome of a child that decides, and what there is when none of them does
		enum filter_outcome ends =
			node->op == FILTER_AND ? FILTER_NO_ROW : FILTER_EVERY_ROW;
		all = node->op == FILTER_AND ? FILTER_EVERY_ROW : FILTER_NO_ROW;
		for (uint16_t c = node->child; c != FILTER_NONE; c = k->f->nodes[c].next) {
			enum filter_outcome one = outcome(k, c, loaded);
			if (one == ends || (one == FILTER_SOME_ROWS && all != ends))
				all = one;
		}
	} else if (node->op == FILTER_ADDR && loaded >> node->source & 1) {
		all = of_addrs(k, at);
	}
	if (!node->negate || all == FILTER_SOME_ROWS)
		return all;
	return all == FILTER_NO_ROW ? FILTER_EVERY_ROW : FILTER_NO_ROW;
}

enum filter_outcome
filter_block_open(struct filter_block *k, const struct record_batch *b, uint64_t loaded)
{
	k->b = b;
	k->len = 0;
	for (uint16_t i = 0; i < k->f->n_nodes; i++)
		k->maps[i].given = false;
	return outcome(k, k->f->root, loaded);
}

uint64_t filter_addr_fields(const struct filter *f)
{
	uint64_t fields = 0;
	for (uint16_t i = 0; i < f->n_nodes; i++)
		if (f->nodes[i].op == FILTER_ADDR)
			fields |= 1ull << f->nodes[i].source;
	return fields;
}
