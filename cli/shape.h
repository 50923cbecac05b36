// SPDX-License-Identifier: Apache-2.0
#pragma once

// Answers of the collector that are no lists, as rows.
// Thread: one.

#include <jansson.h>

json_t *shape_ledger(json_t *answer);
