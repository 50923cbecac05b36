// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes of an Ethernet frame to struct packet, or the named reason why not. Every length is checked
// before it is read; VLAN tags and IPv6 extension headers are walked to a fixed depth. Only the
// headers need to be in the given bytes: byte counts come from the IP header.
// Thread: worker; keeps no state.

#include "sensor/packet/packet.h"
#include "sensor/packet/verdict.h"

// Bytes that hold every header the parser can reach in sane traffic: what a frame spread over
// several segments is gathered to.
#define PARSE_HEADERS_LEN 512

// `frame` has `len` readable bytes of a frame of `frame_len` bytes. Fills all of *ret_packet but
// time_ns and port; on a drop its contents are undefined.
enum verdict
parse_frame(const uint8_t *frame, size_t len, size_t frame_len, struct packet *ret_packet);
