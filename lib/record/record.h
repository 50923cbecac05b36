// SPDX-License-Identifier: Apache-2.0
#pragma once

// One flow record, as rows pass between wire and store. Made from fields.def. A record says in
// `set` which of its members were given; the others are 0. Text members are borrowed: they point
// into the datagram or batch the record was read from and live as long as it does.
// Thread: any.

#include "lib/base/addr.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEN_WEIR 32473	   // of the example block (RFC 5612); configurable on the wire
#define PEN_REVERSE 29305  // RFC 5103 §6.1
#define RECORD_STR_MAX 255 // bytes of a text member; what is longer is cut

struct record_mac {
	uint8_t b[6];
};

struct record_str {
	const char *p; // not NUL-terminated; foreign bytes
	uint16_t len;
};

typedef uint8_t RECORD_U8;
typedef uint16_t RECORD_U16;
typedef uint32_t RECORD_U32;
typedef uint64_t RECORD_U64;
typedef uint64_t RECORD_TIME;
typedef struct addr RECORD_ADDR;
typedef struct record_mac RECORD_MAC;
typedef struct record_str RECORD_STR;

enum record_field {
#define FIELD(member, type, ie, pen, json, text) FIELD_##member,
#include "lib/record/fields.def"
#undef FIELD
	RECORD_N_FIELDS
};

static_assert(RECORD_N_FIELDS <= 64, "record.set is a 64-bit mask");

struct record {
	uint64_t set; // bit f: enum record_field f was given
#define FIELD(member, type, ie, pen, json, text) RECORD_##type member;
#include "lib/record/fields.def"
#undef FIELD
};

#define RECORD_BIT(member) (1ull << FIELD_##member)

// Gives a member its value: RECORD_SET(&r, proto, 6);
#define RECORD_SET(record, m, value)                                                               \
	do {                                                                                       \
		(record)->m = (value);                                                             \
		(record)->set |= RECORD_BIT(m);                                                    \
	} while (0)

enum record_type {
	RECORD_TYPE_U8,
	RECORD_TYPE_U16,
	RECORD_TYPE_U32,
	RECORD_TYPE_U64,
	RECORD_TYPE_TIME,
	RECORD_TYPE_ADDR,
	RECORD_TYPE_MAC,
	RECORD_TYPE_STR,
};

struct record_field_info {
	const char *name; // JSON and filter name
	const char *text;
	enum record_type type;
	uint16_t offset; // in struct record
	uint8_t width; // bytes of one value in a column; of a STR column: sizeof(struct record_str)
	uint16_t ie;
	uint32_t pen;
};

extern const struct record_field_info record_fields[RECORD_N_FIELDS];

enum record_verdict { VERDICT_ALLOW = 0, VERDICT_DENY = 1 };

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20

// Deny when the exporter says so (forwardingStatus dropped, RFC 7270 §4.12; firewallEvent 3;
// action 2), or when in either direction RST is set and SYN is not; else Allow.
enum record_verdict record_verdict(const struct record *r);

// The other direction of a biflow as a record of its own; false when it saw nothing.
bool record_reverse(const struct record *r, struct record *ret_reverse);

// Text of single values, as the API and the command show them. Each returns `text`.
const char *record_format_proto(uint8_t proto, char text[static 16]);	// "TCP", or the number
const char *record_format_flags(uint16_t flags, char text[static 8]);	// "UAPRSF", '.' if not set
const char *record_format_volume(uint64_t bytes, char text[static 16]); // "169 G", "2.5 G", "512"
