// SPDX-License-Identifier: Apache-2.0
#include "api/query/window.h"

#include "api/query/time.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define YEAR_LAST "2499" // later ones do not fit 64 bits of nanoseconds (the year 2554 is the end)

static int parse_minute(
	const struct query *q,
	const char *name,
	char ret_text[static WINDOW_TEXT_LEN],
	uint64_t *ret_ns,
	char error[static QUERY_ERROR_LEN]
)
{
	const char *text = query_find(q, name);
	if (!text) {
		snprintf(
			error,
			QUERY_ERROR_LEN,
			"parameter '%s' is required: YYYY/MM/DD HH:mm, for example 2026/03/25 "
			"09:00",
			name
		);
		return -EINVAL;
	}
	if (clock_parse_minute(text, ret_ns) < 0 || strncmp(text, YEAR_LAST, 4) > 0) {
		snprintf(
			error,
			QUERY_ERROR_LEN,
			"parameter '%s': expected a UTC time as YYYY/MM/DD HH:mm, for example "
			"2026/03/25 09:00",
			name
		);
		return -EINVAL;
	}
	memcpy(ret_text, text, WINDOW_TEXT_LEN);
	return 0;
}

int window_parse(
	const struct query *q, struct window *ret_window, char error[static QUERY_ERROR_LEN]
)
{
	struct window w;
	int ret = parse_minute(q, "start", w.start, &w.from_ns, error);
	if (ret == 0)
		ret = parse_minute(q, "end", w.end, &w.to_ns, error);
	if (ret < 0)
		return ret;
	if (w.from_ns > w.to_ns) {
		snprintf(error, QUERY_ERROR_LEN, "parameter 'start' is after 'end'");
		return -EINVAL;
	}
	w.to_ns += 60 * NS_PER_SEC - 1;
	*ret_window = w;
	return 0;
}

// A parameter's time; *ns stays without it. *ret_minute: it names a minute as a whole.
static int parse_time(
	const struct query *q,
	const char *name,
	uint64_t *ns,
	bool *ret_minute,
	char error[static QUERY_ERROR_LEN]
)
{
	const char *text = query_find(q, name);
	*ret_minute = text && strchr(text, '/');
	if (!text || time_parse(text, strlen(text), ns) == 0)
		return 0;
	snprintf(
		error,
		QUERY_ERROR_LEN,
		"parameter '%s': expected a time such as 2026-03-25T09:00:00Z",
		name
	);
	return -EINVAL;
}

int window_parse_native(
	const struct query *q,
	uint64_t now_ns,
	struct window *ret_window,
	char error[static QUERY_ERROR_LEN]
)
{
	struct window w = {.to_ns = now_ns};
	bool minute;
	int ret = parse_time(q, "end", &w.to_ns, &minute, error);
	if (ret < 0)
		return ret;
	if (minute)
		w.to_ns += 60 * NS_PER_SEC;
	w.from_ns = w.to_ns > NS_PER_HOUR ? w.to_ns - NS_PER_HOUR : 0;
	ret = parse_time(q, "start", &w.from_ns, &minute, error);
	if (ret < 0)
		return ret;
	if (w.from_ns >= w.to_ns) {
		snprintf(error, QUERY_ERROR_LEN, "parameter 'start' is not before 'end'");
		return -EINVAL;
	}
	w.to_ns--;
	*ret_window = w;
	return 0;
}
