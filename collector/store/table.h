// SPDX-License-Identifier: Apache-2.0
#pragma once

// The stored sums of an hour: one value of totals and protocols, and the hosts and ports in sorted
// parts of bounded size, each a few arrays of integers. They count exactly the hour's sealed rows.
// Thread: the owner's of the coder.

#include "collector/store/ints.h"
#include "collector/store/key.h"
#include "collector/store/rollup.h"

#define TABLE_VERSION 1
#define TABLE_HOSTS 1024 // of a part: small enough to look one host up, large enough to pack well
#define TABLE_PORTS 4096

struct table_hour {
	struct rollup_totals totals; // flows: the sealed rows
	uint64_t n_blocks;	     // sealed so far: the next one's number
	struct rollup_proto protos[256];
	uint32_t n_protos;
};

[[nodiscard]] int table_hour_encode(const struct table_hour *h, struct bytes *out);
[[nodiscard]] int table_hour_decode(struct slice value, struct table_hour *ret_hour);

// Up to TABLE_HOSTS (TABLE_PORTS) entries in rising order as a value. 0, or -ENOMEM.
[[nodiscard]] int table_hosts_encode(
	struct ints_coder *c, const struct rollup_host *hosts, uint32_t n, struct bytes *out
);
[[nodiscard]] int table_ports_encode(
	struct ints_coder *c, const struct rollup_port *ports, uint32_t n, struct bytes *out
);

// The entries of a part, how many in *ret_n. 0, -EIO or -ENOMEM.
[[nodiscard]] int table_hosts_decode(
	struct ints_coder *c,
	struct slice value,
	struct rollup_host ret_hosts[static TABLE_HOSTS],
	uint32_t *ret_n
);
// Only the addresses of a part of hosts.
[[nodiscard]] int table_addrs_decode(
	struct ints_coder *c,
	struct slice value,
	struct addr ret_addrs[static TABLE_HOSTS],
	uint32_t *ret_n
);
[[nodiscard]] int table_ports_decode(
	struct ints_coder *c,
	struct slice value,
	struct rollup_port ret_ports[static TABLE_PORTS],
	uint32_t *ret_n
);
