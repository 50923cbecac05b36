// SPDX-License-Identifier: Apache-2.0
#pragma once

// A domain to decode handwritten messages with; a test's end checks that every byte of the budget
// came back.

#include "lib/ipfix/decode.h"
#include "tests/unit/lib/ipfix/message.h"

static struct ipfix_budget budget;
static struct ipfix_domain *domain;
static struct ipfix_reader reader;
static uint64_t now_ns;

static inline int set_up(void **)
{
	const struct ipfix_limits limits = {
		.templates = 1024,
		.fields = IPFIX_FIELDS_LIMIT,
		.pending_len = 65536,
		.pending_ns = 60 * NS_PER_SEC,
		.weir_pen = PEN_WEIR,
	};
	budget = (struct ipfix_budget){.max = 64 << 20};
	domain = ipfix_domain_create(&limits, &budget);
	now_ns = NOW;
	return domain ? 0 : -1;
}

static inline int tear_down(void **)
{
	ipfix_domain_free(domain);
	return budget.used == 0 ? 0 : -1;
}

static inline enum ipfix_status parse(struct ipfix_message *ret_message)
{
	struct buf b = message();
	return ipfix_message_parse(&b, now_ns, ret_message);
}

// Reads the message written; the number of records, the first ones in `ret`.
static inline unsigned read_all(struct record *ret, unsigned max)
{
	struct ipfix_message m;
	struct record *r;
	unsigned n = 0;
	assert_int_equal(parse(&m), IPFIX_OK);
	ipfix_reader_init(&reader, domain, &m);
	while ((r = ipfix_reader_next(&reader))) {
		if (n < max)
			ret[n] = *r;
		n++;
	}
	return n;
}

// The same where nothing but the number matters.
static inline unsigned count_all(void)
{
	return read_all(NULL, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
