// SPDX-License-Identifier: Apache-2.0
#pragma once

// A flow as the worker keeps it: both directions of a conversation in two adjacent cache lines, the
// first holding what every packet compares and changes. It is handed to the exporter as it is.
// The key is canonical: the lower end first, so that both directions meet the same flow; which end
// began is a bit beside it.
// Thread: worker, then (by the ring) exporter.

#include "lib/base/addr.h"
#include "sensor/names/stage.h"

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

// flowEndReason, RFC 5102 §5.11.3
enum flow_end {
	FLOW_END_NONE = 0,
	FLOW_END_IDLE = 1,
	FLOW_END_ACTIVE = 2,
	FLOW_END_DETECTED = 3,
	FLOW_END_FORCED = 4,
	FLOW_END_RESOURCES = 5,
};

enum { FLOW_FORWARD = 0, FLOW_REVERSE = 1 };

struct flow_key {
	struct addr low, high;
	uint64_t
		rest; // port of low 16, port of high 16, VLAN 12, customer VLAN 12, protocol 8 bits
	uint64_t tunnel; // kind 8 bits, id 56 bits
};

struct flow {
	alignas(128) struct flow_key key;
	uint64_t last_ns;
	uint16_t tcp_flags[2];	  // [FLOW_FORWARD], [FLOW_REVERSE]
	uint8_t tcp_state;	  // enum tcp_state
	bool forward_is_high : 1; // the higher end began the conversation
	bool has_extra : 1;	  // there is more of it: extra.h
	bool has_more : 1;	  // and more: more.h
	uint8_t port;
	uint8_t end_reason; // enum flow_end, once it ended
	uint64_t start_ns;  // of this record; not set while packets are 0
	uint64_t packets[2];
	uint64_t bytes[2];
	uint8_t macs[12]; // of the first packet: destination, source
	uint8_t tos;
	uint8_t icmp_type, icmp_code;
	uint16_t vlan, cvlan; // of the first packet; in the key only when so configured
	union {
		struct names_flow names; // in the table
		uint32_t extra_at;	 // in the ring
	};
};
static_assert(sizeof(struct flow) == 128, "two cache lines");
static_assert(offsetof(struct flow, start_ns) == 64, "the hot half is one cache line");

static inline uint16_t flow_key_port(const struct flow_key *k, bool high)
{
	return (uint16_t)(k->rest >> (high ? 32 : 48));
}

static inline uint8_t flow_key_proto(const struct flow_key *k)
{
	return (uint8_t)k->rest;
}
