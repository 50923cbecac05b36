// SPDX-License-Identifier: Apache-2.0
#pragma once

// Filters over flow records: nfdump's syntax and every field by its name (docs/FILTER.md), parsed
// to a plan that is run over the columns of a batch. A filter is const once parsed. Thread: any.

#include "lib/record/batch.h"

#define FILTER_TEXT_MAX 4096
#define FILTER_DEPTH_MAX 32 // parentheses and "not" within one another
#define FILTER_NODES_MAX 512
#define FILTER_VALUES_MAX 4096 // in all lists together
#define FILTER_CHUNK 1024      // rows looked at in one go

struct filter;

struct filter_error {
	unsigned column; // of the character at fault, from 1 on
	char text[160];	 // for the client
};

// `text` need not end in NUL; nothing but blanks means "any". `ident` is what "ident NAME" is held
// against (the entity), or NULL. 0; -EINVAL with *ret_error set; -ENOMEM.
[[nodiscard]] int filter_parse(
	const char *text,
	size_t len,
	const char *ident,
	struct filter **ret_filter,
	struct filter_error *ret_error
);
void filter_free(struct filter *f);

// RECORD_BIT()s of the columns it looks at.
uint64_t filter_fields(const struct filter *f);

// Whether every record passes: nothing needs to be looked at.
bool filter_is_any(const struct filter *f);

// Which of the n <= FILTER_CHUNK rows from `first` on pass: bit i % 64 of word i / 64 is row
// first + i. Bits behind the last row are 0. Returns whether any passes.
bool filter_rows(
	const struct filter *f,
	const struct record_batch *b,
	uint32_t first,
	uint32_t n,
	uint64_t ret_mask[static FILTER_CHUNK / 64]
);
