// SPDX-License-Identifier: Apache-2.0
#pragma once

// What was taken out of the first bytes of a flow. Texts are printable ASCII, see text.h, and are
// not terminated. A plain value; names_pack makes it as short as its texts are.
// Thread: any.

#include "lib/record/record.h"

#define NAMES_SERVER_MAX RECORD_STR_MAX
#define NAMES_ALPN_MAX 32
#define NAMES_JA4_MAX 36
#define NAMES_ANSWERS_MAX 8
#define NAMES_PACKED_MAX                                                                           \
	(10 + NAMES_SERVER_MAX + NAMES_ALPN_MAX + NAMES_JA4_MAX + NAMES_ANSWERS_MAX * 16)

enum names_kind {
	NAMES_NONE,
#define KIND(symbol, name, text) NAMES_##symbol,
#define COUNTER(name, unit, text)
#include "sensor/names/names.def"
#undef KIND
#undef COUNTER
	NAMES_N_KINDS
};

enum names_flag {
	NAMES_CUT = 1,	  // the server name was longer than NAMES_SERVER_MAX
	NAMES_ECH = 2,	  // the hello had an encrypted one in it, or GREASE for one: tls.h
	NAMES_ANSWER = 4, // rcode and answers are those of a DNS response
};

struct names_result {
	uint8_t kind;  // enum names_kind
	uint8_t flags; // enum names_flag
	uint8_t rcode;
	uint8_t n_answers;
	uint16_t qtype;
	uint8_t server_len, alpn_len, ja4_len;
	char server[NAMES_SERVER_MAX]; // the name
	char alpn[NAMES_ALPN_MAX];
	char ja4[NAMES_JA4_MAX];
	struct addr answers[NAMES_ANSWERS_MAX];
};

// Adds what a later packet of the same flow told: more answers to the same question (A and AAAA are
// asked for in one flow). Into an empty one it is a copy; what names another server changes
// nothing.
void names_merge(struct names_result *r, const struct names_result *later);

// To at most NAMES_PACKED_MAX bytes, which are returned as a number, and back.
size_t names_pack(const struct names_result *r, uint8_t to[NAMES_PACKED_MAX]);
[[nodiscard]] bool names_unpack(const uint8_t *p, size_t len, struct names_result *ret_result);

// The answers' addresses separated by commas, as many as fit in whole; the number of characters.
size_t names_format_answers(const struct names_result *r, char text[RECORD_STR_MAX]);

// Sets the fields of the record. The record's texts lie in `r` and in `answers` from then on.
void names_put_record(
	const struct names_result *r, char answers[RECORD_STR_MAX], struct record *record
);
