// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the flows of a burst are told apart by beyond their headers: their names, and the threat
// intelligence. A flow is matched once when it begins and once more for each name; what is found is
// kept beside the flow, and a hit is told at once, not at the flow's end. A host that goes on to
// meet the same indicator is told of once a minute; its flows say so all the same.
//
//	begun = flow_table_update(…, flows);
//	inspect_begin(x, now_ns);
//	for each packet of which inspect_wants(): inspect_payload(x, …);
//	inspect_flows(x, begun, flows, probes, db);
//
// Thread: worker; create, free: control.

#include "lib/intel/match.h"
#include "sensor/flow/table.h"

struct inspect;

struct inspect_options {
	struct names *names; // NULL: names are not looked for
	unsigned thread;     // the number at the intelligence's databases
};

struct inspect_counters {
	uint64_t hits;	  // flows that matched
	uint64_t told;	  // at once; the others of the same host and indicator were not
	uint64_t limited; // not told: more than HITS_PER_SEC
	struct intel_counters intel;
};

struct inspect *inspect_create(const struct inspect_options *o); // NULL without memory or chance
void inspect_free(struct inspect *x);

// Begins a burst.
void inspect_begin(struct inspect *x, struct flow_table *table, uint64_t now_ns);

// Whether the payload of a packet of this flow is asked for. Thread: any.
static inline bool inspect_wants(const struct flow *f, const struct packet *p)
{
	return names_wants(&f->names, p->payload_len, p->tcp_flags);
}

// The payload of packet i of the burst: `len` bytes.
void inspect_payload(
	struct inspect *x,
	struct flow *f,
	const struct flow_probe *probe,
	const struct packet *p,
	const uint8_t *payload,
	size_t len
);

// Matches the flows that began (bits of `begun`) and the names found; ends the burst. `db` may be
// NULL.
void inspect_flows(
	struct inspect *x,
	uint64_t begun,
	struct flow *const *flows,
	const struct flow_probe *probes,
	const struct intel_db *db
);

const struct inspect_counters *inspect_counters(const struct inspect *x);
