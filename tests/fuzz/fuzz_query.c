// SPDX-License-Identifier: Apache-2.0

// The query string of a URL.

#include "api/query/parse.h"
#include "api/query/window.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define LIMIT 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_window(const struct query *q)
{
	char error[QUERY_ERROR_LEN] = "", again[WINDOW_TEXT_LEN];
	struct window w;
	if (window_parse(q, &w, error) < 0) {
		assert(*error);
		return;
	}
	assert(w.from_ns < w.to_ns && window_hours(&w) > 0 && window_sec(&w) % 60 == 0);
	clock_format(w.from_ns, "%Y/%m/%d %H:%M", again, sizeof(again));
	assert(strcmp(again, w.start) == 0);
	clock_format(w.to_ns, "%Y/%m/%d %H:%M", again, sizeof(again));
	assert(strcmp(again, w.end) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct query q;
	char error[QUERY_ERROR_LEN] = "";
	unsigned limit;
	if (query_parse((const char *)data, size, &q, error) < 0) {
		assert(*error);
		return 0;
	}
	for (size_t i = 0; i < q.n; i++)
		assert(query_find(&q, q.params[i].name) == q.params[i].value);
	check_window(&q);
	int ret = query_limit(&q, LIMIT, &limit, error);
	assert(ret == 0 ? limit >= 1 && limit <= LIMIT : ret == -EINVAL && *error);
	return 0;
}
