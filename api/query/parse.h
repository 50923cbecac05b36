// SPDX-License-Identifier: Apache-2.0
#pragma once

// The query string of a URL as decoded name=value pairs: '+' is a blank, %XX a byte. Bytes that are
// not UTF-8, NULs, broken escapes and a name that comes twice are refused: two parts of a system
// must never read one string in two ways. Parameters nobody asks for are ignored.
// Thread: any.

#include <stddef.h>

#define QUERY_TEXT_MAX 8192
#define QUERY_PARAMS_MAX 32
#define QUERY_ERROR_LEN 160

struct query_param {
	const char *name, *value; // into the query's text, NUL-terminated
};

struct query {
	size_t n;
	struct query_param params[QUERY_PARAMS_MAX];
	char text[QUERY_TEXT_MAX + 1];
};

// `text` is what follows the '?'. 0, or -EINVAL with a message for the client in `error`.
[[nodiscard]] int query_parse(
	const char *text, size_t len, struct query *ret_query, char error[static QUERY_ERROR_LEN]
);

// NULL when absent.
const char *query_find(const struct query *q, const char *name);

// The "limit" parameter: `def` when absent, capped at `max`; -EINVAL with a message when it is not
// a whole number from 1 on.
[[nodiscard]] int query_limit(
	const struct query *q, unsigned max, unsigned *ret_limit, char error[static QUERY_ERROR_LEN]
);
