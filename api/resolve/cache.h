// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names of addresses, kept for a while: a table with a fixed number of entries, keyed by SipHash
// (outsiders choose the addresses), the least recently used one given up first. An address without
// a name is an entry too.
// Thread: the owner's; the resolver holds its lock.

#include "lib/base/addr.h"

#include <stdint.h>

#define CACHE_NAME_LEN 254 // a DNS name as text, with the final NUL (RFC 1035 §2.3.4)

struct cache;

struct cache *cache_create(uint32_t cap); // NULL without memory
void cache_free(struct cache *c);

// The name ("": has none), good until the next call; NULL: not known (any more).
const char *cache_find(struct cache *c, const struct addr *a, uint64_t now_ns);

// Sets or replaces; `name` is cut to CACHE_NAME_LEN - 1 bytes.
void cache_set(struct cache *c, const struct addr *a, const char *name, uint64_t expires_ns);

// Makes of a name from the network what may be shown: letters, digits, '-', '_' and '.', without
// the final dot, at most CACHE_NAME_LEN - 1 bytes. Anything else gives "".
void cache_clean_name(const char *name, char ret_name[static CACHE_NAME_LEN]);
