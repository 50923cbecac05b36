// SPDX-License-Identifier: Apache-2.0
#pragma once

// An exporter between rings that a test fills and a collector that it reads.

#include "sensor/export/exporter.h"
#include "sensor/packet/packet.h"
#include "tests/unit/sensor/export/collector.h"

#define N_RINGS 2
#define T0 (1700000000 * NS_PER_SEC)

struct exporting {
	struct exporter_options options;
	struct exporter_source sources[N_RINGS]; // of domains 1 and 2
	uint64_t lost[N_RINGS];
	struct exporter *exporter;	   // NULL: not started
	struct exporter_counters counters; // once it stopped
	struct collector collector;
};

// Usual options and two rings; nothing is started.
static inline struct exporting *exporting_create(uint32_t ring)
{
	struct exporting *x = calloc(1, sizeof(*x));
	assert_non_null(x);
	x->collector.fd = x->collector.listen_fd = -1;
	x->options = (struct exporter_options){
		.target = "",
		.max_len = 1420,
		.biflow = true,
		.template_interval_ns = 60 * NS_PER_SEC,
		.sources = x->sources,
		.n_sources = N_RINGS,
	};
	for (uint32_t i = 0; i < N_RINGS; i++) {
		x->sources[i].ring = flow_ring_create(ring, false);
		x->sources[i].lost = &x->lost[i];
		x->sources[i].domain = i + 1;
	}
	return x;
}

// Opens the collector and starts the exporter towards it.
static inline void exporting_start(struct exporting *x, int type)
{
	collector_open(&x->collector, type);
	x->options.target = x->collector.target;
	assert_int_equal(exporter_start(&x->options, &x->exporter), 0);
	if (type == SOCK_STREAM)
		collector_accept(&x->collector);
}

static inline void exporting_stop(struct exporting *x)
{
	exporter_stop(x->exporter, &x->counters);
	x->exporter = NULL;
}

static inline void exporting_free(struct exporting *x)
{
	collector_close(&x->collector);
	if (x->exporter)
		exporting_stop(x);
	for (int i = 0; i < N_RINGS; i++)
		flow_ring_free(x->sources[i].ring);
	free(x);
}

// The i-th of flows that differ: 10.x.x.x to 192.0.2.1, with or without answers, UDP or TCP.
static inline struct flow exporting_flow(uint32_t i)
{
	uint8_t low[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
	uint8_t proto = i & 1 ? PROTO_TCP : PROTO_UDP;
	return (struct flow){
		.key =
			{
				.low = addr_of_v4(low),
				.high = addr_of_v4("\xc0\0\2\1"),
				.rest = 40000ull << 48 | 443ull << 32 | proto,
			},
		.start_ns = T0 + i * NS_PER_MSEC,
		.last_ns = T0 + i * NS_PER_MSEC + NS_PER_SEC,
		.packets = {1 + i, i & 2 ? 7 : 0},
		.bytes = {100 + i, i & 2 ? 700 : 0},
		.end_reason = FLOW_END_IDLE,
	};
}

static inline bool exporting_push(struct exporting *x, int ring, uint32_t i)
{
	struct flow f = exporting_flow(i);
	return flow_ring_push(x->sources[ring].ring, &f);
}

// Pushes flows first..first+n-1, waiting for room up to a bound.
static inline void exporting_push_all(struct exporting *x, int ring, uint32_t first, uint32_t n)
{
	uint64_t end = clock_mono_ns() + WAIT_MS * NS_PER_MSEC;
	for (uint32_t i = 0; i < n;) {
		if (exporting_push(x, ring, first + i))
			i++;
		else if (clock_mono_ns() > end)
			fail_msg("flow %u waits for room too long", first + i);
		else
			usleep(500);
	}
}
