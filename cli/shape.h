// SPDX-License-Identifier: Apache-2.0
#pragma once

// What goes to the collector and comes from it in another shape than the command's own.
// Thread: one.

#include <jansson.h>

json_t *shape_ledger(json_t *answer);

// Who runs this, for the collector's trail of changes.
json_t *shape_by(void);
