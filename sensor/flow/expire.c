// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/bucket.h"

#include <string.h>

static uint64_t tick_of(uint64_t ns)
{
	return ns >> TICK_SHIFT;
}

// The first tick at which the flow is over for sure, if no packet comes.
static uint64_t due_tick(const struct flow_table *t, const struct flow *f)
{
	uint64_t base = f->last_ns > t->now_ns ? f->last_ns : t->now_ns;
	uint64_t idle_at = flow_idle_at(t, f), active_at = flow_active_at(t, f);
	uint64_t due = tick_of(idle_at < active_at ? idle_at : active_at) + 1;
	uint64_t earliest = tick_of(base), latest = earliest + DUE_AHEAD;
	if (due < earliest)
		return earliest;
	return due > latest ? latest : due;
}

void flow_set_due(struct flow_table *t, uint32_t bucket, unsigned slot)
{
	uint64_t due = due_tick(t, bucket_flow(t, bucket, slot));
	uint64_t *group = &t->group_due[bucket / GROUP_BUCKETS];
	t->buckets[bucket].due[slot] = (uint16_t)due;
	if (due < *group)
		*group = due;
}

static __attribute__((noinline)) enum flow_ring_push
push_with_extra(struct flow_table *t, const struct flow *f)
{
	uint8_t extra[sizeof(struct flow_more) + FLOW_EXTRA_MAX];
	size_t more = f->has_more ? sizeof(struct flow_more) : 0;
	if (more)
		memcpy(extra, flow_more_of(t, f), more);
	size_t len = more + flow_table_extra(t, f, extra + more);
	enum flow_ring_push pushed = flow_ring_push_extra(t->out, f, extra, len);
	t->counters.extra_lost += pushed == FLOW_RING_BARE;
	return pushed;
}

void flow_end(struct flow_table *t, struct flow *f, enum flow_end reason)
{
	if (f->packets[FLOW_FORWARD] + f->packets[FLOW_REVERSE] == 0)
		return; // nothing came since an active timeout
	f->end_reason = (uint8_t)reason;
	t->counters.flows++;
	t->counters.evicted += reason == FLOW_END_RESOURCES;
	enum flow_ring_push pushed = __builtin_expect(f->has_extra | f->has_more, 0)
					     ? push_with_extra(t, f)
					     : flow_ring_push_extra(t->out, f, NULL, 0);
	if (pushed == FLOW_RING_LOST) // the exporter reads the number meanwhile
		__atomic_store_n(&t->counters.lost, t->counters.lost + 1, __ATOMIC_RELAXED);
}

// Begins the next record of a flow that goes on. Its start is the next packet's time; until then
// the active timeout is counted from here.
static void restart(struct flow_table *t, struct flow *f, uint64_t now_ns)
{
	if (f->has_more)
		flow_more_restart(flow_more_of(t, f));
	f->packets[FLOW_FORWARD] = f->packets[FLOW_REVERSE] = 0;
	f->bytes[FLOW_FORWARD] = f->bytes[FLOW_REVERSE] = 0;
	f->tcp_flags[FLOW_FORWARD] = f->tcp_flags[FLOW_REVERSE] = 0;
	f->start_ns = now_ns;
}

bool flow_expire(struct flow_table *t, struct flow *f, uint64_t now_ns)
{
	enum flow_end reason = flow_over(t, f, now_ns);
	if (reason == FLOW_END_NONE)
		return false;
	flow_end(t, f, reason);
	if (now_ns >= flow_idle_at(t, f))
		return true;
	restart(t, f, now_ns);
	return false;
}

// In an emergency some flows end sooner than they are due.
static void set_emergency(struct flow_table *t, bool is_emergency)
{
	uint64_t sooner = t->idle_ns > t->emergency_ns ? tick_of(t->idle_ns - t->emergency_ns) : 0;
	t->is_emergency = is_emergency;
	t->ahead = !is_emergency ? 0 : sooner < DUE_AHEAD ? sooner : DUE_AHEAD;
	t->counters.emergencies += is_emergency;
}

// Ends a flow that is over in an emergency only.
static bool hurry(struct flow_table *t, struct flow *f)
{
	if (!t->is_emergency || !flow_is_unanswered(f) || t->now_ns < f->last_ns + t->emergency_ns)
		return false;
	flow_end(t, f, FLOW_END_IDLE);
	t->counters.hurried++;
	return true;
}

// Too many flows, until there are an eighth less than too many.
static void look_for_emergency(struct flow_table *t)
{
	uint32_t used = t->n_touched - t->n_free;
	if (!t->is_emergency && used > t->n_expected && t->emergency_ns)
		set_emergency(t, true);
	else if (t->is_emergency && used < t->n_expected - t->n_expected / 8)
		set_emergency(t, false);
}

// Looks after one bucket. `all`: its 16-bit due times no longer tell. The earliest due tick that
// remains.
static uint64_t sweep_bucket(struct flow_table *t, uint32_t bucket, bool all)
{
	struct flow_bucket *b = &t->buckets[bucket];
	uint64_t now = tick_of(t->now_ns), earliest = DUE_NEVER;
	int16_t ahead = (int16_t)t->ahead;
	uint32_t used = ~bucket_match(b, 0) & 0xffff;
	for (; used; used &= used - 1) {
		unsigned slot = (unsigned)__builtin_ctz(used);
		struct flow *f = bucket_flow(t, bucket, slot);
		int16_t left = (int16_t)(b->due[slot] - (uint16_t)now);
		if (all || left <= ahead) {
			if (flow_expire(t, f, t->now_ns) || hurry(t, f)) {
				flow_drop(t, f);
				bucket_free(t, bucket, slot);
				continue;
			}
			flow_set_due(t, bucket, slot);
		}
		uint64_t due = now + (uint64_t)(int64_t)(int16_t)(b->due[slot] - (uint16_t)now);
		earliest = due < earliest ? due : earliest;
	}
	return earliest;
}

// Most groups are not due, and a replay comes by many for each packet.
static inline void sweep_group(struct flow_table *t, uint32_t group, uint64_t limit)
{
	uint64_t due = t->group_due[group];
	if (due > limit)
		return;
	uint64_t now = tick_of(t->now_ns), earliest = DUE_NEVER;
	bool all = now > due && now - due > DUE_AHEAD;
	uint32_t first = group * GROUP_BUCKETS, end = first + GROUP_BUCKETS;
	for (uint32_t b = first; b < end && b < t->n_buckets; b++) {
		uint64_t d = sweep_bucket(t, b, all);
		earliest = d < earliest ? d : earliest;
	}
	t->group_due[group] = earliest;
}

// The clock fell back further than packets are out of order (another capture, a clock set anew):
// the old times say nothing any more.
static __attribute__((noinline)) void rewind_to(struct flow_table *t, uint64_t now_ns)
{
	flow_table_flush(t);
	t->now_ns = t->swept_ns = now_ns;
	t->counters.rewinds++;
}

void flow_table_expire(struct flow_table *t, uint64_t now_ns)
{
	if (t->now_ns > now_ns && t->now_ns - now_ns > t->idle_ns)
		rewind_to(t, now_ns);
	if (now_ns > t->now_ns)
		t->now_ns = now_ns;
	look_for_emergency(t);
	uint64_t elapsed = t->now_ns - t->swept_ns;
	uint64_t per_group = SWEEP_NS / t->n_groups + 1;
	if (elapsed < per_group)
		return;

	uint64_t n = elapsed / per_group;
	if (n > t->n_groups) {
		n = t->n_groups;
		t->swept_ns = t->now_ns;
	} else {
		t->swept_ns += n * per_group;
	}
	uint64_t limit = tick_of(t->now_ns) + t->ahead;
	while (n-- > 0) {
		sweep_group(t, t->sweep_at, limit);
		t->sweep_at = t->sweep_at + 1 == t->n_groups ? 0 : t->sweep_at + 1;
	}
}

static void flush_bucket(struct flow_table *t, uint32_t bucket)
{
	struct flow_bucket *b = &t->buckets[bucket];
	uint32_t used = ~bucket_match(b, 0) & 0xffff;
	for (; used; used &= used - 1) {
		unsigned slot = (unsigned)__builtin_ctz(used);
		struct flow *f = bucket_flow(t, bucket, slot);
		flow_end(t, f, f->tcp_state == TCP_CLOSED ? FLOW_END_DETECTED : FLOW_END_FORCED);
		flow_drop(t, f);
		bucket_free(t, bucket, slot);
	}
}

void flow_table_flush(struct flow_table *t)
{
	for (uint32_t b = 0; b < t->n_buckets; b++)
		if (t->group_due[b / GROUP_BUCKETS] != DUE_NEVER)
			flush_bucket(t, b);
	for (uint32_t g = 0; g < t->n_groups; g++)
		t->group_due[g] = DUE_NEVER;
}
