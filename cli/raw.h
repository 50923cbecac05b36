// SPDX-License-Identifier: Apache-2.0
#pragma once

// Captured datagrams to a collector as they are. Each exporter has a socket of its own, bound to
// its address where this host has that address; else the collector sees this host as the exporter.
// Thread: any one at a time; may block.

#include "cli/datagram.h"
#include "lib/base/endpoint.h"

struct raw;

struct raw_counts {
	uint64_t sent;
	uint32_t exporters;
	uint32_t kept; // of them: those whose address could be kept
};

// `control` is asked how many datagrams the collector has read, so that none are sent faster than
// that; NULL: they are sent as fast as they can be. NULL without memory.
struct raw *raw_create(const struct endpoint *to, const char *control);

// 0, or -errno.
[[nodiscard]] int raw_send(struct raw *r, const struct datagram *d);

void raw_finish(struct raw *r, struct raw_counts *ret_counts);
