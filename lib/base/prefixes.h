// SPDX-License-Identifier: Apache-2.0
#pragma once

// Settings that are lists of networks.
// Thread: any.

#include "lib/base/addr.h"
#include "lib/base/config.h"

// Whether each of them is one.
bool prefixes_are_valid(const struct config_list *list);

// All of a list that has been checked, the caller's to free; NULL without memory.
struct prefix *prefixes_of(const struct config_list *list);
