// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values of rows as queries see them: the columns of fields.def, and what is worked out from them.
// Thread: any.

#include "lib/record/batch.h"

// A field of fields.def is its own source; the others follow.
enum value_source {
	VALUE_DST_PORT = RECORD_N_FIELDS, // with an ICMP record's type and code, as nfdump has it
	VALUE_DURATION_MS,		  // of whole milliseconds, as nfdump counts it
	VALUE_PPS,
	VALUE_BPS,
	VALUE_BPP,
	VALUE_ALL_PACKETS, // both directions
	VALUE_ALL_BYTES,
	VALUE_FLOWS, // 1
	VALUE_N_SOURCES,
};

// RECORD_BIT()s of the columns a source is made of.
uint64_t value_fields(int s);

// Whether the source is a number: a MAC address is one of 48 bits, texts and addresses are none.
bool value_is_number(int s);

// The greatest number a source can have.
uint64_t value_max(int s);

// The numbers of n rows from `first` on.
void value_load(
	const struct record_batch *b, int s, uint32_t first, uint32_t n, uint64_t *ret_values
);

// The text of a STR field's row; empty when absent.
struct record_str value_text(const struct record_batch *b, enum record_field f, uint32_t row);
