// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many connections there are, in all and of each address (IPv6: each /64), against their caps.
// The table holds open connections only, so the cap in all bounds it.
// Thread: any.

#include "lib/base/addr.h"

#include <stdint.h>

struct peers;

struct peers *peers_create(uint32_t max_total, uint32_t max_each); // NULL without memory
void peers_free(struct peers *p);

// Counts one more connection. 0; -EMFILE: too many in all; -EDQUOT: too many of this address.
[[nodiscard]] int peers_add(struct peers *p, const struct addr *a);
void peers_del(struct peers *p, const struct addr *a);
uint32_t peers_total(struct peers *p);
