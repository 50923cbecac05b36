// SPDX-License-Identifier: Apache-2.0
#pragma once

// Packets to Ethernet frames: link and IP headers, lengths, checksums.
// Thread: any.

#include "bench/gen/conv.h"

#define FRAME_MAX 1600

// Writes the frame of a conversation's packet and returns its length, padded to Ethernet's least
// (60 without FCS). *ret_ip_len is what a meter counts.
size_t frame_build(
	uint8_t frame[static FRAME_MAX], const struct conv *c, struct packet *p, size_t *ret_ip_len
);

// An ARP request: a frame that is no IP packet. Returns its length.
size_t frame_build_arp(uint8_t frame[static FRAME_MAX], uint32_t i);
