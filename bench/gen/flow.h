// SPDX-License-Identifier: Apache-2.0
#pragma once

// The flows an exporter reports: flow i of a seed is always the same. Uniflows.
// Thread: any.

#include "bench/gen/truth.h"

#define FLOW_LASTS_MAX_MS 5000

struct flow {
	struct truth_flow t; // times are whole milliseconds
	uint8_t tcp_flags, tos;
	uint32_t in_if, out_if, src_as, dst_as;
};

// Begins at start_ms; IPv4 only when v4_only.
void flow_draw(uint64_t seed, uint64_t i, uint64_t start_ms, bool v4_only, struct flow *ret_flow);
