// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an information element becomes: a member of struct record, or an auxiliary number (times in
// their many encodings, samplers) that is made sense of when the whole record has been read.
// From elements.def, and from fields.def for our own enterprise number.
// Thread: any.

#include "lib/record/record.h"

enum ipfix_kind {
	IPFIX_KIND_UINT,
	IPFIX_KIND_ADDR4,
	IPFIX_KIND_ADDR6,
	IPFIX_KIND_MAC,
	IPFIX_KIND_STR,
	IPFIX_KIND_FLAGS,
	IPFIX_KIND_MPLS,
	IPFIX_KIND_ICMP,
	IPFIX_KIND_SEGMENT,
	IPFIX_KIND_AUX,
	IPFIX_KIND_TEXT,
};

enum ipfix_aux {
	AUX_START_NS,
	AUX_START_US,
	AUX_START_MS,
	AUX_START_UPTIME,
	AUX_START_DELTA,
	AUX_START_S,
	AUX_END_NS,
	AUX_END_US,
	AUX_END_MS,
	AUX_END_UPTIME,
	AUX_END_DELTA,
	AUX_END_S,
	AUX_EVENT_NS,
	AUX_EVENT_US,
	AUX_EVENT_MS,
	AUX_EVENT_S,
	AUX_DURATION_US,
	AUX_DURATION_MS,
	AUX_SYSTEM_INIT,
	AUX_OUT_BYTES,
	AUX_OUT_PACKETS,
	AUX_SAMPLER,
	AUX_SAMPLED,
	AUX_SPACED,
	AUX_SAMPLE_SIZE,
	AUX_POPULATION,
	AUX_ENTITY, // a number of the collector's store
	// Of the word of a hit: how its indicator is explained.
	AUX_INDICATOR_TYPE,
	AUX_SEVERITY,
	AUX_CONFIDENCE,
	AUX_N_NUMBERS,
	AUX_TEXT_VALUE = AUX_N_NUMBERS, // texts from here on
	AUX_TEXT_FEED,
	AUX_TEXT_CATEGORY,
	AUX_TEXT_DESCRIPTION,
	AUX_TEXT_REFERENCE,
	AUX_N
};

#define AUX_BIT(a) (1ull << (a))
#define AUX_N_TEXTS (AUX_N - AUX_N_NUMBERS)
static_assert(AUX_N <= 64, "a template's aux is a 64-bit mask");
// Start and end are listed from the most to the least precise, each as far from its first.
#define AUX_N_TIMES (AUX_END_NS - AUX_START_NS)

struct ipfix_element {
	const char *name; // as IANA has it
	uint8_t kind;	  // enum ipfix_kind
	uint8_t target;	  // enum record_field, or enum ipfix_aux
	uint8_t rank;
};

// The element, or NULL when it is none of ours. `weir_pen` stands in for PEN_WEIR.
const struct ipfix_element *ipfix_element_find(uint16_t ie, uint32_t pen, uint32_t weir_pen);
