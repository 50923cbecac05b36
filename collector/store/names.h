// SPDX-License-Identifier: Apache-2.0
#pragma once

// The different server names of an hour's rows, each once, in the form in which names are compared
// (lower case, no dot at the end) and written backwards: "moc.elpmaxe.www". So the names below a
// name stand together. What is no name is left out: no indicator matches it. Strangers choose the
// names: the index is keyed, and beyond a bound the set is given up.
// Thread: the owner's.

#include "lib/base/siphash.h"
#include "lib/intel/indicator.h"
#include "lib/record/batch.h"

#define NAMES_MAX (1u << 20)		  // of an hour
#define NAMES_TEXT_MAX ((size_t)64 << 20) // bytes of them

struct name {
	uint32_t off; // in the text
	uint8_t len;  // 1..INDICATOR_NAME_MAX
};

struct names {
	struct name *items;
	char *text;
	uint32_t *slots; // position + 1; 0: empty
	size_t n, cap, text_len, text_cap, n_slots;
	struct siphash_key key;
	bool any_row; // a row had a name, if only one that is none
	bool is_over; // there were too many: the set does not have them all
};

void names_init(struct names *s);
void names_fini(struct names *s);

// Adds one that is backwards already. 0 (also when the set is full), or -ENOMEM.
[[nodiscard]] int names_add(struct names *s, const char *text, size_t len);

// Adds the rows' names. 0, or -ENOMEM.
[[nodiscard]] int names_add_batch(struct names *s, const struct record_batch *b);

// Puts them in rising order; nothing may be added afterwards.
void names_sort(struct names *s);

static inline const char *names_text(const struct names *s, size_t i)
{
	return s->text + s->items[i].off;
}

// A name in canonical form, backwards.
void name_reverse(const char *name, size_t len, char *ret_text);

// Bytes first, then the shorter one.
int name_cmp(const char *left, size_t left_len, const char *right, size_t right_len);
