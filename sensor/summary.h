// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sums of a run. Every packet is in a flow or dropped for a named reason, every flow is
// exported or dropped for one; what is left over is the residue, and a fault of ours. Thread:
// control.

#include "sensor/export/targets.h"
#include "sensor/worker.h"

#include <jansson.h>

struct summary {
	uint64_t packets;      // read, or lost by the ports
	uint64_t flow_packets; // in flows
	uint64_t bytes;	       // of those, IP bytes
	uint64_t flows;
	uint64_t exported; // records of flows: one for each collector
	uint64_t verdicts[PACKET_N_VERDICTS];
	struct port_drops port;
	uint64_t ring_full;
	unsigned copies; // of each flow, for as many collectors; the rest counts them
	uint64_t target_full, no_target, unfit, unsent;
	uint64_t n_flows;   // at hand
	uint64_t in_flight; // ended, on their way
	uint64_t evicted;   // flows: told, but no drop
	uint64_t hits;	    // flows that an indicator matched
	struct names_counters names;
	struct fragment_counters fragments;
	uint64_t hurried, emergencies;
};

void summary_add_port(struct summary *s, const struct port *p);
void summary_add_worker(struct summary *s, const struct worker_sums *w);
void summary_add_targets(struct summary *s, const struct targets_counters *t);

// What is neither exported nor dropped of the flows that ended is on its way as long as the sensor
// runs. Called last; without it they are in the residue.
void summary_let_fly(struct summary *s);

// 0 when every packet and every flow is accounted for.
int64_t summary_residue(const struct summary *s);

// Packets and flows by the reason they were dropped for, and what was found of names; those that
// are 0 too if asked for. The caller's, NULL without memory.
[[nodiscard]] json_t *summary_drops(const struct summary *s, bool zeros);
[[nodiscard]] json_t *summary_names(const struct summary *s, bool zeros);

// As one JSON object without line breaks; a string of the caller's to free, NULL without memory.
[[nodiscard]] char *summary_format(const struct summary *s);
