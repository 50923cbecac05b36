// SPDX-License-Identifier: Apache-2.0
#pragma once

// The interfaces the sensor listens on: a capture, virtual devices and NICs, all as DPDK ports that
// only receive. A port owns its packet buffers.
// Thread: control, while no worker polls the port; port_restart, port_traffic and port_drops also
// its worker.

#include "sensor/config.h"

#include <stdbool.h>
#include <stdint.h>

#define PORTS_MAX 32

struct af_packet;
struct rte_mempool;

struct port {
	uint16_t id;
	uint16_t n_queues;
	uint16_t n_tx_queues; // that the driver insists on
	bool is_virtual;
	struct rte_mempool *pool;
	struct af_packet *kernel; // what net_af_packet listens by; NULL: another driver
	char name[64];
	char description[128]; // how it was asked for
};

// What a port lost before it could be received.
struct port_drops {
	uint64_t missed, errors, no_buffer;
};

struct port_traffic {
	uint64_t packets, bytes; // received by the port
	struct port_drops drops;
};

// Opens and starts all that the settings name. `pcap_fd` is the open capture, or -1. 0 and their
// number, or -errno, logged.
[[nodiscard]] int ports_start(
	const struct sensor_config *c, int pcap_fd, struct port ports[PORTS_MAX], unsigned *ret_n
);
void ports_stop(struct port *ports, unsigned n);

// A capture from its first packet again; 0, or -errno.
[[nodiscard]] int port_restart(const struct port *p);

struct port_drops port_drops(const struct port *p);
struct port_traffic port_traffic(const struct port *p);
