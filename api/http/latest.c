// SPDX-License-Identifier: Apache-2.0

// GET /mbox/api/netflow/latest: the newest hour that holds records, and the span of all of them.
// An hour of the store stands for the capture file of the same hour that clients ask for.
// Thread: worker.

#include "api/http/app.h"

#define MINUTE "%Y/%m/%d %H:%M"

static json_t *minute(uint64_t ns)
{
	char text[32];
	return json_string(clock_format(ns, MINUTE, text, sizeof(text)));
}

void latest_get(struct call *c)
{
	struct store_hour first, last;
	char file[40];
	int entity = call_entity(c), ret = 0;

	if (entity == -EPERM)
		return;
	if (entity >= 0)
		ret = store_view_hour_last(c->view, (uint16_t)entity, UINT32_MAX, &last);
	if (ret == 1)
		ret = store_view_hour(c->view, (uint16_t)entity, 0, &first);
	if (ret < 0) {
		call_failed(c, ret);
		return;
	}
	if (ret == 0) {
		response_error(
			c->response, 404, "no data stored yet for entity '%s'", c->claims.entity
		);
		return;
	}
	uint64_t start = store_hour_start(last.hour), end = start + NS_PER_HOUR - 1;
	response_ok(
		c->response,
		json_pack(
			"{s:o,s:o,s:s,s:i,s:s,s:b,s:o,s:o}",
			"start",
			minute(start),
			"end",
			minute(end),
			"latest_file",
			clock_format(start, "nfcapd.%Y%m%d%H%M", file, sizeof(file)),
			"interval_sec",
			3600,
			"interval_label",
			"1h",
			"is_cached",
			last.journal_rows == 0,
			"data_start",
			minute(store_hour_start(first.hour)),
			"data_end",
			minute(end)
		)
	);
}
