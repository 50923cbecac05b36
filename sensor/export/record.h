// SPDX-License-Identifier: Apache-2.0
#pragma once

// An ended flow as the record that leaves: ends put back into the order of the conversation.
// Thread: exporter.

#include "lib/record/record.h"
#include "sensor/flow/flow.h"

void record_of_flow(const struct flow *f, struct record *ret_record);
