// SPDX-License-Identifier: Apache-2.0
#pragma once

// The parser of filters, inside: conditions' sets of values (filter_set.c) and the tree over them
// (filter_parse.c). Every function returns 0, -EINVAL with the error set, or -ENOMEM. Thread: the
// owner's.

#include "api/query/filter_value.h"

struct filter_parser {
	struct lex lex;
	struct filter *f;
	const char *ident;
	unsigned depth;
	struct filter_error *error;
	uint32_t ranges_cap, nets_cap, texts_cap;
};

// What was wrong at a place of the text, or at the token that is next. -EINVAL.
__attribute__((format(printf, 3, 4))) int
filter_fail(struct filter_parser *p, size_t at, const char *fmt, ...);
int filter_fail_here(struct filter_parser *p, const char *what);

// What follows a subject: "in [list]", or "[comparison] value". The set becomes part of the filter,
// *set says where it is; *ret_not: everything but the set.
[[nodiscard]] int filter_set_parse(
	struct filter_parser *p,
	const struct filter_subject *s,
	struct filter_node *set,
	bool *ret_not
);

// Single entries, for what the language implies.
[[nodiscard]] int filter_set_range(struct filter_parser *p, struct filter_range r, size_t at);
[[nodiscard]] int filter_set_net(struct filter_parser *p, const struct filter_net *net, size_t at);
