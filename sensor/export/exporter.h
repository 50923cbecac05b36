// SPDX-License-Identifier: Apache-2.0
#pragma once

// The thread that turns ended flows into IPFIX messages and sends them. It drains the ring of every
// worker; each worker is an observation domain with an encoder and a sequence of its own. While a
// TCP collector is away the flows wait in the rings. Without a target they are only counted.
// Thread: start, stop, counters: control; the rest is the exporter's own thread.

#include "lib/ipfix/encode_options.h"
#include "sensor/export/transport.h"
#include "sensor/flow/ring.h"

#include <stddef.h>

struct exporter;

struct exporter_source {
	struct flow_ring *ring;
	const uint64_t *lost; // flows that did not fit the ring: gaps of the sequence
	uint32_t domain;
};

struct exporter_options {
	const char *target; // of transport_init; "" : none
	struct transport_tls tls;
	uint16_t max_len; // of a message
	bool biflow;
	uint32_t pen;
	uint64_t template_interval_ns; // over UDP; of the exporter's own counters over TCP, too
	uint64_t rate;		       // bytes per second at most; 0: no limit
	uint64_t patience_ns; // how long to be without a TCP connection, at the start (then it
			      // fails) and later (then flows are given up); 0: for ever
	struct exporter_source *sources;
	unsigned n_sources;
	// What is told of ourselves, beside the statistics of each source: names of interfaces, and
	// the sampling, if n > 1.
	const struct ipfix_interface *interfaces; // copied; the texts are not
	unsigned n_interfaces;
	struct ipfix_sampling sampling;
	// Fills in what only the source's owner knows: observed flows, packets. NULL: nobody does.
	// Thread: the exporter's.
	void (*statistics)(void *ctx, unsigned source, struct ipfix_statistics *s);
	void *ctx;
};

// In flows; exported + no_target + unfit + unsent is what came out of the rings.
struct exporter_counters {
	uint64_t exported;
	uint64_t no_target;
	uint64_t unfit;	 // NetFlow v5 cannot tell of IPv6
	uint64_t unsent; // sending failed, or the collector was away to the end
	uint64_t hits_told;
	uint64_t messages; // with templates
	uint64_t bytes;
	int error; // why the last sending failed, -errno
};

// The sources are copied, what they point to is not. 0, or -errno: -EINVAL or -EHOSTUNREACH for the
// target's name, else why it cannot be reached or started.
[[nodiscard]] int exporter_start(const struct exporter_options *o, struct exporter **ret_exporter);

// The counters as of one moment, while it runs. False when it did not answer in wait_ns, being busy
// with a connection: *ret_counters stays. Thread: any that may block, one at a time.
[[nodiscard]] bool
exporter_counters(struct exporter *e, uint64_t wait_ns, struct exporter_counters *ret_counters);

// From now on nothing waits for a connection: without one, flows are given up.
void exporter_hurry(struct exporter *e);

// Drains the rings for good (no worker may push any more), sends what is left and ends the thread.
void exporter_stop(struct exporter *e, struct exporter_counters *ret_counters);
