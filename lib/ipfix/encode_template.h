// SPDX-License-Identifier: Apache-2.0
#pragma once

// For encode.c: the templates an encoder sends. A template is a choice of groups of fields, its id
// is IPFIX_SET_MIN + the groups' bits. A record takes the groups in which it has a value, so that
// nobody pays for fields nobody fills.
// Thread: the one that owns the encoder.

#include "lib/base/buf.h"
#include "lib/ipfix/encode.h"

enum ipfix_group {
	GROUP_V6 = 1,	   // addresses are IPv6
	GROUP_REVERSE = 2, // RFC 5103
	GROUP_ICMP = 4,
	GROUP_LINK = 8,
	GROUP_ROUTE = 16,
	GROUP_EXTRA = 32, // names, intelligence, and every field that is in no other group
	GROUP_METRICS = 64,
	N_TEMPLATES = 128,
	GROUP_ALWAYS = 128,
};

struct ipfix_out_field {
	uint8_t field;
	uint8_t type; // enum record_type
	uint16_t offset;
	uint16_t ie;
	uint16_t len; // on the wire, or IPFIX_VARLEN
	uint32_t pen; // 0: IANA
};

struct ipfix_out_template {
	uint8_t n_fields;
	bool announced; // since the stream began or the templates were last asked for
	bool used;
	bool has_entity; // after all fields
	struct ipfix_out_field fields[RECORD_N_FIELDS];
};

// The record.set bits of a group's fields that are exported.
uint64_t ipfix_group_fields(enum ipfix_group group);

void ipfix_out_template_init(
	struct ipfix_out_template *t, unsigned groups, const struct ipfix_encoder_options *options
);

// Its definition.
void ipfix_out_template_put(
	struct wbuf *w,
	unsigned groups,
	const struct ipfix_out_template *t,
	const struct ipfix_encoder_options *options
);
