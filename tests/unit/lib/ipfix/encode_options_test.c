// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/encode_options.h"
#include "tests/unit/lib/ipfix/decode.h"

#include <errno.h>

static const uint16_t versions[] = {9, 10};

static struct ipfix_encoder *encoder_of(uint16_t version, uint16_t max_len)
{
	struct ipfix_encoder *e = NULL;
	struct ipfix_encoder_options o = {
		.domain = DOMAIN, .max_len = max_len, .biflow = true, .version = version};
	assert_int_equal(ipfix_encoder_create(&o, &e), 0);
	return e;
}

// Reads a message; the flows in it, and *ret_records with options.
static unsigned receive(const uint8_t *p, size_t len, uint32_t *ret_records)
{
	struct ipfix_message m;
	struct buf b = buf_of(p, len);
	unsigned flows = 0;
	assert_true(len > 0);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_OK);
	ipfix_reader_init(&reader, domain, &m);
	while (ipfix_reader_next(&reader))
		flows++;
	assert_false(reader.is_malformed);
	*ret_records = reader.n_records;
	return flows;
}

static unsigned finish(struct ipfix_encoder *e, uint32_t *ret_records)
{
	const uint8_t *p;
	size_t len = ipfix_encoder_finish(e, NOW, &p, NULL);
	return receive(p, len, ret_records);
}

static struct record flow_of(void)
{
	struct record r = {};
	RECORD_SET(&r, start_ns, NOW);
	RECORD_SET(&r, end_ns, NOW);
	RECORD_SET(&r, src, addr_of_v4("\x0a\0\0\1"));
	RECORD_SET(&r, dst, addr_of_v4("\x0a\0\0\2"));
	RECORD_SET(&r, packets, 5);
	return r;
}

static void sampling_is_applied_to_the_flows_after_it(void **)
{
	for (size_t v = 0; v < 2; v++) {
		for (int is_random = 0; is_random < 2; is_random++) {
			struct ipfix_encoder *e = encoder_of(versions[v], 1420);
			struct ipfix_sampling s = {.n = 128, .is_random = is_random};
			struct record flow = flow_of();
			uint32_t n;
			assert_int_equal(ipfix_encoder_add_sampling(e, &s), 0);
			assert_int_equal(finish(e, &n), 0);
			assert_int_equal(ipfix_encoder_add(e, &flow), 0);
			assert_int_equal(finish(e, &n), 1);
			assert_int_equal(reader.values.r.sampling, 128);
			assert_int_equal(reader.values.r.packets, 5); // raw
			ipfix_encoder_free(e);
			tear_down(NULL);
			set_up(NULL);
		}
	}
}

static void options_are_no_flows(void **)
{
	for (size_t v = 0; v < 2; v++) {
		struct ipfix_encoder *e = encoder_of(versions[v], 1420);
		struct ipfix_statistics s = {1, 2, 3, 4, 5, 6, 7};
		struct ipfix_interface i = {3, "net_af_packet0", "net_af_packet0,iface=eth0"};
		struct record flow = flow_of();
		uint32_t n;
		assert_int_equal(ipfix_encoder_add(e, &flow), 0);
		assert_int_equal(ipfix_encoder_add_statistics(e, &s), 0);
		assert_int_equal(ipfix_encoder_add_interface(e, &i), 0);
		assert_int_equal(ipfix_encoder_add_statistics(e, &s), 0);
		assert_int_equal(finish(e, &n), 1);
		if (versions[v] == 10)
			assert_int_equal(n, 4); // of the sequence
		ipfix_encoder_free(e);
	}
}

static void what_was_told_is_announced_with_the_templates(void **)
{
	struct ipfix_encoder *e = encoder_of(10, 65535);
	struct ipfix_statistics s = {};
	const uint8_t *p;
	uint32_t n;
	size_t before = ipfix_encoder_templates(e, NOW, &p);
	assert_int_equal(ipfix_encoder_add_statistics(e, &s), 0);
	assert_int_equal(finish(e, &n), 0);
	size_t after = ipfix_encoder_templates(e, NOW, &p);
	assert_int_equal(after - before, 4 + 6 + 4 * 8); // a set, its template, eight fields
	(void)receive(p, after, &n);
	assert_int_equal(ipfix_encoder_add_statistics(e, &s), 0);
	size_t len = ipfix_encoder_finish(e, NOW, &p, NULL);
	assert_int_equal(len, 16 + 4 + 4 + 7 * 8); // the record alone
	ipfix_encoder_free(e);
}

static void what_does_not_fit_leaves_nothing(void **)
{
	for (size_t v = 0; v < 2; v++) {
		struct ipfix_encoder *e = encoder_of(versions[v], 1024);
		static char longest[300];
		memset(longest, 'x', sizeof(longest) - 1);
		struct ipfix_interface i = {1, longest, longest};
		uint32_t n = 0, sum = 0;
		for (int k = 0; k < 100; k++) {
			if (ipfix_encoder_add_interface(e, &i) == 0)
				continue;
			assert_int_equal(finish(e, &n), 0);
			sum += n;
			assert_int_equal(ipfix_encoder_add_interface(e, &i), 0);
		}
		assert_int_equal(finish(e, &n), 0);
		if (versions[v] == 10)
			assert_int_equal(sum + n, 100);
		ipfix_encoder_free(e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sampling_is_applied_to_the_flows_after_it),
		TEST(options_are_no_flows),
		TEST(what_was_told_is_announced_with_the_templates),
		TEST(what_does_not_fit_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
