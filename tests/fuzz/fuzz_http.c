// SPDX-License-Identifier: Apache-2.0

// The beginning of an HTTP stream, whole and cut short. Input: where to cut (2), the stream.

#include "sensor/names/http.h"
#include "tests/fuzz/names.h"

static enum look parse(const uint8_t *p, size_t n, struct names_result *r)
{
	uint8_t *exact = exact_copy(p, n);
	enum look look = http_parse(buf_of(exact, n), r);
	free(exact);
	if (look == LOOK_FOUND)
		check_result(r);
	return look;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct names_result r, cut_r;
	struct buf b = buf_of(data, size);
	size_t cut = buf_u16(&b), n = buf_left(&b);
	enum look look = parse(b.p, n, &r), cut_look = parse(b.p, cut < n ? cut : n, &cut_r);
	assert(cut_look == LOOK_MORE || cut_look == look);
	if (cut_look == LOOK_FOUND)
		assert(cut_r.server_len == r.server_len &&
		       memcmp(cut_r.server, r.server, r.server_len) == 0);
	return 0;
}
