// SPDX-License-Identifier: Apache-2.0
#pragma once

// One receive queue, one lcore, one flow table, nothing shared: worker.c's turn() is the map of the
// sensor. A worker never locks, allocates, logs or calls the kernel per packet; the clock is read
// once per burst. A replayed capture brings its own times, and may wait.
// Thread: init, fini: control; run: worker; the atomics: any.

#include "sensor/ask.h"
#include "sensor/config.h"
#include "sensor/flow/fragment.h"
#include "sensor/flow/table.h"
#include "sensor/inspect/inspect.h"
#include "sensor/intel.h"
#include "sensor/packet/parse.h"
#include "sensor/port.h"
#include "sensor/sample.h"

#include <stdatomic.h>

struct rte_mbuf;

struct worker_counters {
	uint64_t received; // packets
	uint64_t verdicts[PACKET_N_VERDICTS];
	// of the processor's clock (TSC): in turns with packets, and in those without
	uint64_t busy_cycles, idle_cycles;
};

// All that a worker counts, as of one moment between two turns.
struct worker_sums {
	struct worker_counters worker;
	struct flow_counters flow;
	struct inspect_counters inspect;
	struct names_counters names;
	struct fragment_counters fragments;
	uint64_t n_flows; // at hand
};

struct worker {
	const struct port *port;
	uint16_t queue;
	bool is_replay; // of a capture
	bool is_loop;	// that never ends
	bool by_clock;	// packets get the wall clock's time, not the capture's
	bool idle_sleep;
	uint64_t rate;	   // packets per second; 0: no limit
	uint64_t n_expect; // packets of the capture
	struct parse_options parse;
	struct fragments *fragments;
	struct flow_table *table;
	struct flow_ring *ring;
	struct names *names; // NULL: not looked for
	struct inspect *inspect;
	struct sensor_intel *intel; // NULL: none
	unsigned number;	    // among the workers

	struct sample sample;
	uint64_t now_ns;
	uint64_t round_received;	   // of this round of the replay
	uint64_t round_drops;		   // by the port, before this round
	uint64_t begin_ns, begin_received; // of the pacing
	uint32_t n_silent;		   // polls without a packet
	int time_offset;		   // of the mbuf's timestamp
	uint64_t time_flag;
	struct worker_counters counters;
	struct rte_mbuf *mbufs[FLOW_BURST];
	struct packet packets[FLOW_BURST]; // those kept, and which frame each came in
	const struct rte_mbuf *frames[FLOW_BURST];
	struct flow_probe probes[FLOW_BURST];
	struct flow *flows[FLOW_BURST];

	atomic_uint_least64_t n_turns; // of the loop: a worker that goes on counts up
	uint64_t n_turns_seen;	       // by control
	int error;		// why the input ended before its end, -errno; read after `done`
	atomic_bool stop, done; // done: the input ended, every flow is in the ring

	struct ask ask;
	struct worker_sums sums; // the answer
};

struct worker_place {
	const struct port *port;
	uint16_t queue;
	unsigned number;
	struct sensor_intel *intel; // NULL: none
};

[[nodiscard]] int
worker_init(struct worker *w, const struct sensor_config *c, const struct worker_place *at);
void worker_fini(struct worker *w);

// What the worker counted up to now. False when it did not answer in wait_ns: *ret_sums stays.
// Thread: any that may block, one at a time.
[[nodiscard]] bool worker_sums(struct worker *w, uint64_t wait_ns, struct worker_sums *ret_sums);

// An lcore's function: returns when told to stop, or at the end of a capture.
int worker_run(void *worker);
