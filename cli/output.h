// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows on standard output as a table for people, JSON or CSV (RFC 4180) for programs.
// Thread: control.

#include <jansson.h>

enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV };

// "table", "json", "csv": 0, or -EINVAL.
[[nodiscard]] int output_format_parse(const char *text, enum output_format *ret_format);

// Prints `rows`, an array of objects with the same members; a lone object is one row. `columns`,
// ended by NULL, chooses members and their order for table and CSV; JSON gets all of them.
// Members a row does not have are left empty.
void output_rows(json_t *rows, const char *const *columns, enum output_format format);
