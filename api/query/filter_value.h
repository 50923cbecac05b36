// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values of the filter language: text → numbers, addresses. On -EINVAL *ret_what says what was
// expected. Thread: any.

#include "api/query/filter_plan.h"
#include "api/query/filter_words.h"

// "80", "1-1023", "10k", "tcp", "deny", a time, a MAC address: the numbers from lo through hi.
[[nodiscard]] int filter_value_number(
	enum filter_kind kind,
	uint64_t max,
	const struct lex_token *t,
	struct filter_range *ret_range,
	const char **ret_what
);

// Letters of TCP flags as their bits: 0, or -EINVAL.
[[nodiscard]] int filter_value_flags(const struct lex_token *t, uint64_t *ret_bits);

// An address, or a network "10.0.0.0/8" whose host bits do not matter; 0, or -EINVAL.
[[nodiscard]] int filter_value_net(const struct lex_token *t, struct filter_net *ret_net);

// Widens an IPv4 address to its network by a mask as "255.255.0.0": 0, or -EINVAL.
[[nodiscard]] int filter_value_mask(const struct lex_token *t, struct filter_net *net);
