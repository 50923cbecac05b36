// SPDX-License-Identifier: Apache-2.0
#pragma once

// What became of a packet: kept, or dropped for a named reason. Made from verdict.def; the parser
// returns the value, the worker counts [value], so that no drop can go uncounted.
// Thread: any.

enum verdict {
#define VERDICT(symbol, name, text) PACKET_##symbol,
#include "sensor/packet/verdict.def"
#undef VERDICT
	PACKET_N_VERDICTS
};

struct verdict_info {
	const char *name;
	const char *text;
};

extern const struct verdict_info verdicts[PACKET_N_VERDICTS];
