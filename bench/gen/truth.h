// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a correct sensor, collector and API must find: sums over the conversations that were made,
// kept while they are made and never by looking at the bytes written.
// Thread: the owner's.

#include "lib/base/addr.h"

#include <stdbool.h>
#include <stdint.h>

struct truth;

struct truth_flow {
	struct addr src, dst; // initiator, responder
	uint16_t sport, dport;
	uint8_t proto;
	bool denied;
	bool malicious;
	uint64_t packets[2], bytes[2]; // by the initiator, by the responder; IP bytes
	uint64_t start_us, end_us;
};

struct truth *truth_create(void);
void truth_free(struct truth *t);

// 0, or -ENOMEM.
[[nodiscard]] int truth_add(struct truth *t, const struct truth_flow *f);

// A frame that is no IP packet.
void truth_add_non_ip(struct truth *t, uint64_t n);

// One JSON object; "-" is standard output. 0, or -errno.
[[nodiscard]] int truth_write(const struct truth *t, const char *path);
