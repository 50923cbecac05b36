// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of the flow table, shared by table.c and expire.c only.
//
// Due times are lower bounds, kept in ticks of 134 ms: packets do not move them (their line stays
// clean), the sweep looks a due flow in the face and sets a new one. A bucket holds the low 16 bits
// of each, at most DUE_AHEAD from when they were set; a group of buckets the whole number, so that
// the sweep passes by a group of which nothing is due, and knows when 16 bits no longer tell.
// Thread: worker.

#include "lib/base/clock.h"
#include "sensor/flow/more.h"
#include "sensor/flow/table.h"
#include "sensor/flow/tcp.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BUCKET_SLOTS 16
#define GROUP_BUCKETS 32
#define TICK_SHIFT 27 // ns to ticks
#define DUE_AHEAD 0x3fff
#define SWEEP_NS (250 * NS_PER_MSEC)
#define DUE_NEVER UINT64_MAX

struct flow_bucket {
	alignas(128) uint16_t tags[BUCKET_SLOTS]; // 0: free
	uint16_t due[BUCKET_SLOTS];
	uint32_t flows[BUCKET_SLOTS]; // their places in the slab
};
static_assert(sizeof(struct flow_bucket) == 128, "two adjacent cache lines");

struct flow_table {
	struct flow_bucket *buckets;
	struct flow *flows;	// the slab: those in use stand close together
	struct flow_more *more; // of each place, where has_more
	uint32_t *free_flows;	// places that were given back: a stack
	uint32_t n_free;
	uint32_t n_touched;  // places from here on were never used
	uint64_t *group_due; // ticks; DUE_NEVER: all free
	uint32_t n_buckets;
	uint32_t n_groups;
	uint32_t sweep_at; // group
	struct flow_key_parts key_parts;
	bool metrics;
	bool is_emergency; // too full: unanswered flows end after emergency_ns
	uint32_t n_expected;
	uint64_t emergency_ns;
	uint64_t ahead; // ticks by which flows are looked at before they are due
	uint64_t idle_ns, active_ns;
	uint64_t now_ns;   // the latest time given
	uint64_t swept_ns; // up to which the sweep is paid for
	struct flow_ring *out;
	struct flow_extras *extras; // NULL: none
	struct names *names;	    // NULL: none
	struct flow_secret secret;
	struct flow_counters counters;
	size_t map_len[4]; // of buckets, flows, free_flows, more
};

// The slots of which the tag is `tag`, a bit each; the same by plain C.
static inline uint32_t bucket_match_plain(const struct flow_bucket *b, uint16_t tag)
{
	uint32_t mask = 0;
	for (unsigned i = 0; i < BUCKET_SLOTS; i++)
		mask |= (uint32_t)(b->tags[i] == tag) << i;
	return mask;
}

static inline uint32_t bucket_match(const struct flow_bucket *b, uint16_t tag)
{
#ifdef __SSE2__
	__m128i wanted = _mm_set1_epi16((short)tag);
	__m128i low = _mm_load_si128((const __m128i *)(const void *)b->tags);
	__m128i high = _mm_load_si128((const __m128i *)(const void *)(b->tags + 8));
	return (uint32_t)_mm_movemask_epi8(
		_mm_packs_epi16(_mm_cmpeq_epi16(low, wanted), _mm_cmpeq_epi16(high, wanted))
	);
#else
	return bucket_match_plain(b, tag);
#endif
}

static inline struct flow *bucket_flow(const struct flow_table *t, uint32_t bucket, unsigned slot)
{
	return &t->flows[t->buckets[bucket].flows[slot]];
}

static inline struct flow_more *flow_more_of(const struct flow_table *t, const struct flow *f)
{
	return &t->more[f - t->flows];
}

// When the flow is over, unless a packet comes before.
static inline uint64_t flow_idle_at(const struct flow_table *t, const struct flow *f)
{
	if (__builtin_expect(f->tcp_state == TCP_CLOSED, 0))
		return f->last_ns + TCP_LINGER_NS;
	return f->last_ns + t->idle_ns;
}

// When its record is, packets or not.
static inline uint64_t flow_active_at(const struct flow_table *t, const struct flow *f)
{
	return f->start_ns + t->active_ns;
}

// A flow that nobody answered and that nothing more is known of: what floods and scans are made of.
static inline bool flow_is_unanswered(const struct flow *f)
{
	return f->packets[FLOW_REVERSE] == 0 &&
	       (f->packets[FLOW_FORWARD] == 1 || f->tcp_flags[FLOW_FORWARD] == TCP_SYN);
}

// Why the record is over at now_ns, or FLOW_END_NONE. The timeout that came first names the reason,
// however late one looks.
static inline enum flow_end
flow_over(const struct flow_table *t, const struct flow *f, uint64_t now_ns)
{
	uint64_t idle_at = flow_idle_at(t, f), active_at = flow_active_at(t, f);
	if (__builtin_expect(now_ns < idle_at && now_ns < active_at, 1))
		return FLOW_END_NONE;
	if (f->tcp_state == TCP_CLOSED)
		return FLOW_END_DETECTED;
	return active_at < idle_at ? FLOW_END_ACTIVE : FLOW_END_IDLE;
}

// Notes when the flow in a slot may be over at the earliest.
void flow_set_due(struct flow_table *t, uint32_t bucket, unsigned slot);

// Lets go of what belongs to the flow but is not in its slot, before that is free, or another's.
static inline void flow_drop(struct flow_table *t, struct flow *f)
{
	if (f->names.stage == NAMES_HELD)
		names_end(t->names, &f->names);
	if (__builtin_expect(f->has_extra, 0))
		flow_extras_del(t->extras, (size_t)(f - t->flows));
	f->has_extra = false;
}

// Frees the slot, and the place of its flow, which has been dropped.
static inline void bucket_free(struct flow_table *t, uint32_t bucket, unsigned slot)
{
	t->buckets[bucket].tags[slot] = 0;
	t->free_flows[t->n_free++] = t->buckets[bucket].flows[slot];
}

// Hands the record to the exporter. The slot stays taken.
void flow_end(struct flow_table *t, struct flow *f, enum flow_end reason);

// Ends the record when it is over at now_ns. True when the flow itself is over; one that is only
// past its active timeout goes on with an empty record.
bool flow_expire(struct flow_table *t, struct flow *f, uint64_t now_ns);
