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

// What can be said of all rows of a block at once.
enum filter_outcome { FILTER_NO_ROW, FILTER_SOME_ROWS, FILTER_EVERY_ROW };

// A filter at work on one block after the other: what it says of the addresses of a dictionary is
// worked out once a block. Belongs to one thread.
struct filter_block;

struct filter_block *filter_block_create(const struct filter *f); // NULL without memory
void filter_block_free(struct filter_block *k);

// Begins with a block, or looks at it again when more of its columns have been read: `loaded` are
// those whose values (or zeros) are in the batch.
enum filter_outcome
filter_block_open(struct filter_block *k, const struct record_batch *b, uint64_t loaded);

// As filter_rows, of that block.
bool filter_block_rows(
	const struct filter_block *k,
	uint32_t first,
	uint32_t n,
	uint64_t ret_mask[static FILTER_CHUNK / 64]
);

// Columns of addresses that the filter looks at.
uint64_t filter_addr_fields(const struct filter *f);

// Which of the n <= FILTER_CHUNK rows from `first` on pass: bit i % 64 of word i / 64 is row
// first + i. Bits behind the last row are 0. Returns whether any passes.
bool filter_rows(
	const struct filter *f,
	const struct record_batch *b,
	uint32_t first,
	uint32_t n,
	uint64_t ret_mask[static FILTER_CHUNK / 64]
);
