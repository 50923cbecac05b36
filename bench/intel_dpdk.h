// SPDX-License-Identifier: Apache-2.0
#pragma once

// The networks of a list in DPDK's own tables, to compare with: rte_hash with a key of address and
// prefix length, of which each end of a flow is looked up under every length in use; rte_fib for
// IPv4 and rte_fib6, which tell the longest prefix at once. Neither knows ports, pairs or names.
// Thread: one.

#include "lib/intel/match.h"

struct dpdk_tables;

struct dpdk_tables *dpdk_tables_create(const struct intel_list *l); // NULL: do not fit
// Whether rte_fib and rte_fib6 could take all of it: IPv6 addresses need several groups of 256
// each.
bool dpdk_has_fib(const struct dpdk_tables *t);
void dpdk_tables_free(struct dpdk_tables *t);

// Both return how much was found, so that looking is not optimised away.
uint64_t dpdk_hash_lookup(struct dpdk_tables *t, const struct intel_query *q, size_t n);
uint64_t dpdk_fib_lookup(struct dpdk_tables *t, const struct intel_query *q, size_t n);
