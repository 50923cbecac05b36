// SPDX-License-Identifier: Apache-2.0
#pragma once

// A template, compiled once into steps that copy fields of a row into a struct record: where the
// field is, how it is packed, where it goes. Immutable; a new definition is a new template.
// Thread: the one that owns the domain it belongs to.

#include "lib/base/buf.h"
#include "lib/ipfix/elements.h"

#define IPFIX_FIELDS_LIMIT 512 // of one template; more is refused

enum ipfix_op {
	OP_1_1, // wire bytes, member bytes: the common ones, one move each
	OP_2_2,
	OP_4_4,
	OP_8_8,
	OP_2_4,
	OP_4_8,
	OP_UINT, // any other number of bytes
	OP_ADDR4,
	OP_ADDR6,
	OP_MAC,
	OP_STR,
	OP_FLAGS,
	OP_MPLS,
	OP_ICMP,
	OP_SEGMENT,
};

struct ipfix_step {
	uint16_t from;	// offset in a row of fixed length, or index of the field in a variable one
	uint16_t to;	// offset in struct ipfix_values
	uint16_t len;	// on the wire, or IPFIX_VARLEN
	uint8_t op;	// enum ipfix_op
	uint8_t width;	// of the member
	uint8_t target; // enum record_field or enum ipfix_aux
	bool is_aux;
	bool if_value; // an earlier step has the same target: only a value other than 0 counts
};

// A row being decoded. aux[a] is meaningful when the template's bit of `a` is set.
struct ipfix_values {
	struct record r;
	uint64_t aux[AUX_N_NUMBERS];
	struct record_str texts[AUX_N_TEXTS]; // of options records; from AUX_TEXT_VALUE on
	uint32_t bad_text;		      // texts left out: not UTF-8
};

struct ipfix_template {
	uint16_t id;
	uint16_t n_fields; // those with bytes: walks over a row cost no more than its bytes
	uint16_t n_scope;
	uint16_t n_steps;
	uint16_t n_unknown; // fields of enterprises we do not know
	bool is_options;
	bool is_variable;
	bool both_families; // IPv4 and IPv6 addresses in one row
	uint32_t row_len;   // bytes of a row; of a variable one the least
	uint64_t aux;	    // AUX_BIT()s that it has
	uint64_t set;	    // what every row gives
	uint64_t seen_ns;   // when it was last announced
	uint32_t def_len;
	const uint8_t *def; // the definition itself, to tell a refresh from a change
	uint16_t *lens;	    // of each field
	struct ipfix_step *steps;
	// Where the domain keeps it: in a list of its kind.
	struct ipfix_template *next, **at;
};

// What stands before the fields of a definition.
struct ipfix_template_head {
	uint16_t id;
	uint16_t n_fields; // with the scope fields
	uint16_t n_scope;
	bool is_options;
	bool is_v9; // no enterprise numbers; scope fields have numbers of their own (RFC 3954 §6.1)
	uint32_t weir_pen;
};

// The next definition's head; with n_fields 0 it is a withdrawal (IPFIX). false: the bytes cannot
// be a definition.
bool ipfix_template_head(
	struct buf *b, bool is_v9, bool is_options, struct ipfix_template_head *ret_head
);

// The bytes of the definition's fields, taken from b; NULL when they are cut short.
const uint8_t *
ipfix_template_fields(struct buf *b, const struct ipfix_template_head *head, size_t *ret_len);

// Compiles a definition. 0, -EINVAL when it cannot be (RFC 7011 §6.2: an address of 3 bytes; rows
// without length), or -ENOMEM. *ret_size: memory it takes.
[[nodiscard]] int ipfix_template_compile(
	const struct ipfix_template_head *head,
	const uint8_t *fields,
	size_t len,
	struct ipfix_template **ret_template,
	size_t *ret_size
);

// The row at b, which is moved behind it, as values; false when it is cut short.
bool ipfix_template_row(
	const struct ipfix_template *t, struct buf *b, struct ipfix_values *ret_values
);

// Whether the rows of a variable template, and what pads them, fit the bytes.
bool ipfix_template_fits(const struct ipfix_template *t, struct buf b);

// Adds to a template what ipfix_template_fits needs, and nothing else. Its `lens` have room for the
// definition's fields.
void ipfix_template_measure(
	struct ipfix_template *t,
	const struct ipfix_template_head *head,
	const uint8_t *fields,
	size_t len
);
