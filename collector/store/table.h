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
#define TABLE_INDEX 4096 // addresses alone: a tenth of the bytes of their hosts

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
[[nodiscard]] int table_ports_decode(
	struct ints_coder *c,
	struct slice value,
	struct rollup_port ret_ports[static TABLE_PORTS],
	uint32_t *ret_n
);

// The addresses alone of up to TABLE_INDEX hosts, for those who look for addresses. 0, or -ENOMEM.
[[nodiscard]] int table_index_encode(
	struct ints_coder *c, const struct rollup_host *hosts, uint32_t n, struct bytes *out
);

// The addresses of a part of the index or (with is_hosts) of a part of hosts, as two numbers each:
// the high and the low half.
struct table_index {
	uint32_t n;
	uint64_t hi[TABLE_INDEX], lo[TABLE_INDEX];
};

[[nodiscard]] int table_index_decode(
	struct ints_coder *c, struct slice value, bool is_hosts, struct table_index *ret_index
);
