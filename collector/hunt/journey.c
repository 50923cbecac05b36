// SPDX-License-Identifier: Apache-2.0
#include "collector/hunt/journey.h"

#include "collector/hunt/scan.h"
#include "collector/store/lookup.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#define TELL_NS (NS_PER_SEC / 4) // how often progress is written

// The whole journey of one hunt over the store.
struct journey {
	struct store *store;
	struct hunt *hunt;
	const _Atomic bool *cancel;
	struct store_view *view;
	struct hunt_scan scan;
	struct quarry quarry;
	struct hunt before; // what it had done before a restart
	uint64_t told_ns;
};

static bool was_allowed(const struct hit *h)
{
	return h->retro.flows > h->retro.denied;
}

// Puts the hits of what was allowed before the others; how many they are.
static size_t allowed_first(struct hit *hits, size_t n)
{
	size_t n_allowed = 0;
	for (size_t i = 0; i < n; i++) {
		struct hit h = hits[i];
		if (!was_allowed(&h))
			continue;
		hits[i] = hits[n_allowed];
		hits[n_allowed++] = h;
	}
	return n_allowed;
}

static int add(struct journey *j, const struct hit *hits, size_t n)
{
	char error[STORE_ERROR_LEN];
	if (n == 0)
		return 0;
	j->hunt->hits += n;
	int ret = store_hits_add(j->store, hits, n, error);
	if (ret < 0)
		snprintf(j->hunt->error, sizeof(j->hunt->error), "%.150s", error);
	return ret;
}

// What was allowed is told first: it may be at work still.
static int store_hits(struct journey *j)
{
	struct hunt_scan *s = &j->scan;
	size_t n = allowed_first(s->hits, s->n_hits);
	int ret = add(j, s->hits, n);
	if (ret == 0)
		ret = add(j, s->hits + n, s->n_hits - n);
	j->hunt->allowed += n;
	return ret;
}

static void progress(struct journey *j)
{
	struct hunt *x = j->hunt;
	x->hours_scanned = j->before.hours_scanned + j->scan.hours_scanned;
	x->rows = j->before.rows + j->scan.rows;
	x->hosts = j->before.hosts + j->scan.hosts;
	x->over_limit = j->before.over_limit + j->scan.over_limit;
	x->damaged = j->before.damaged + j->scan.damaged;
	uint64_t now = clock_mono_ns();
	if (now - j->told_ns < TELL_NS)
		return;
	j->told_ns = now;
	hunt_doc_put(j->store, x);
}

static int hunt_hour(struct journey *j, uint16_t entity, const struct store_hour *hour)
{
	struct hunt *x = j->hunt;
	if (atomic_load(j->cancel))
		return -ECANCELED;
	int ret = hunt_scan_hour(&j->scan, j->view, entity, hour, j->cancel);
	if (ret == 0)
		ret = store_hits(j);
	if (ret < 0)
		return ret;
	x->hours_done++;
	x->entity = entity;
	x->hour = hour->hour;
	x->has_place = true;
	progress(j);
	return 0;
}

// Walks the hours of an entity from the newest to the oldest. `count`: only counts them.
static int walk_entity(struct journey *j, uint16_t entity, bool count)
{
	struct hunt *x = j->hunt;
	uint32_t to = UINT32_MAX, oldest = store_hour_of(x->since_ns);
	struct store_hour hour;
	bool resumed = !count && x->has_place && x->entity == entity;
	int ret;
	if (resumed) {
		if (x->hour == 0)
			return 0;
		to = x->hour - 1;
	}
	while ((ret = store_view_hour_last(j->view, entity, to, &hour)) > 0 && hour.hour >= oldest
	) {
		if (count)
			x->hours_all++;
		else if ((ret = hunt_hour(j, entity, &hour)) < 0)
			return ret;
		if (hour.hour == 0)
			break;
		to = hour.hour - 1;
	}
	return ret < 0 ? ret : 0;
}

static int walk(struct journey *j, bool count)
{
	unsigned n = store_n_entities(j->store);
	uint16_t first = !count && j->hunt->has_place ? j->hunt->entity : 0;
	int ret = 0;
	for (unsigned e = first; e < n && ret == 0; e++)
		ret = walk_entity(j, (uint16_t)e, count);
	return ret;
}

int journey_run(struct store *s, unsigned thread, struct hunt *x, const _Atomic bool *cancel)
{
	struct journey j = {
		.store = s, .hunt = x, .before = *x, .cancel = cancel, .told_ns = clock_mono_ns()};
	int ret = quarry_init(&j.quarry, x->db, &x->ids);
	if (ret == 0)
		ret = hunt_scan_init(&j.scan, x->db, thread, &x->ids, &j.quarry);
	j.view = ret == 0 ? store_view_of(s) : NULL;
	if (ret == 0 && !j.view)
		ret = -ENOMEM;
	if (ret == 0 && x->hours_all == 0)
		ret = walk(&j, true);
	if (ret == 0)
		ret = walk(&j, false);
	progress(&j);
	hunt_scan_fini(&j.scan);
	quarry_fini(&j.quarry);
	store_view_close(j.view);
	return ret;
}
