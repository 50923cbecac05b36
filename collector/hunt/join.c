// SPDX-License-Identifier: Apache-2.0
#include "collector/hunt/join.h"

#include "lib/base/siphash.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

unsigned __int128 addr_number(const struct addr *a)
{
	uint64_t half[2];
	memcpy(half, a->b, 16);
	return (unsigned __int128)be64toh(half[0]) << 64 | be64toh(half[1]);
}

struct addr addr_of_number(unsigned __int128 v)
{
	uint64_t half[2] = {htobe64((uint64_t)(v >> 64)), htobe64((uint64_t)v)};
	struct addr a;
	memcpy(a.b, half, 16);
	return a;
}

static struct range range_of(const struct prefix *net)
{
	unsigned __int128 hosts = net->len < 128 ? ~(unsigned __int128)0 >> net->len : 0;
	struct range r = {.first = addr_number(&net->addr)};
	r.last = r.first | hosts;
	return r;
}

static int cmp_range(const void *left, const void *right)
{
	const struct range *l = left, *r = right;
	return l->first < r->first ? -1 : l->first > r->first;
}

// Makes overlapping ranges one.
static void unite(struct quarry *q)
{
	size_t n = 0;
	qsort(q->ranges, q->n_ranges, sizeof(*q->ranges), cmp_range);
	for (size_t i = 0; i < q->n_ranges; i++) {
		const struct range *r = &q->ranges[i];
		if (n && r->first <= q->ranges[n - 1].last) {
			if (r->last > q->ranges[n - 1].last)
				q->ranges[n - 1].last = r->last;
			continue;
		}
		q->ranges[n++] = *r;
	}
	q->n_ranges = n;
}

int quarry_init(struct quarry *q, const struct intel_db *db, const struct ids *ids)
{
	*q = (struct quarry){.ranges = malloc((ids->n + 1) * sizeof(*q->ranges))};
	if (!q->ranges)
		return -ENOMEM;
	for (size_t i = 0; i < ids->n; i++) {
		size_t at = intel_db_find(db, ids->v[i]);
		if (at == intel_db_stats(db)->entries)
			continue;
		const struct indicator *x = intel_db_entry(db, at).indicator;
		if (x->type == INDICATOR_NET || x->type == INDICATOR_ADDR_PORT) {
			q->ranges[q->n_ranges++] = range_of(&x->net);
		} else if (x->type == INDICATOR_PORT) {
			q->ports[x->port >> 6] |= 1ull << (x->port & 63);
			q->any_port = true;
		}
	}
	if (q->n_ranges)
		unite(q);
	return name_quarry_init(&q->names, db, ids);
}

void quarry_fini(struct quarry *q)
{
	free(q->ranges);
	name_quarry_fini(&q->names);
	*q = (struct quarry){};
}

// The first range at or after `from` whose end is not before the address: found by leaps that
// double, then by halves.
static size_t leap(const struct quarry *q, size_t from, unsigned __int128 a)
{
	size_t step = 1, low = from, high = from;
	while (high < q->n_ranges && q->ranges[high].last < a) {
		low = high + 1;
		high += step;
		step *= 2;
	}
	high = high < q->n_ranges ? high : q->n_ranges;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (q->ranges[middle].last < a)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

unsigned __int128 part_number(const struct table_index *part, uint32_t i)
{
	return (unsigned __int128)part->hi[i] << 64 | part->lo[i];
}

// The first address at or after `from` that is not before `a`.
static uint32_t leap_addr(const struct table_index *part, uint32_t from, unsigned __int128 a)
{
	uint32_t step = 1, low = from, high = from, n = part->n;
	while (high < n && part_number(part, high) < a) {
		low = high + 1;
		high = n - high > step ? high + step : n;
		step *= 2;
	}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (part_number(part, middle) < a)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool quarry_has(const struct quarry *q, const struct addr *a)
{
	unsigned __int128 v = addr_number(a);
	size_t at = leap(q, 0, v);
	return at < q->n_ranges && q->ranges[at].first <= v;
}

static int prey_add(struct prey *p, unsigned __int128 a)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 256;
		struct addr *hosts = reallocarray(p->hosts, cap, sizeof(*hosts));
		if (!hosts)
			return -ENOMEM;
		p->hosts = hosts;
		p->cap = cap;
	}
	p->hosts[p->n++] = addr_of_number(a);
	return 0;
}

int prey_join(struct prey *p, const struct quarry *q, const struct table_index *part, size_t *at)
{
	uint32_t i = 0;
	size_t k = *at;
	while (i < part->n && k < q->n_ranges) {
		const struct range *r = &q->ranges[k];
		unsigned __int128 a = part_number(part, i);
		if (a < r->first)
			i = leap_addr(part, i, r->first);
		else if (a > r->last)
			k = leap(q, k, a);
		else if (i++, prey_add(p, a) < 0)
			return -ENOMEM;
	}
	*at = k;
	return 0;
}

void prey_clear(struct prey *p)
{
	p->n = 0;
}

void prey_fini(struct prey *p)
{
	free(p->hosts);
	free(p->slots);
	*p = (struct prey){};
}

static uint64_t hash_of(const struct prey *p, const struct addr *a)
{
	uint64_t hi, lo;
	memcpy(&hi, a->b, 8);
	memcpy(&lo, a->b + 8, 8);
	unsigned __int128 product = (unsigned __int128)(hi ^ p->seed) * (lo ^ (p->seed << 32 | 1));
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

int prey_index(struct prey *p)
{
	size_t n_slots = 64;
	if (!p->seed)
		p->seed = siphash_key_random().k0;
	while (n_slots < 4 * p->n)
		n_slots *= 2;
	if (n_slots > p->n_slots) {
		free(p->slots);
		p->slots = malloc(n_slots * sizeof(*p->slots));
		p->n_slots = p->slots ? n_slots : 0;
		if (!p->slots)
			return -ENOMEM;
	}
	memset(p->slots, 0, p->n_slots * sizeof(*p->slots));
	for (size_t i = 0; i < p->n; i++) {
		size_t at = hash_of(p, &p->hosts[i]) & (p->n_slots - 1);
		while (p->slots[at])
			at = (at + 1) & (p->n_slots - 1);
		p->slots[at] = i + 1;
	}
	return 0;
}

bool prey_has(const struct prey *p, const struct addr *a)
{
	if (p->n == 0)
		return false;
	size_t at = hash_of(p, a) & (p->n_slots - 1);
	for (; p->slots[at]; at = (at + 1) & (p->n_slots - 1))
		if (addr_eq(&p->hosts[p->slots[at] - 1], a))
			return true;
	return false;
}
