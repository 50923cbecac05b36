// SPDX-License-Identifier: Apache-2.0
#pragma once

// A time window as clients give it: "start" and "end" as "YYYY/MM/DD HH:mm" in UTC, the end's
// minute included ("09:59" means through 09:59:59.999999999). Thread: any.

#include "api/query/parse.h"
#include "lib/base/clock.h"

#include <stdint.h>

#define WINDOW_TEXT_LEN 17

struct window {
	uint64_t from_ns, to_ns;     // both inclusive
	char start[WINDOW_TEXT_LEN]; // as given
	char end[WINDOW_TEXT_LEN];
};

// 0, or -EINVAL with a message for the client in `error`.
[[nodiscard]] int
window_parse(const struct query *q, struct window *ret_window, char error[static QUERY_ERROR_LEN]);

// The same of the native routes: times in any form of time.h, `end` itself not included (but a
// minute is, as above). Default: the hour up to now.
[[nodiscard]] int window_parse_native(
	const struct query *q,
	uint64_t now_ns,
	struct window *ret_window,
	char error[static QUERY_ERROR_LEN]
);

static inline uint64_t window_sec(const struct window *w)
{
	return (w->to_ns - w->from_ns + 1) / NS_PER_SEC;
}

// Hours the window touches.
static inline uint32_t window_hours(const struct window *w)
{
	return (uint32_t)(w->to_ns / NS_PER_HOUR - w->from_ns / NS_PER_HOUR + 1);
}
