// SPDX-License-Identifier: Apache-2.0
#include "sensor/export/targets.h"

#include "lib/base/clock.h"
#include "sensor/flow/key.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define DEAL_MAX 1024 // flows of one source before the next one's turn
#define IDLE_NS (2 * NS_PER_MSEC)

// One source's flows on their way to one target.
struct lane {
	struct flow_ring *ring;
	uint64_t full; // that did not fit
	uint64_t lost; // those, and what the source itself lost if all its flows come here
};

struct targets {
	unsigned n, n_sources;
	bool one_each;
	struct exporter_source *sources;
	struct exporter *exporters[TARGETS_MAX];
	struct lane *lanes; // of a target side by side; NULL: one target, fed by the sources
	pthread_t thread;
	bool is_dealing;
	atomic_bool stop, hurry;
};

static struct lane *lane_of(const struct targets *t, unsigned target, unsigned source)
{
	return &t->lanes[target * t->n_sources + source];
}

// Always the same for a key, also after a restart: no secret is drawn.
static unsigned target_of(const struct targets *t, const struct flow *f)
{
	static const struct flow_secret known = {{
		0x243f6a8885a308d3,
		0x13198a2e03707344,
		0xa4093822299f31d0,
		0x082efa98ec4e6c89,
		0x452821e638d01377,
		0xbe5466cf34e90c6c,
		0xc0ac29b7c97c50dd,
		0x3f84d5b5b5470917,
	}}; // digits of pi
	return (unsigned)((flow_key_hash(&f->key, &known) >> 32) % t->n);
}

static void push(struct lane *l, const struct flow *f, const uint8_t *extra, size_t len)
{
	if (flow_ring_push_extra(l->ring, f, extra, len) != FLOW_RING_LOST)
		return;
	if (f->end_reason == FLOW_END_NONE) // the word of a hit: no record is missing
		return;
	__atomic_store_n(&l->full, l->full + 1, __ATOMIC_RELAXED);
}

// The gap in a target's sequence (RFC 7011 §10.2.2).
static void note_lost(struct targets *t, unsigned source)
{
	uint64_t lost = __atomic_load_n(t->sources[source].lost, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < t->n; i++) {
		struct lane *l = lane_of(t, i, source);
		uint64_t all = l->full + (t->one_each ? 0 : lost);
		__atomic_store_n(&l->lost, all, __ATOMIC_RELAXED);
	}
}

static uint32_t deal(struct targets *t, unsigned source)
{
	struct flow_ring *ring = t->sources[source].ring;
	const struct flow *flows;
	uint32_t n = flow_ring_peek(ring, DEAL_MAX, &flows);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *extra;
		size_t len = flow_ring_extra(ring, &flows[i], &extra);
		if (t->one_each) {
			push(lane_of(t, target_of(t, &flows[i]), source), &flows[i], extra, len);
			continue;
		}
		for (unsigned k = 0; k < t->n; k++)
			push(lane_of(t, k, source), &flows[i], extra, len);
	}
	flow_ring_release(ring, n);
	note_lost(t, source);
	return n;
}

static void *run(void *arg)
{
	struct targets *t = arg;
	for (;;) {
		// read first: what was pushed before it was set is dealt after
		bool stop = atomic_load_explicit(&t->stop, memory_order_acquire);
		uint32_t n = 0;
		bool at_end = stop || atomic_load_explicit(&t->hurry, memory_order_relaxed);
		for (unsigned i = 0; at_end && i < t->n * t->n_sources; i++)
			flow_ring_let_wait(t->lanes[i].ring
			); // there is nothing else to do any more
		for (unsigned i = 0; i < t->n_sources; i++)
			n += deal(t, i);
		if (stop && n == 0)
			return NULL;
		if (n == 0)
			nanosleep(&(struct timespec){.tv_nsec = IDLE_NS}, NULL);
	}
}

static int make_lanes(struct targets *t, const struct targets_options *o)
{
	t->lanes = calloc((size_t)t->n * t->n_sources, sizeof(t->lanes[0]));
	for (unsigned i = 0; t->lanes && i < t->n * t->n_sources; i++) {
		t->lanes[i].ring = flow_ring_create(o->ring, o->can_wait);
		if (!t->lanes[i].ring)
			return -ENOMEM;
	}
	return t->lanes ? 0 : -ENOMEM;
}

static void targets_free(struct targets *t)
{
	for (unsigned i = 0; t->lanes && i < t->n * t->n_sources; i++)
		flow_ring_free(t->lanes[i].ring);
	free(t->lanes);
	free(t->sources);
	free(t);
}

static int start_one(struct targets *t, const struct targets_options *o, unsigned i)
{
	struct exporter_options eo = o->exporter;
	struct exporter_source *sources = calloc(t->n_sources, sizeof(*sources));
	if (!sources)
		return -ENOMEM;
	for (unsigned k = 0; k < t->n_sources; k++) {
		sources[k] = t->sources[k];
		if (!t->lanes)
			continue;
		sources[k].ring = lane_of(t, i, k)->ring;
		sources[k].lost = &lane_of(t, i, k)->lost;
	}
	eo.sources = sources;
	eo.target = o->targets->n ? o->targets->items[i] : "";
	int ret = exporter_start(&eo, &t->exporters[i]);
	free(sources);
	return ret;
}

static void stop_exporters(struct targets *t, struct targets_counters *ret_counters)
{
	for (unsigned i = 0; i < t->n; i++) {
		if (t->exporters[i])
			exporter_stop(t->exporters[i], &ret_counters->of[i]);
	}
}

int targets_start(
	const struct targets_options *o, struct targets **ret_targets, const char **ret_which
)
{
	struct targets *t = calloc(1, sizeof(*t));
	struct targets_counters scrap;
	*ret_which = "";
	if (!t)
		return -ENOMEM;
	t->n = o->targets->n ? (unsigned)o->targets->n : 1;
	t->n_sources = o->exporter.n_sources;
	t->one_each = o->one_each;
	t->sources = calloc(t->n_sources, sizeof(t->sources[0]));
	int ret = t->n > TARGETS_MAX ? -E2BIG : t->sources ? 0 : -ENOMEM;
	for (unsigned i = 0; ret == 0 && i < t->n_sources; i++)
		t->sources[i] = o->exporter.sources[i];
	if (ret == 0 && t->n > 1)
		ret = make_lanes(t, o);
	for (unsigned i = 0; ret == 0 && i < t->n; i++) {
		ret = start_one(t, o, i);
		if (ret < 0 && o->targets->n)
			*ret_which = o->targets->items[i];
	}
	if (ret == 0 && t->lanes) {
		ret = -pthread_create(&t->thread, NULL, run, t);
		t->is_dealing = ret == 0;
	}
	if (ret < 0) {
		targets_hurry(t);
		stop_exporters(t, &scrap);
		targets_free(t);
		return ret;
	}
	*ret_targets = t;
	return 0;
}

static void fill(const struct targets *t, struct targets_counters *c)
{
	c->n = t->n;
	c->copies = t->one_each ? 1 : t->n;
	for (unsigned i = 0; t->lanes && i < t->n; i++) {
		c->full[i] = 0;
		for (unsigned k = 0; k < t->n_sources; k++)
			c->full[i] += __atomic_load_n(&lane_of(t, i, k)->full, __ATOMIC_RELAXED);
	}
}

bool targets_counters(struct targets *t, uint64_t wait_ns, struct targets_counters *ret_counters)
{
	bool all = true;
	for (unsigned i = 0; i < t->n; i++)
		all &= exporter_counters(t->exporters[i], wait_ns, &ret_counters->of[i]);
	fill(t, ret_counters);
	return all;
}

void targets_hurry(struct targets *t)
{
	atomic_store_explicit(&t->hurry, true, memory_order_relaxed);
	for (unsigned i = 0; i < t->n; i++)
		if (t->exporters[i])
			exporter_hurry(t->exporters[i]);
}

void targets_stop(struct targets *t, struct targets_counters *ret_counters)
{
	*ret_counters = (struct targets_counters){};
	atomic_store_explicit(&t->stop, true, memory_order_release);
	if (t->is_dealing)
		pthread_join(t->thread, NULL);
	stop_exporters(t, ret_counters);
	fill(t, ret_counters);
	targets_free(t);
}
