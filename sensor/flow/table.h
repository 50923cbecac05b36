// SPDX-License-Identifier: Apache-2.0
#pragma once

// The flows of one worker. A bucket is two adjacent cache lines: 16 tags with 16 due times, and the
// places of 16 flows in a slab, where those in use stand close together: few flows touch few pages,
// however large the table is. A packet touches the bucket and its flow's two lines, all of them
// prefetched a burst ahead. Capacity is fixed at creation, memory is taken as it is used: a full
// bucket gives up an unanswered flow, else its oldest (flowEndReason 5). Times come from outside
// (packets or clock) and decide when flows end: on the packet that comes too late, or in
// flow_table_expire; both give the same records. Thread: worker; create, free: control.

#include "sensor/flow/key.h"
#include "sensor/flow/ring.h"
#include "sensor/names/names.h"

#include <stddef.h>

#define FLOW_BURST 64

struct flow_table;

struct flow_table_options {
	size_t n_flows; // expected at the same time
	uint64_t idle_ns, active_ns;
	uint64_t emergency_ns; // idle timeout of unanswered flows while there are more than n_flows
	bool key_vlan, key_tunnel; // tell flows apart
	bool metrics;		   // of every flow: sizes, TTL, what TCP tells; a line more of it
	size_t extra_bytes;	   // of what flows have beside, together; 0: they have nothing
	struct names *names;	   // told when flows end; NULL: nobody is
	struct flow_ring *out;	   // where ended flows go
};

// Where a packet's flow is to be found.
struct flow_probe {
	struct flow_key key;
	uint64_t hash;
	bool src_is_high;
};

struct flow_counters {
	uint64_t packets, bytes;  // in flows
	uint64_t flows;		  // records ended, by whatever reason
	uint64_t evicted;	  // of them: bucket full, reason 5
	uint64_t hurried;	  // of them: by the emergency timeout
	uint64_t emergencies;	  // times there were more flows than expected
	uint64_t lost;		  // of them: the ring to the exporter was full
	uint64_t extra_lost;	  // what flows had beside: the pool, or the ring, was full
	uint64_t told, told_lost; // flow_table_tell()
	uint64_t rewinds;	  // times the clock fell back so far that all flows were ended
};

[[nodiscard]] int
flow_table_create(const struct flow_table_options *o, struct flow_table **ret_table);
void flow_table_free(struct flow_table *t);

// First and second pass over a burst: keys, hashes and prefetches.
void flow_table_probe(
	struct flow_table *t,
	const struct packet *packets,
	uint32_t n,
	struct flow_probe *ret_probes
);

// Third pass: each packet into its flow, which is found or made; at most FLOW_BURST. *ret_flows
// gets them in the packets' order; the bits of those that the packet began are returned. A flow
// stays where it is until it ends, which a later packet of the same burst may bring about: compare
// keys.
uint64_t flow_table_update(
	struct flow_table *t,
	const struct packet *packets,
	uint32_t n,
	const struct flow_probe *probes,
	struct flow **ret_flows
);

// What a flow has beside: it goes along with each of its records, and ends with it. When it cannot
// be kept the flow has nothing, which is counted.
void flow_table_put_extra(struct flow_table *t, struct flow *f, const void *extra, size_t len);
size_t
flow_table_extra(const struct flow_table *t, const struct flow *f, uint8_t to[FLOW_EXTRA_MAX]);

// Sends a copy of the flow as it is now, with flowEndReason FLOW_END_NONE and these bytes beside:
// no record of it, but word of something that cannot wait for one.
void flow_table_tell(struct flow_table *t, const struct flow *f, const void *extra, size_t len);

// Ends what is due at now_ns, a slice of the table per call so that a whole round takes a quarter
// of a second of that time.
void flow_table_expire(struct flow_table *t, uint64_t now_ns);

// Ends every flow (flowEndReason 4).
void flow_table_flush(struct flow_table *t);

// The flows at hand.
size_t flow_table_n(const struct flow_table *t);

const struct flow_counters *flow_table_counters(const struct flow_table *t);
