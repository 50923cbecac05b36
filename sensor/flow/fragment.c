// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/fragment.h"

#include "lib/base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKET_ENTRIES 8
#define N_MAX (1u << 24)
#define LIFETIME_NS (30 * NS_PER_SEC) // as Linux waits for the rest (ipfrag_time)
#define RANGES_MAX 8
#define UNIT 8 // fragments begin at multiples of it

// Bytes that have come, in units: [begin, end).
struct range {
	uint16_t begin, end;
};

struct entry {
	struct flow_key key; // addresses, id and protocol instead of ports, VLANs, tunnel
	uint64_t born_ns;    // 0: free
	uint16_t sport, dport;
	uint8_t proto;
	bool has_ports;
	uint8_t n_ranges; // joined where they touch; further ones are not looked at
	struct range ranges[RANGES_MAX];
};

struct fragments {
	struct fragment_counters counters;
	struct flow_secret secret;
	uint32_t n_buckets;
	struct entry *entries;
};

struct fragments *fragments_create(size_t n)
{
	struct fragments *f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	n = n < N_MAX ? n : N_MAX;
	f->n_buckets = (uint32_t)(n / BUCKET_ENTRIES) + 1;
	f->entries = calloc((size_t)f->n_buckets * BUCKET_ENTRIES, sizeof(f->entries[0]));
	if (!f->entries || getrandom(&f->secret, sizeof(f->secret), 0) != sizeof(f->secret)) {
		fragments_free(f);
		return NULL;
	}
	return f;
}

void fragments_free(struct fragments *f)
{
	if (!f)
		return;
	free(f->entries);
	free(f);
}

const struct fragment_counters *fragments_counters(const struct fragments *f)
{
	return &f->counters;
}

// One datagram's fragments are of one direction: the addresses are not ordered. Those of IPv6 may
// differ in what follows their header (RFC 8200 §4.5), those of IPv4 may not.
static struct flow_key key_of(const struct packet *pkt)
{
	uint64_t proto = addr_is_v4(&pkt->src) ? pkt->proto : 0;
	return (struct flow_key){
		.low = pkt->src,
		.high = pkt->dst,
		.rest = (uint64_t)pkt->fragment_id << 32 | (uint64_t)pkt->vlan << 20 |
			(uint64_t)pkt->cvlan << 8 | proto,
		.tunnel = pkt->tunnel,
	};
}

static bool is_over(const struct entry *e, uint64_t now_ns)
{
	uint64_t age = now_ns > e->born_ns ? now_ns - e->born_ns : e->born_ns - now_ns;
	return age > LIFETIME_NS; // also when the clock was set back
}

// The datagram's entry, or a new one: free, over, or the oldest.
static struct entry *entry_of(struct fragments *f, const struct packet *pkt)
{
	struct flow_key key = key_of(pkt);
	uint64_t hash = flow_key_hash(&key, &f->secret);
	struct entry *bucket = &f->entries[((hash >> 32) * f->n_buckets >> 32) * BUCKET_ENTRIES];
	struct entry *oldest = bucket, *room = NULL;
	for (struct entry *e = bucket; e < bucket + BUCKET_ENTRIES; e++) {
		bool is_free = !e->born_ns || is_over(e, pkt->time_ns);
		if (!is_free && flow_key_eq(&e->key, &key))
			return e;
		if (is_free && !room)
			room = e;
		if (e->born_ns < oldest->born_ns)
			oldest = e;
	}
	if (!room) {
		room = oldest;
		f->counters.evicted++;
	}
	*room = (struct entry){.key = key, .born_ns = pkt->time_ns | 1};
	return room;
}

static void remove_range(struct entry *e, unsigned i)
{
	e->ranges[i] = e->ranges[--e->n_ranges];
}

// Adds what the fragment has. True when some of it was there.
static bool add_range(struct entry *e, const struct packet *pkt)
{
	uint32_t begin = pkt->fragment & FRAGMENT_OFFSET;
	uint32_t end = begin + (pkt->fragment_len + UNIT - 1u) / UNIT;
	bool overlaps = false;
	for (unsigned i = 0; i < e->n_ranges;) {
		struct range r = e->ranges[i];
		overlaps |= begin < r.end && r.begin < end;
		if (begin > r.end || r.begin > end) {
			i++;
			continue;
		}
		begin = r.begin < begin ? r.begin : begin;
		end = r.end > end ? r.end : end;
		remove_range(e, i);
	}
	if (e->n_ranges < RANGES_MAX && begin < end)
		e->ranges[e->n_ranges++] = (struct range){(uint16_t)begin, (uint16_t)end};
	return overlaps;
}

void fragments_resolve(struct fragments *f, struct packet *pkt)
{
	struct entry *e = entry_of(f, pkt);
	bool is_first = !(pkt->fragment & FRAGMENT_OFFSET);
	f->counters.seen++;
	f->counters.overlapping += add_range(e, pkt);
	if (is_first && !e->has_ports) { // of two that claim to be first, the first
		e->sport = pkt->sport;
		e->dport = pkt->dport;
		e->proto = pkt->proto;
		e->has_ports = true;
	} else if (!is_first && e->has_ports) {
		pkt->sport = e->sport;
		pkt->dport = e->dport;
		pkt->proto =
			e->proto; // IPv6: a later one names what stands first behind its header
		f->counters.resolved++;
	} else if (!is_first) {
		f->counters.without++;
	}
}
