// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a domain knows - templates and announced rates - as bytes, so that a collector that starts
// again need not wait for them. docs/STORE.md has the bytes. Waiting data is not kept.
// Thread: the one that owns the domain.

#include "lib/base/buf.h"
#include "lib/ipfix/domain.h"

// Writes it; what does not fit sets w->full.
void ipfix_domain_save(const struct ipfix_domain *d, struct wbuf *w, uint64_t now_ns);

// Takes it into an empty domain; `passed_ns` is how long ago it was written. False: the bytes
// cannot be, and the domain is empty again.
bool ipfix_domain_restore(
	struct ipfix_domain *d, struct buf *b, bool is_v9, uint64_t passed_ns, uint64_t now_ns
);
