// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows of several journal blocks brought together and put in the order of their start.
// Thread: sealer.

#include "lib/record/batch.h"

// Appends all rows of `from`. 0, -ENOSPC when they do not fit, or -ENOMEM; then `into` is as it
// was, or (-ENOMEM) only good to be cleared.
[[nodiscard]] int gather_append(struct record_batch *into, const struct record_batch *from);

// The row numbers in rising order of start, rows of equal start as they came; the caller frees
// them. NULL without memory.
uint32_t *gather_order(const struct record_batch *b);
