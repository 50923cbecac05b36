// SPDX-License-Identifier: Apache-2.0

// A DNS message of a datagram, and the same bytes as a stream, whole and cut short. Input: where to
// cut (2), the bytes.

#include "sensor/names/dns.h"
#include "tests/fuzz/names.h"

static enum look parse(const uint8_t *p, size_t n, int fill, struct names_result *r)
{
	uint8_t *exact = exact_copy(p, n);
	memset(r, fill, sizeof(*r));
	enum look look = dns_message_parse(buf_of(exact, n), r);
	free(exact);
	if (look == LOOK_FOUND)
		check_result(r);
	return look;
}

static enum look parse_stream(const uint8_t *p, size_t n, struct names_result *r)
{
	uint8_t *exact = exact_copy(p, n);
	enum look look = dns_stream_parse(buf_of(exact, n), 4096, r);
	free(exact);
	if (look == LOOK_FOUND)
		check_result(r);
	return look;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct names_result r, again;
	struct buf b = buf_of(data, size);
	size_t cut = buf_u16(&b), n = buf_left(&b);
	enum look look = parse(b.p, n, 0, &r);
	assert(parse(b.p, n, 0xff, &again) == look);
	if (look == LOOK_FOUND) {
		uint8_t one[NAMES_PACKED_MAX], other[NAMES_PACKED_MAX];
		size_t len = names_pack(&r, one);
		assert(names_pack(&again, other) == len && memcmp(one, other, len) == 0);
		names_merge(&again, &r);
		check_result(&again);
	}
	look = parse_stream(b.p, n, &r);
	enum look cut_look = parse_stream(b.p, cut < n ? cut : n, &again);
	assert(cut_look == LOOK_MORE || cut_look == look);
	return 0;
}
