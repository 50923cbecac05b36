// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of a filter: what the parser makes and the evaluation runs. A tree of nodes; each leaf
// asks whether a value is in a set. Thread: the owner's while it is made, then any.

#include "api/query/filter.h"
#include "api/query/value.h"

// What a row of a tree node says. A node's answer is turned round when `negate` is set.
enum filter_op {
	FILTER_ANY,	 // true
	FILTER_AND,	 // of all children
	FILTER_OR,	 // of any child
	FILTER_NUMBER,	 // value is in one of the ranges
	FILTER_BITS,	 // all bits of `bits` are set in the value
	FILTER_ANY_BITS, // any of them is
	FILTER_ADDR,	 // address is in one of the ranges
	FILTER_TEXT,	 // text is one of the texts, whatever the case of letters
	FILTER_CONTAINS, // text contains one of them
};

#define FILTER_NONE UINT16_MAX

struct filter_node {
	uint8_t op;
	bool negate;
	int source;	      // of leaves
	uint16_t child, next; // first child; next child of the same parent
	uint32_t first, n;    // of the set: ranges or texts
	uint64_t bits;
};

struct filter_range {
	uint64_t lo, hi; // both within
};

struct filter_net {
	struct addr lo, hi; // both within
};

struct filter_text {
	uint32_t at, len; // in `text`
};

struct filter {
	uint16_t root, n_nodes;
	uint32_t n_ranges, n_nets, n_texts;
	uint64_t fields;
	struct filter_node nodes[FILTER_NODES_MAX];
	struct filter_range *ranges;
	struct filter_net *nets;
	struct filter_text *texts;
	char text[FILTER_TEXT_MAX];
	uint32_t text_len;
};

// What a leaf says of each value of its column's dictionary; empty where it has none.
struct filter_map {
	size_t at;     // in `bytes`
	uint32_t hits; // bytes that are 1
	bool given;
};

struct filter_block {
	const struct filter *f;
	const struct record_batch *b;
	uint8_t *bytes; // 0 or 1 each
	size_t len, cap;
	struct filter_map maps[FILTER_NODES_MAX];
};

// Whether the address is in one of n ranges that rise and lie apart.
bool filter_in_nets(const struct filter_net *r, uint32_t n, const struct addr *a);
