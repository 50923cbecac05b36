// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a flow carries for its names to be looked for: four bytes.
// Thread: worker.

#include <stdint.h>

enum names_stage {
	NAMES_NEW = 0, // nothing is known
	NAMES_SYN,     // `at` are the low 16 bits of the first data byte's sequence number
	NAMES_HELD,    // `at` is the room in the pool
	NAMES_DONE,    // nothing more is wanted
};

// All 0 at its start; the rest is for this folder but that `stage` may be compared with NAMES_DONE.
struct names_flow {
	uint16_t at;
	uint8_t n_packets;
	uint8_t stage; // enum names_stage
};
