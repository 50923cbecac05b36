// SPDX-License-Identifier: Apache-2.0
#pragma once

// One parsed packet: what the flow table needs to know of it, in host byte order. Nothing points
// into the frame; MAC addresses are copied, the payload is told by its place. Where tunnels are
// opened it is the innermost IP packet, with the MAC addresses, VLANs and label of the innermost
// Ethernet frame it is in.
// Thread: worker.

#include "lib/base/addr.h"
#include "lib/record/tunnel.h"

#include <stdbool.h>
#include <stddef.h>

#define TUNNEL_ID_BITS 56 // beside the kind in one word

enum packet_proto {
	PROTO_ICMP = 1,
	PROTO_IP4 = 4,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_DCCP = 33,
	PROTO_IP6 = 41,
	PROTO_GRE = 47,
	PROTO_ICMP6 = 58,
	PROTO_L2TP = 115,
	PROTO_SCTP = 132,
	PROTO_UDPLITE = 136,
};

// Of packet.fragment: the offset in units of 8 bytes, and whether more follow.
#define FRAGMENT_OFFSET 0x1fff
#define FRAGMENT_MORE 0x2000

struct packet {
	uint64_t time_ns;
	uint64_t bytes; // of the IP packet, headers included, as its header says
	struct addr src, dst;

	// What not every packet has: the parser begins by clearing it in one go.
	uint64_t tunnel; // kind, and id where both directions have the same: see packet_tunnel()
	uint32_t tunnel_id;
	uint32_t tcp_seq;
	uint32_t mpls_label; // of the top of the stack
	uint32_t fragment_id;
	uint16_t fragment;     // 0: whole
	uint16_t sport, dport; // of ICMP: both the conversation's type and code, see parse.c
	uint16_t vlan, cvlan;  // outer and inner VLAN id; 0: untagged
	uint16_t tcp_flags;
	uint16_t tcp_window;
	uint16_t tcp_len;     // bytes of data, as the headers say; at most UINT16_MAX
	uint16_t payload_at;  // of TCP and UDP: bytes from the frame's beginning
	uint16_t payload_len; // as the headers say, cut to the frame; at most UINT16_MAX
	uint8_t icmp_type, icmp_code;
	uint16_t fragment_len; // of a fragment: its bytes of payload
	uint8_t proto;
	uint8_t tos;
	uint8_t ttl;  // or hop limit
	uint8_t port; // the interface it came in by

	uint8_t macs[12]; // destination, source: as in the frame
};
static inline enum tunnel_kind packet_tunnel_kind(uint64_t tunnel)
{
	return (enum tunnel_kind)(tunnel >> TUNNEL_ID_BITS);
}

// How a tunnel tells flows apart.
static inline uint64_t packet_tunnel(enum tunnel_kind kind, uint32_t id)
{
	static const bool is_shared[N_TUNNEL_KINDS] = {
#define TUNNEL(symbol, name, one, text) [TUNNEL_##symbol] = one,
#include "lib/record/tunnel.def"
#undef TUNNEL
	};
	return (uint64_t)kind << TUNNEL_ID_BITS | (is_shared[kind] ? id : 0);
}

static inline void packet_put_tunnel(struct packet *p, enum tunnel_kind kind, uint32_t id)
{
	p->tunnel = packet_tunnel(kind, id);
	p->tunnel_id = id;
}
