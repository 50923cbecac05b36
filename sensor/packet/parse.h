// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes of an Ethernet frame to struct packet, or the named reason why not. Every length is checked
// before it is read; VLAN tags, MPLS labels, IPv6 extension headers and tunnels are walked to a
// fixed depth. Only the headers need to be in the given bytes: byte counts come from the IP header.
//
// A tunnel is opened where its header says so, or, over UDP, where its port says so and what is in
// it can be read; else the packet that carries it is the packet. What is cut off by the capture is
// not guessed: such a packet is dropped as truncated.
// Thread: worker; keeps no state.

#include "sensor/packet/packet.h"
#include "sensor/packet/verdict.h"

#include <stdbool.h>

// Bytes that hold every header the parser can reach in sane traffic: what a frame spread over
// several segments is gathered to.
#define PARSE_HEADERS_LEN 512

#define PARSE_VXLAN_PORTS_MAX 8
#define PARSE_VXLAN_PORT 4789

struct parse_options {
	bool inner; // packets in tunnels, not the tunnels
	uint16_t vxlan_ports[PARSE_VXLAN_PORTS_MAX];
	unsigned n_vxlan_ports;
	uint64_t udp_ports; // of all tunnels over UDP: a bit for each port's low six; 0: none
};

// Without any VXLAN port: PARSE_VXLAN_PORT.
void parse_options_init(
	struct parse_options *o, bool inner, const uint16_t *vxlan_ports, unsigned n_vxlan_ports
);

// `frame` has `len` readable bytes of a frame of `frame_len` bytes. Fills all of *ret_packet but
// time_ns and port; on a drop its contents are undefined.
enum verdict parse_frame(
	const struct parse_options *o,
	const uint8_t *frame,
	size_t len,
	size_t frame_len,
	struct packet *ret_packet
);
