// SPDX-License-Identifier: Apache-2.0
#pragma once

// The words of the filter language: what can be asked about, and the names of values.
// Thread: any.

#include "api/query/filter_lex.h"
#include "api/query/value.h"

enum filter_kind {
	KIND_NUMBER,
	KIND_PROTO, // number or name
	KIND_FLAGS, // number, or letters that must all be there
	KIND_TIME,
	KIND_ADDR,
	KIND_MAC,
	KIND_TEXT,
	KIND_VERDICT, // allow, deny
	KIND_ACTION,
};

enum filter_sides {
	SIDES_NONE, // one value
	SIDES_ENDS, // "src" and "dst"; either without a word
	SIDES_SRC,  // "src", or without a word
	SIDES_IFS,  // "in" and "out"; either without a word
	SIDES_WAYS, // "in" (forward) and "out" (reverse); forward without a word
};

struct filter_subject {
	const char *word;
	enum filter_kind kind;
	enum filter_sides sides;
	int a, b;	       // b: of the second side
	uint8_t proto, proto2; // what it implies; 0: nothing
};

// The subject of a word; a field of fields.def by its name too. 0, or -ENOENT.
[[nodiscard]] int
filter_subject_find(const struct lex_token *t, struct filter_subject *ret_subject);

// "tcp" → 6. 0, or -ENOENT.
[[nodiscard]] int filter_proto_find(const struct lex_token *t, uint8_t *ret_proto);
