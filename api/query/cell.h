// SPDX-License-Identifier: Apache-2.0
#pragma once

// Columns of an answer and their values. A column is a field of fields.def by its name, or one of
// the few that are made of them; answers as JSON and as CSV have the same ones.
// Thread: any.

#include "api/query/value.h"

#include <stdio.h>

enum cell_type {
	CELL_NUMBER,
	CELL_ADDR,
	CELL_MAC,
	CELL_TIME,
	CELL_TEXT,
	CELL_PROTO,   // a protocol's name
	CELL_FLAGS,   // "...AP.SF"
	CELL_VERDICT, // "Allow", "Deny"
};

#define CELL_NAME_LEN 32
#define CELL_COLUMNS_MAX 64

struct cell_column {
	char name[CELL_NAME_LEN];
	enum cell_type type;
	int source;
	int other;		// second source of a column for either end ("ip", "port"); else -1
	uint8_t v4_len, v6_len; // addresses are cut to these prefixes: 32, 128
};

struct cell {
	uint64_t number;
	struct addr addr;
	struct record_str text;
};

struct cell_columns {
	size_t n;
	struct cell_column c[CELL_COLUMNS_MAX];
};

// "src_ip,dst_port,bytes", of rows. 0, or -EINVAL with the name that means nothing (or comes twice)
// in `bad`.
[[nodiscard]] int
cell_columns_parse(const char *list, struct cell_columns *ret, char bad[static CELL_NAME_LEN]);

// The same of groups: "src_ip/24" (IPv6: /64), "src_ip/24/48" and "ip", "port", "as" too, the
// latter at most once.
[[nodiscard]] int cell_groups_parse(
	const char *list, size_t max, struct cell_columns *ret, char bad[static CELL_NAME_LEN]
);

// RECORD_BIT()s the columns are made of.
uint64_t cell_columns_fields(const struct cell_columns *columns);

// A row's value; its text is the batch's. `other`: of the second source.
struct cell
cell_load(const struct cell_column *c, const struct record_batch *b, uint32_t row, bool other);

// An address as a column of it shows it: cut to its prefix.
struct addr cell_cut(const struct cell_column *c, struct addr a);

// Writes a value as JSON, or as it stands in CSV (RFC 4180).
void cell_print_json(FILE *out, const struct cell_column *c, const struct cell *v);
void cell_print_csv(FILE *out, const struct cell_column *c, const struct cell *v);

// A row of names for CSV, without the line's end.
void cell_print_names(FILE *out, const struct cell_columns *columns);
