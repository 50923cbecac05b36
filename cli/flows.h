// SPDX-License-Identifier: Apache-2.0
#pragma once

// The stored flows of a window, one after the other, read beside a running collector or without
// one. They come hour by hour, within it as the store has them, or in the order of their start when
// that is asked for.
// Thread: any one at a time.

#include "lib/record/record.h"

#define FLOWS_ERROR_LEN 512

struct flows_options {
	const char *dir;	    // of the store
	const char *entity;	    // name
	uint64_t from_ns, until_ns; // of the start, both inclusive
	bool sorted;
};

struct flows;

// 0, or -errno with the words in `error`.
[[nodiscard]] int flows_open(
	const struct flows_options *options,
	struct flows **ret_flows,
	char error[static FLOWS_ERROR_LEN]
);
void flows_close(struct flows *f);

// The next flow: 1, with texts that live until the next call; 0: no more; -errno.
[[nodiscard]] int flows_next(struct flows *f, struct record *ret_record);

// Rows in the hours that the window touches, and how many of those were passed so far.
uint64_t flows_total(const struct flows *f);
uint64_t flows_passed(const struct flows *f);

// Blocks that could not be read.
uint64_t flows_damaged(const struct flows *f);

// "YYYY/MM/DD HH:mm", also with '-' for '/' and 'T' for ' ': the minute's first nanosecond. 0, or
// -EINVAL.
[[nodiscard]] int flows_parse_time(const char *text, uint64_t *ret_ns);

// Options --from and --until to a window, "" for an open end; 0, or -EINVAL with *ret_what.
[[nodiscard]] int flows_parse_window(
	const char *from,
	const char *until,
	struct flows_options *ret_options,
	const char **ret_what
);
