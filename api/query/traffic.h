// SPDX-License-Identifier: Apache-2.0
#pragma once

// Traffic of a host, or of all hosts of some networks, by kind and time: what OphanimFlow's clients
// ask for. The kind follows from the port of the far end; `total` has all, tcp, udp and icmp count
// beside the kinds.
// Thread: a query worker; may block and allocate.

#include "api/query/walk.h"

enum traffic_class {
	TRAFFIC_TOTAL,
	TRAFFIC_ICMP,
	TRAFFIC_UDP,
	TRAFFIC_TCP,
	TRAFFIC_MAIL,
	TRAFFIC_DNS,
	TRAFFIC_VPN,
	TRAFFIC_FTP,
	TRAFFIC_WEB,
	TRAFFIC_PROXY,
	TRAFFIC_QUIC,
	TRAFFIC_SIP,
	TRAFFIC_N
};

extern const char *const traffic_names[TRAFFIC_N];

// Traffic with a far end's port as bits of its classes, TRAFFIC_TOTAL among them.
unsigned traffic_classes(uint8_t proto, uint16_t far_port);

struct traffic_bin {
	uint64_t bytes[TRAFFIC_N];
};

struct traffic {
	uint64_t from_ns, bin_ns;
	uint32_t n_bins;
	struct traffic_bin *bins;  // the caller's, zeroed
	bool sent;		   // what the hosts sent, else what they received
	const struct addr *host;   // NULL: those of the networks
	const struct prefix *nets; // of none: every host
	size_t n_nets;
};

// Adds the window's traffic. 0, or as walk_rows.
[[nodiscard]] int traffic_run(struct traffic *t, const struct run *run);
