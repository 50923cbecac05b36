// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sensor's settings: flags and the section "sensor" of weir.yaml. Constant after start.
// Thread: any, read only.

#include "lib/base/config.h"
#include "sensor/packet/parse.h"

struct sensor_config {
	char *pcap;
	struct config_list vdevs;
	struct config_list ports;
	int64_t n_queues;
	int64_t n_mbufs;
	struct config_list targets;
	bool spread;
	char *export_ca, *export_cert, *export_key;
	bool once, loop;
	int64_t rate;
	int64_t idle_ns, active_ns;
	int64_t n_flows;
	char *flow_of;
	struct config_list vxlan_ports;
	bool key_vlan, key_tunnel;
	bool tcp_metrics;
	int64_t n_fragments;
	int64_t emergency_ns;
	bool biflow;
	int64_t template_interval_ns;
	int64_t message_len;
	int64_t export_rate;
	int64_t ring;
	int64_t domain;
	int64_t pen;
	bool idle_sleep;
	bool telemetry;
	char *control, *metrics;
	int64_t memory;
	bool names;
	int64_t sampling;
	bool sampling_random;
	int64_t names_memory;
	struct config_list intel_files, own;
	char *intel_cache;
};

// How packets are to be read.
void sensor_config_parse(const struct sensor_config *c, struct parse_options *ret_options);

extern const struct config_program sensor_program;
