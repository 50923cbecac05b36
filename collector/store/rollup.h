// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sums over flow records: totals, per host, per destination port, per protocol, per hour. The same
// accumulator makes the stored tables of an hour when it is sealed and answers queries, by adding
// stored tables and scanned rows in any mixture. Counts both directions of a biflow: what the
// source sent is `bytes`, what the destination sent is `rev_bytes`. A host table therefore says the
// same whether an exporter sends one biflow or two uniflows.
// Thread: the owner's.

#include "lib/record/batch.h"

#include <stddef.h>
#include <stdint.h>

struct rollup_totals {
	uint64_t flows;		 // records
	uint64_t packets, bytes; // both directions
	uint64_t denied;	 // records whose verdict is Deny
};

struct rollup_host {
	struct addr addr;
	uint64_t out_flows, out_packets, out_bytes; // as the sender
	uint64_t in_flows, in_packets, in_bytes;    // as the receiver
	uint64_t denied;			    // records with it at either end
};

struct rollup_port {
	uint16_t port; // destination port of TCP, UDP, SCTP, DCCP, UDP-Lite
	uint8_t proto;
	uint64_t flows, packets, bytes;
};

struct rollup_proto {
	uint8_t proto;
	uint64_t flows, packets, bytes;
};

struct rollup_hour {
	uint32_t hour;
	uint64_t flows, packets, bytes;
};

struct rollup;

// Hosts a rollup holds at most (72 bytes each and an index): beyond it -ENOMEM.
#define ROLLUP_HOSTS_MAX ((size_t)64 << 20)

[[nodiscard]] int rollup_create(struct rollup **ret_rollup);
[[nodiscard]] int rollup_create_capped(size_t hosts_max, struct rollup **ret_rollup);
void rollup_free(struct rollup *r);

// Adds the rows whose start lies in [from_ns, to_ns]. 0, or -ENOMEM.
[[nodiscard]] int
rollup_add_batch(struct rollup *r, const struct record_batch *b, uint64_t from_ns, uint64_t to_ns);

// Adds finished sums (of a stored table). 0, or -ENOMEM. `hour` is where the totals belong.
[[nodiscard]] int rollup_add_totals(struct rollup *r, uint32_t hour, const struct rollup_totals *t);
[[nodiscard]] int rollup_add_host(struct rollup *r, const struct rollup_host *h);
[[nodiscard]] int rollup_add_port(struct rollup *r, const struct rollup_port *p);
void rollup_add_proto(struct rollup *r, const struct rollup_proto *p);

struct rollup_totals rollup_totals(const struct rollup *r);
size_t rollup_n_hosts(const struct rollup *r); // without a walk

enum rollup_order {
	ROLLUP_BY_OUT_BYTES, // hosts
	ROLLUP_BY_IN_BYTES,  // hosts
	ROLLUP_BY_KEY,	     // everything: address, port, number ascending
	ROLLUP_BY_FLOWS,     // ports
	ROLLUP_BY_BYTES,     // ports, protocols
};

// Up to n entries in the order asked for (ties by key) into `ret`; returns how many there are.
// With ret NULL: how many there are in all. Hosts that sent (received) nothing are not among
// ROLLUP_BY_OUT_BYTES (ROLLUP_BY_IN_BYTES).
size_t
rollup_hosts(const struct rollup *r, enum rollup_order by, struct rollup_host *ret, size_t n);
size_t
rollup_ports(const struct rollup *r, enum rollup_order by, struct rollup_port *ret, size_t n);
size_t
rollup_protos(const struct rollup *r, enum rollup_order by, struct rollup_proto *ret, size_t n);
size_t rollup_hours(const struct rollup *r, struct rollup_hour *ret, size_t n); // ascending
