// SPDX-License-Identifier: Apache-2.0

// The filter language: whatever parses can be run, and is the opposite of its negation (but where
// flags are asked for: "not flags SA" is that neither is set).

#include "api/query/filter_plan.h"
#include "lib/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS 70

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct record_batch *rows(void)
{
	static struct record_batch *b;
	if (b)
		return b;
	b = record_batch_create(ROWS);
	assert(b);
	for (uint32_t i = 0; i < ROWS; i++) {
		struct record r = {};
		uint8_t v4[4] = {10, 0, 0, (uint8_t)i};
		RECORD_SET(&r, start_ns, 1700000000 * NS_PER_SEC + i);
		RECORD_SET(&r, end_ns, r.start_ns + i * NS_PER_SEC);
		RECORD_SET(&r, src, addr_of_v4(v4));
		RECORD_SET(&r, dst, ((struct addr){.b = {0x20, 1, 0xd, 0xb8, [15] = (uint8_t)i}}));
		RECORD_SET(&r, dport, (uint16_t)(i * 7));
		RECORD_SET(&r, proto, (uint8_t)(i % 3 ? 6 : 1));
		RECORD_SET(&r, tcp_flags, (uint16_t)i);
		RECORD_SET(&r, bytes, i * 1000);
		RECORD_SET(&r, packets, i);
		RECORD_SET(
			&r,
			server_name,
			((struct record_str){"www.example.net", (uint16_t)(i % 16)})
		);
		assert(record_batch_add(b, &r) == 0);
	}
	return b;
}

static bool has_flags(const struct filter *f)
{
	for (uint16_t i = 0; i < f->n_nodes; i++)
		if (f->nodes[i].op == FILTER_BITS || f->nodes[i].op == FILTER_ANY_BITS)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char negated[FILTER_TEXT_MAX + 8];
	uint64_t mask[FILTER_CHUNK / 64], other[FILTER_CHUNK / 64];
	struct filter *f = NULL, *g = NULL;
	struct filter_error e = {}, unused;
	int ret = filter_parse((const char *)data, size, "netflow", &f, &e);
	if (ret < 0) {
		assert(ret == -EINVAL && e.column >= 1 && e.column <= size + 1 && *e.text);
		return 0;
	}
	filter_rows(f, rows(), 0, ROWS, mask);
	assert(mask[1] >> (ROWS - 64) == 0);
	// a comment would swallow the parenthesis; an empty filter has no negation
	int n = snprintf(negated, sizeof(negated), "not(%.*s\n)", (int)size, (const char *)data);
	if (n < (int)sizeof(negated) && !has_flags(f) &&
	    filter_parse(negated, (size_t)n, "netflow", &g, &unused) == 0) {
		assert(filter_fields(f) == filter_fields(g));
		filter_rows(g, rows(), 0, ROWS, other);
		assert((mask[0] ^ other[0]) == ~0ull);
		assert((mask[1] ^ other[1]) == (1ull << (ROWS - 64)) - 1);
	}
	filter_free(g);
	filter_free(f);
	return 0;
}
