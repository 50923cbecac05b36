// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reverse DNS: names of addresses by PTR, asked for by c-ares in a thread of its own and kept in a
// bounded cache. Whoever asks waits for a time of its own choosing; what comes later is found in
// the cache by the next one. Names are hostile text and are cleaned before anybody sees them.
// Thread: resolver_lookup from any that may block.

#include "api/resolve/cache.h"

#include <stddef.h>

struct resolver;

struct resolver_options {
	const char *server;  // "ADDRESS:PORT", "system", or "off"
	uint32_t cache_cap;  // addresses
	uint32_t timeout_ms; // of one attempt at one server; there are two
};

// 0, -EINVAL (server), -ENOMEM, or another -errno.
[[nodiscard]] int
resolver_start(const struct resolver_options *options, struct resolver **ret_resolver);
void resolver_stop(struct resolver *r);

// The names of n addresses, "" for each that has none or is not known when timeout_ns is over.
void resolver_lookup(
	struct resolver *r,
	const struct addr *addrs,
	size_t n,
	uint64_t timeout_ns,
	char (*ret_names)[CACHE_NAME_LEN]
);
