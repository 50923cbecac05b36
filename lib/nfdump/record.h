// SPDX-License-Identifier: Apache-2.0
#pragma once

// One flow record of an nfdump file to a struct record, and back. What the record has no member
// for is counted by its element.
// Thread: any.

#include "lib/record/record.h"

#define NFDUMP_N_ELEMENTS 64
#define NFDUMP_RECORD_MAX 512 // what nfdump_record_encode writes at most

// The name of an element, for messages; never NULL.
const char *nfdump_element_name(unsigned id);

// What a record says beside its members: who it came from, by the number of the exporter record.
struct nfdump_origin {
	uint16_t exporter;
	bool has_domain; // the record itself tells the observation domain
};

// A whole flow record, header included. 0, or -EBADMSG when a length in it cannot be. `left` counts
// elements that were passed over. Members that the record does not give are 0.
[[nodiscard]] int nfdump_record_decode(
	const uint8_t *p,
	size_t len,
	struct record *ret_record,
	struct nfdump_origin *ret_origin,
	uint64_t left[static NFDUMP_N_ELEMENTS]
);

// Writes the record, at most NFDUMP_RECORD_MAX bytes; returns its length. `exporter` is the number
// of its exporter record, 0 for none.
size_t nfdump_record_encode(const struct record *r, uint16_t exporter, uint8_t *to);
