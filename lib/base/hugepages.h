// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hugepages: how much of them DPDK needs for a sensor's settings, and what the machine has. The
// sensor decides by this whether it goes without; the doctor says by the same how to get them.
// Thread: control.

#include <stddef.h>
#include <stdint.h>

#define HUGEPAGES_POOLS_MAX 8

// Pages of one size.
struct hugepages_pool {
	uint64_t page_len; // bytes
	uint64_t n_total, n_free;
};

// Bytes for DPDK's own tables and the packet buffers of so many ports.
uint64_t hugepages_need(size_t n_ports, uint64_t n_mbufs);

// Reads the pools of the whole machine (node -1) or of one NUMA node, in rising order of their page
// length. `root` stands before /sys: "" but in tests. 0, or -errno: -ENOENT when the kernel has no
// hugepages, or the node none.
[[nodiscard]] int hugepages_read(
	const char *root,
	int node,
	struct hugepages_pool ret_pools[HUGEPAGES_POOLS_MAX],
	unsigned *ret_n
);

// Bytes free in all of them.
uint64_t hugepages_free_len(const struct hugepages_pool *pools, unsigned n);
