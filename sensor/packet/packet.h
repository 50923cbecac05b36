// SPDX-License-Identifier: Apache-2.0
#pragma once

// One parsed packet: what the flow table needs to know of it, in host byte order. Nothing points
// into the frame; MAC addresses are copied, the payload is told by its place.
// Thread: worker.

#include "lib/base/addr.h"

// What the packet was taken out of; record.tunnel_kind. Decapsulation fills it.
enum tunnel_kind {
	TUNNEL_NONE = 0,
};

enum packet_proto {
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_DCCP = 33,
	PROTO_ICMP6 = 58,
	PROTO_SCTP = 132,
	PROTO_UDPLITE = 136,
};

struct packet {
	uint64_t time_ns;
	uint64_t bytes; // of the IP packet, headers included, as its header says
	struct addr src, dst;
	uint64_t tunnel_id;
	uint32_t tcp_seq;
	uint16_t sport, dport; // of ICMP: both the conversation's type and code, see parse.c
	uint16_t vlan, cvlan;  // outer and inner VLAN id; 0: untagged
	uint16_t tcp_flags;
	uint16_t payload_at;  // of TCP and UDP: bytes from the frame's beginning
	uint16_t payload_len; // as the headers say, cut to the frame; at most UINT16_MAX
	uint8_t proto;
	uint8_t tos;
	uint8_t icmp_type, icmp_code;
	uint8_t tunnel_kind;
	uint8_t port;	  // the interface it came in by
	uint8_t macs[12]; // destination, source: as in the frame
};
