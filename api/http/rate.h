// SPDX-License-Identifier: Apache-2.0
#pragma once

// How often something happened to each address, or each key, within a window: a sliding log, so
// that no window whatever holds more than the limit. IPv6 addresses count by /64, the smallest
// thing one customer gets. The table has a fixed size; the entry unused longest is given up.
// Thread: any.

#include "lib/base/addr.h"

#include <stdint.h>

#define RATE_LIMIT_MAX 1024
#define RATE_KEY_LEN 16

struct rate;

// NULL without memory. `limit` up to RATE_LIMIT_MAX.
struct rate *rate_create(unsigned limit, uint64_t window_ns);
void rate_free(struct rate *r);

// 0: below the limit; else how many seconds until it is again.
unsigned rate_wait_sec(struct rate *r, const struct addr *a, uint64_t now_ns);

// It happened.
void rate_add(struct rate *r, const struct addr *a, uint64_t now_ns);

// The same of a key, in one step: 0 and it counts; or how many seconds until it may again, and it
// does not.
unsigned rate_take(struct rate *r, const uint8_t key[static RATE_KEY_LEN], uint64_t now_ns);
