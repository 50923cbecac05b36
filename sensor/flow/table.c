// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/table.h"

#include "sensor/flow/bucket.h"
#include "sensor/flow/map.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define BUCKET_LOAD 10 // flows per bucket of 16 at capacity: 0.5 % find theirs full (Poisson)
#define N_BUCKETS_MAX (1u << 26)

static int allocate(struct flow_table *t, size_t extra_bytes)
{
	t->map_len[0] = t->n_buckets * sizeof(*t->buckets);
	size_t n_flows = (size_t)t->n_buckets * BUCKET_SLOTS;
	t->map_len[1] = n_flows * sizeof(*t->flows);
	t->map_len[2] = n_flows * sizeof(*t->free_flows);
	t->buckets = flow_map(t->map_len[0]);
	t->flows = flow_map(t->map_len[1]);
	t->free_flows = flow_map(t->map_len[2]);
	t->map_len[3] = n_flows * sizeof(*t->more);
	t->more = flow_map(t->map_len[3]);
	t->group_due = malloc(t->n_groups * sizeof(*t->group_due));
	if (extra_bytes)
		t->extras = flow_extras_create(n_flows, extra_bytes);
	if (!t->buckets || !t->flows || !t->free_flows || !t->more || !t->group_due ||
	    (extra_bytes && !t->extras))
		return -ENOMEM;
	for (uint32_t g = 0; g < t->n_groups; g++)
		t->group_due[g] = DUE_NEVER;
	return 0;
}

int flow_table_create(const struct flow_table_options *o, struct flow_table **ret_table)
{
	size_t n_buckets = o->n_flows / BUCKET_LOAD + 1;
	if (n_buckets > N_BUCKETS_MAX)
		return -ERANGE;
	struct flow_table *t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->n_buckets = (uint32_t)n_buckets;
	t->n_groups = (t->n_buckets + GROUP_BUCKETS - 1) / GROUP_BUCKETS;
	t->key_parts = flow_key_parts(o->key_vlan, o->key_tunnel);
	t->metrics = o->metrics;
	t->n_expected = o->n_flows < UINT32_MAX ? (uint32_t)o->n_flows : UINT32_MAX;
	t->emergency_ns = o->emergency_ns;
	t->idle_ns = o->idle_ns;
	t->active_ns = o->active_ns;
	t->names = o->names;
	t->out = o->out;
	int ret = allocate(t, o->extra_bytes);
	if (ret == 0 && getrandom(&t->secret, sizeof(t->secret), 0) != sizeof(t->secret))
		ret = -EIO;
	if (ret < 0) {
		flow_table_free(t);
		return ret;
	}
	*ret_table = t;
	return 0;
}

void flow_table_free(struct flow_table *t)
{
	if (!t)
		return;
	flow_unmap(t->buckets, t->map_len[0]);
	flow_unmap(t->flows, t->map_len[1]);
	flow_unmap(t->free_flows, t->map_len[2]);
	flow_unmap(t->more, t->map_len[3]);
	flow_extras_free(t->extras);
	free(t->group_due);
	free(t);
}

size_t flow_table_n(const struct flow_table *t)
{
	return t->n_touched - t->n_free;
}

const struct flow_counters *flow_table_counters(const struct flow_table *t)
{
	return &t->counters;
}

static uint32_t bucket_of(const struct flow_table *t, uint64_t hash)
{
	return (uint32_t)((hash >> 32) * t->n_buckets >> 32);
}

static uint16_t tag_of(uint64_t hash)
{
	uint16_t tag = (uint16_t)hash;
	return tag ? tag : 1;
}

// The place that the nth flow from now on will be given: the last one given back is the warmest.
static uint32_t free_place(const struct flow_table *t, uint32_t nth)
{
	return nth < t->n_free ? t->free_flows[t->n_free - 1 - nth]
			       : t->n_touched + (nth - t->n_free);
}

static uint32_t take_place(struct flow_table *t)
{
	return t->n_free ? t->free_flows[--t->n_free] : t->n_touched++;
}

// The slot of a flow that is in the bucket.
static unsigned slot_of(const struct flow_table *t, uint32_t bucket, const struct flow *f)
{
	uint32_t place = (uint32_t)(f - t->flows);
	unsigned slot = 0;
	while (t->buckets[bucket].flows[slot] != place || !t->buckets[bucket].tags[slot])
		slot++;
	return slot;
}

void flow_table_probe(
	struct flow_table *t,
	const struct packet *packets,
	uint32_t n,
	struct flow_probe *ret_probes
)
{
	for (uint32_t i = 0; i < n; i++) {
		struct flow_probe *p = &ret_probes[i];
		p->src_is_high = flow_key_of(&packets[i], &t->key_parts, &p->key);
		p->hash = flow_key_hash(&p->key, &t->secret);
		const char *line = (const char *)&t->buckets[bucket_of(t, p->hash)];
		__builtin_prefetch(line);
		__builtin_prefetch(line + 64);
	}
	uint32_t n_new = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t bucket = bucket_of(t, ret_probes[i].hash);
		const struct flow_bucket *b = &t->buckets[bucket];
		uint32_t hits = bucket_match(b, tag_of(ret_probes[i].hash));
		uint32_t place = hits ? b->flows[__builtin_ctz(hits)] : free_place(t, n_new++);
		const char *line = (const char *)&t->flows[place];
		__builtin_prefetch(line, 1);
		__builtin_prefetch(line + 64, 1);
		if (t->metrics)
			__builtin_prefetch(&t->more[place], 1);
	}
}

// Whether the key does not tell all that is to be known of the packet's way.
static bool needs_more(const struct packet *pkt, const struct flow_key *k)
{
	uint64_t tunnel = pkt->tunnel >> TUNNEL_ID_BITS << TUNNEL_ID_BITS | pkt->tunnel_id;
	return tunnel != k->tunnel || pkt->mpls_label;
}

static __attribute__((noinline)) void
add_more(struct flow_table *t, struct flow *f, const struct packet *pkt)
{
	flow_more_init(flow_more_of(t, f), pkt, t->metrics);
	f->has_more = true;
}

// A new flow of the packet, which is not counted yet. An answer that opens a handshake (SYN+ACK)
// comes from the end that did not begin it.
static void flow_init(
	struct flow_table *t,
	struct flow *f,
	const struct packet *pkt,
	const struct flow_probe *probe
)
{
	bool is_answer = (pkt->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
	*f = (struct flow){
		.key = probe->key,
		.last_ns = pkt->time_ns,
		.start_ns = pkt->time_ns,
		.forward_is_high = probe->src_is_high != is_answer,
		.port = pkt->port,
		.tos = pkt->tos,
		.icmp_type = pkt->icmp_type,
		.icmp_code = pkt->icmp_code,
		.vlan = pkt->vlan,
		.cvlan = pkt->cvlan,
	};
	memcpy(f->macs, pkt->macs + (is_answer ? 6 : 0), 6);
	memcpy(f->macs + 6, pkt->macs + (is_answer ? 0 : 6), 6);
	if (__builtin_expect(t->metrics || needs_more(pkt, &f->key), 0))
		add_more(t, f, pkt);
}

// Whether a gives room rather than b.
static bool goes_before(const struct flow *a, const struct flow *b)
{
	bool a_unanswered = flow_is_unanswered(a), b_unanswered = flow_is_unanswered(b);
	return a_unanswered != b_unanswered ? a_unanswered : a->last_ns < b->last_ns;
}

// Makes room in a full bucket: a closed flow that only lingers, else of those that nobody answered,
// else of all, the one that was silent longest, which may be over by now. The slot.
static __attribute__((noinline)) unsigned
evict(struct flow_table *t, uint32_t bucket, uint64_t now_ns)
{
	unsigned victim = 0;
	for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
		const char *line = (const char *)bucket_flow(t, bucket, i);
		__builtin_prefetch(line);
		__builtin_prefetch(line + 64);
	}
	for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
		struct flow *f = bucket_flow(t, bucket, i);
		if (f->tcp_state == TCP_CLOSED) {
			flow_end(t, f, FLOW_END_DETECTED);
			return i;
		}
		if (goes_before(f, bucket_flow(t, bucket, victim)))
			victim = i;
	}
	struct flow *f = bucket_flow(t, bucket, victim);
	bool is_idle = now_ns >= flow_idle_at(t, f);
	flow_end(t, f, is_idle ? flow_over(t, f, now_ns) : FLOW_END_RESOURCES);
	return victim;
}

static struct flow *
flow_add(struct flow_table *t, const struct packet *pkt, const struct flow_probe *probe)
{
	uint32_t bucket = bucket_of(t, probe->hash);
	uint32_t room = bucket_match(&t->buckets[bucket], 0);
	unsigned slot = room ? (unsigned)__builtin_ctz(room) : evict(t, bucket, pkt->time_ns);
	if (room)
		t->buckets[bucket].flows[slot] = take_place(t);
	struct flow *f = bucket_flow(t, bucket, slot);
	if (!room)
		flow_drop(t, f);
	flow_init(t, f, pkt, probe);
	t->buckets[bucket].tags[slot] = tag_of(probe->hash);
	flow_set_due(t, bucket, slot);
	return f;
}

static struct flow *find(struct flow_table *t, const struct flow_probe *probe)
{
	uint32_t bucket = bucket_of(t, probe->hash);
	uint32_t hits = bucket_match(&t->buckets[bucket], tag_of(probe->hash));
	for (; hits; hits &= hits - 1) {
		struct flow *f = bucket_flow(t, bucket, (unsigned)__builtin_ctz(hits));
		if (flow_key_eq(&f->key, &probe->key))
			return f;
	}
	return NULL;
}

// The packet comes after the end of the flow it would belong to: the same slot begins anew.
// False: only its record ended, the flow goes on.
static __attribute__((noinline)) bool
renew(struct flow_table *t, struct flow *f, const struct packet *pkt, const struct flow_probe *probe
)
{
	if (tcp_reopens(f->tcp_state, pkt->tcp_flags))
		flow_end(t, f, FLOW_END_DETECTED);
	else if (!flow_expire(t, f, pkt->time_ns))
		return false;
	flow_drop(t, f);
	flow_init(t, f, pkt, probe);
	uint32_t bucket = bucket_of(t, probe->hash);
	flow_set_due(t, bucket, slot_of(t, bucket, f));
	return true;
}

static __attribute__((noinline)) void
tcp_ends(struct flow_table *t, struct flow *f, uint64_t hash, uint16_t flags, unsigned dir)
{
	uint8_t before = f->tcp_state;
	f->tcp_state = (uint8_t)tcp_next(before, flags, dir);
	if (f->tcp_state == before || f->tcp_state != TCP_CLOSED)
		return;
	uint32_t bucket = bucket_of(t, hash);
	flow_set_due(t, bucket, slot_of(t, bucket, f));
}

static void count(struct flow *f, const struct packet *pkt, unsigned dir)
{
	bool is_first = f->packets[FLOW_FORWARD] + f->packets[FLOW_REVERSE] == 0; // of this record
	if (is_first || pkt->time_ns < f->start_ns)
		f->start_ns = pkt->time_ns;
	if (is_first || pkt->time_ns > f->last_ns)
		f->last_ns = pkt->time_ns;
	f->packets[dir]++;
	f->bytes[dir] += pkt->bytes;
	f->tcp_flags[dir] |= pkt->tcp_flags;
}

uint64_t flow_table_update(
	struct flow_table *t,
	const struct packet *packets,
	uint32_t n,
	const struct flow_probe *probes,
	struct flow **ret_flows
)
{
	uint64_t begun = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct packet *pkt = &packets[i];
		struct flow *f = find(t, &probes[i]);
		bool is_new = !f;
		if (!f)
			f = flow_add(t, pkt, &probes[i]);
		else if (flow_over(t, f, pkt->time_ns) || tcp_reopens(f->tcp_state, pkt->tcp_flags))
			is_new = renew(t, f, pkt, &probes[i]);
		begun |= (uint64_t)is_new << i;
		ret_flows[i] = f;
		unsigned dir = probes[i].src_is_high != f->forward_is_high;
		count(f, pkt, dir);
		if (__builtin_expect(t->metrics, 0))
			flow_more_count(flow_more_of(t, f), pkt, dir);
		if (pkt->tcp_flags & (TCP_FIN | TCP_RST))
			tcp_ends(t, f, probes[i].hash, pkt->tcp_flags, dir);
		t->counters.bytes += pkt->bytes;
	}
	t->counters.packets += n;
	return begun;
}

void flow_table_put_extra(struct flow_table *t, struct flow *f, const void *extra, size_t len)
{
	size_t slot = (size_t)(f - t->flows);
	f->has_extra = t->extras && flow_extras_put(t->extras, slot, extra, len) == 0;
	t->counters.extra_lost += !f->has_extra;
}

size_t
flow_table_extra(const struct flow_table *t, const struct flow *f, uint8_t to[FLOW_EXTRA_MAX])
{
	return f->has_extra ? flow_extras_get(t->extras, (size_t)(f - t->flows), to) : 0;
}

void flow_table_tell(struct flow_table *t, const struct flow *f, const void *extra, size_t len)
{
	struct flow copy = *f;
	copy.end_reason = FLOW_END_NONE;
	copy.has_more = false;
	bool is_told = flow_ring_push_extra(t->out, &copy, extra, len) == FLOW_RING_OK;
	t->counters.told += is_told;
	t->counters.told_lost += !is_told;
}
