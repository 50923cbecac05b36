// SPDX-License-Identifier: Apache-2.0
#include "lib/base/buf.h"
#include "lib/ipfix/encode.h"
#include "lib/ipfix/encode_options.h"
#include "lib/ipfix/wire.h"
#include "tests/unit/cmocka.h"

#include <errno.h>

#define NOW (1700000000 * NS_PER_SEC + 5 * NS_PER_MSEC)

static struct ipfix_encoder *e;

static int setup(void **)
{
	struct ipfix_encoder_options o = {
		.domain = 7, .max_len = 1472, .biflow = true, .version = 5};
	return ipfix_encoder_create(&o, &e);
}

static int teardown(void **)
{
	ipfix_encoder_free(e);
	return 0;
}

static struct record flow_of(bool v6)
{
	struct record r = {};
	RECORD_SET(&r, start_ns, NOW - 2 * NS_PER_SEC);
	RECORD_SET(&r, end_ns, NOW - NS_PER_SEC);
	RECORD_SET(&r, src, addr_of_v4("\x0a\1\2\3"));
	RECORD_SET(
		&r, dst, v6 ? addr_of_v6("\x20\1\x0d\xb8........wxyz") : addr_of_v4("\xc0\0\2\1")
	);
	RECORD_SET(&r, sport, 40000);
	RECORD_SET(&r, dport, 443);
	RECORD_SET(&r, proto, 6);
	RECORD_SET(&r, packets, 5);
	RECORD_SET(&r, bytes, 5000);
	RECORD_SET(&r, tcp_flags, 0x11b);
	RECORD_SET(&r, in_if, 3);
	RECORD_SET(&r, src_as, 70000); // does not fit
	return r;
}

static struct buf finish(uint16_t n, uint32_t sequence)
{
	const uint8_t *p;
	size_t len = ipfix_encoder_finish(e, NOW, &p, NULL);
	assert_int_equal(len, 24 + 48 * n);
	struct buf b = buf_of(p, len);
	assert_int_equal(buf_u16(&b), 5);
	assert_int_equal(buf_u16(&b), n);
	(void)buf_u32(&b); // uptime
	assert_int_equal(buf_u32(&b), 1700000000);
	assert_int_equal(buf_u32(&b), 5 * NS_PER_MSEC);
	assert_int_equal(buf_u32(&b), sequence);
	assert_int_equal(buf_u8(&b), 0);
	assert_int_equal(buf_u8(&b), 7);
	return b;
}

static void a_biflow_is_two_records(void **)
{
	struct record r = flow_of(false);
	RECORD_SET(&r, rev_packets, 3);
	RECORD_SET(&r, rev_bytes, UINT64_C(1) << 33); // does not fit
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	struct buf b = finish(2, 0);
	assert_int_equal(buf_u16(&b), 0); // no sampling
	assert_int_equal(buf_u32(&b), 0x0a010203);
	assert_int_equal(buf_u32(&b), 0xc0000201);
	assert_int_equal(buf_u32(&b), 0);
	assert_int_equal(buf_u16(&b), 3);
	assert_int_equal(buf_u16(&b), 0);
	assert_int_equal(buf_u32(&b), 5);
	assert_int_equal(buf_u32(&b), 5000);
	uint32_t first = buf_u32(&b), last = buf_u32(&b);
	assert_int_equal(last - first, 1000);
	assert_int_equal(buf_u16(&b), 40000);
	assert_int_equal(buf_u16(&b), 443);
	assert_int_equal(buf_u16(&b), 0x1b);
	assert_int_equal(buf_u8(&b), 6);
	assert_int_equal(buf_u8(&b), 0);
	assert_int_equal(buf_u16(&b), 0); // none, not another
	buf_skip(&b, 6);
	assert_int_equal(buf_u32(&b), 0xc0000201);
	buf_skip(&b, 12);
	assert_int_equal(buf_u32(&b), 3);
	assert_int_equal(buf_u32(&b), UINT32_MAX);
}

static void ipv6_is_refused(void **)
{
	struct record r = flow_of(true);
	const uint8_t *p;
	assert_int_equal(ipfix_encoder_add(e, &r), -EAFNOSUPPORT);
	assert_int_equal(ipfix_encoder_finish(e, NOW, &p, NULL), 0);
	assert_int_equal(ipfix_encoder_templates(e, NOW, &p), 0); // there are none
}

static void thirty_fit_and_the_sequence_counts_them(void **)
{
	struct record r = flow_of(false);
	for (uint32_t round = 0; round < 3; round++) {
		for (int i = 0; i < 29; i++)
			assert_int_equal(ipfix_encoder_add(e, &r), 0);
		struct record two = r;
		RECORD_SET(&two, rev_packets, 1);
		assert_int_equal(ipfix_encoder_add(e, &two), -ENOSPC); // both or none
		assert_int_equal(ipfix_encoder_add(e, &r), 0);
		assert_int_equal(ipfix_encoder_add(e, &r), -ENOSPC);
		(void)finish(30, 30 * round + (round > 1 ? 4 : 0));
		if (round == 1)
			ipfix_encoder_skip(e, 4);
	}
}

static void sampling_is_in_the_header(void **)
{
	struct record r = flow_of(false);
	struct ipfix_sampling s = {.n = 100, .is_random = true};
	struct ipfix_statistics none = {};
	assert_int_equal(ipfix_encoder_add_sampling(e, &s), 0);
	assert_int_equal(ipfix_encoder_add_statistics(e, &none), 0);
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	struct buf b = finish(1, 0);
	assert_int_equal(buf_u16(&b), 2 << 14 | 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_biflow_is_two_records, setup, teardown),
		cmocka_unit_test_setup_teardown(ipv6_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			thirty_fit_and_the_sequence_counts_them, setup, teardown
		),
		cmocka_unit_test_setup_teardown(sampling_is_in_the_header, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
