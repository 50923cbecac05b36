// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a packet can be taken out of: record.tunnel_kind. Thread: any.

#include <stddef.h>
#include <stdint.h>

enum tunnel_kind {
#define TUNNEL(symbol, name, one, text) TUNNEL_##symbol,
#include "lib/record/tunnel.def"
#undef TUNNEL
	N_TUNNEL_KINDS
};

// The kinds that layer2SegmentId (351) names in its highest byte, IANA's numbers; 0 for the others.
static inline uint8_t tunnel_to_segment(uint8_t kind)
{
	return kind == TUNNEL_VXLAN ? 1 : kind == TUNNEL_NVGRE ? 2 : 0;
}

static inline uint8_t tunnel_of_segment(uint8_t encapsulation)
{
	return encapsulation == 1 ? TUNNEL_VXLAN : encapsulation == 2 ? TUNNEL_NVGRE : TUNNEL_NONE;
}
