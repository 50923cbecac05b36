// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names are hostile text: what a stranger put into a packet ends up in terminals, browsers and
// filters. Text of this folder is therefore printable ASCII without spaces, 0x21 to 0x7e. Every
// other byte is kept as \DDD, its value in three decimal digits, and a backslash as \\ (the form of
// RFC 1035 §5.1), so that nothing is lost and two different names never look the same.
// Thread: any; keeps no state.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum text_form {
	TEXT_PLAIN,
	TEXT_LOWER, // A to Z in lower case
	TEXT_LABEL, // of a DNS name: TEXT_LOWER, and dots within it as "\."
};

// A text being written; no final NUL.
struct text {
	char *p;
	size_t len, room;
	bool cut; // something did not fit: from there on nothing is written
};

static inline struct text text_of(char *p, size_t room)
{
	return (struct text){.p = p, .room = room};
}

// Adds n bytes in that form, characters that do not fit and all after them left out.
void text_put(struct text *t, enum text_form form, const uint8_t *p, size_t n);

// Adds a host name: TEXT_LOWER, without dots at its end.
void text_put_host(struct text *t, const uint8_t *p, size_t n);
