// SPDX-License-Identifier: Apache-2.0
#pragma once

// DPDK for a test process: plain memory, one worker lcore, no devices but those a test makes; and
// captures for net_pcap to replay.

#include "lib/base/clock.h"
#include "sensor/eal.h"
#include "sensor/port.h"
#include "tests/unit/sensor/packet/frames.h"

#include <rte_dev.h>

#include <stdio.h>
#include <unistd.h>

#define T0 (1700000000 * NS_PER_SEC)
#define WAIT_NS (8 * NS_PER_SEC) // for what should take no time at all

// The settings of a sensor with little of everything.
static inline struct sensor_config eal_config(void)
{
	static char none[] = "";
	return (struct sensor_config){
		.pcap = none,
		.export_ca = none,
		.export_cert = none,
		.export_key = none,
		.n_queues = 1,
		.sampling = 1,
		.n_mbufs = 2047,
		.idle_ns = 30 * (int64_t)NS_PER_SEC,
		.active_ns = 300 * (int64_t)NS_PER_SEC,
		.n_flows = 1000,
		.key_vlan = true,
		.n_fragments = 64,
		.key_tunnel = true,
		.flow_of = (char *)"inner",
		.biflow = true,
		.template_interval_ns = 60 * (int64_t)NS_PER_SEC,
		.message_len = 1420,
		.ring = 4096,
		.domain = 1,
		.idle_sleep = true,
		.memory = 64,
	};
}

static inline int eal_begin(void **state)
{
	static char *args[] = {"--no-huge", "--no-shconf", "--iova-mode=va", "-m", "256", NULL};
	const struct sensor_config c = eal_config();
	(void)state;
	return eal_start(&c, 1, args);
}

static inline int eal_end(void **state)
{
	(void)state;
	eal_stop();
	return 0;
}

// An empty capture file without a name.
static inline FILE *eal_capture(void)
{
	const uint32_t head[] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, 1};
	FILE *f = tmpfile();
	assert_non_null(f);
	assert_int_equal(fwrite(head, sizeof(head), 1, f), 1);
	return f;
}

static inline void eal_capture_add(FILE *f, uint64_t time_ns, const struct frame *frame)
{
	uint32_t len = (uint32_t)frame_len(frame);
	const uint32_t head[] = {
		(uint32_t)(time_ns / NS_PER_SEC),
		(uint32_t)(time_ns % NS_PER_SEC / NS_PER_USEC),
		len,
		len,
	};
	assert_int_equal(fwrite(head, sizeof(head), 1, f), 1);
	assert_int_equal(fwrite(frame->bytes, len, 1, f), 1);
}

// Its descriptor, with everything written.
static inline int eal_capture_fd(FILE *f)
{
	assert_int_equal(fflush(f), 0);
	return fileno(f);
}

// A UDP frame of 60 bytes from port `sport`.
static inline void eal_udp(struct frame *f, uint16_t sport)
{
	frame_eth(f, TYPE_IP4);
	frame_ip4(f, PROTO_UDP, 26);
	frame_udp(f, sport, 53);
	frame_bytes(f, 0, 18);
}
