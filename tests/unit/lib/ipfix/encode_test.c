// SPDX-License-Identifier: Apache-2.0
#include "lib/base/buf.h"
#include "lib/ipfix/encode.h"
#include "lib/ipfix/wire.h"
#include "tests/unit/cmocka.h"

#include <errno.h>

#define NOW (1700000000 * NS_PER_SEC)

static struct ipfix_encoder *encoder(uint16_t max_len, bool biflow)
{
	struct ipfix_encoder *e = NULL;
	struct ipfix_encoder_options o = {.domain = 7, .max_len = max_len, .biflow = biflow};
	assert_int_equal(ipfix_encoder_create(&o, &e), 0);
	return e;
}

static struct record record_v4(void)
{
	struct record r = {};
	RECORD_SET(&r, start_ns, NOW);
	RECORD_SET(&r, src, addr_of_v4("\x0a\0\0\1"));
	RECORD_SET(&r, dst, addr_of_v4("\x0a\0\0\2"));
	RECORD_SET(&r, proto, 6);
	RECORD_SET(&r, packets, 3);
	return r;
}

static uint32_t sequence_of(const uint8_t *message)
{
	struct buf b = buf_of(message + 8, 4);
	return buf_u32(&b);
}

static void sequence_counts_data_records_only(void **)
{
	struct ipfix_encoder *e = encoder(1400, true);
	struct record r = record_v4();
	const uint8_t *m;
	uint32_t n;

	assert_true(ipfix_encoder_templates(e, NOW, &m) > IPFIX_HEADER_LEN);
	assert_int_equal(sequence_of(m), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ipfix_encoder_add(e, &r), 0);
	assert_true(ipfix_encoder_finish(e, NOW, &m, &n) > 0);
	assert_int_equal(n, 3);
	assert_int_equal(sequence_of(m), 0);
	assert_true(ipfix_encoder_templates(e, NOW, &m) > 0);
	assert_int_equal(sequence_of(m), 3);
	ipfix_encoder_skip(e, 0xfffffffe);
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	assert_true(ipfix_encoder_finish(e, NOW, &m, &n) > 0);
	assert_int_equal(sequence_of(m), 1); // mod 2^32
	ipfix_encoder_free(e);
}

static void nothing_added_is_nothing_to_send(void **)
{
	struct ipfix_encoder *e = encoder(640, true);
	const uint8_t *m;
	assert_int_equal(ipfix_encoder_finish(e, NOW, &m, NULL), 0);
	ipfix_encoder_free(e);
}

static void full_message_takes_no_part_of_a_record(void **)
{
	struct ipfix_encoder *e = encoder(640, true);
	struct record r = record_v4();
	const uint8_t *m;
	uint32_t n = 0, added = 0;
	int ret;

	while (!(ret = ipfix_encoder_add(e, &r)))
		added++;
	assert_int_equal(ret, -ENOSPC);
	size_t len = ipfix_encoder_finish(e, NOW, &m, &n);
	assert_true(len <= 640 && len > 500);
	assert_int_equal(n, added);
	struct buf b = buf_of(m, len);
	assert_int_equal(buf_u16(&b), IPFIX_VERSION);
	assert_int_equal(buf_u16(&b), len);
	buf_skip(&b, 12);
	for (unsigned sets = 0; buf_left(&b); sets++) {
		uint16_t id = buf_u16(&b), set_len = buf_u16(&b);
		assert_int_equal(id, sets ? IPFIX_SET_MIN : IPFIX_SET_TEMPLATE);
		buf_skip(&b, set_len - 4u);
		assert_false(b.bad);
	}
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	ipfix_encoder_free(e);
}

static void largest_record_fits_the_smallest_message(void **)
{
	static const char name[RECORD_STR_MAX];
	struct record r = {};
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		void *value = (char *)&r + record_fields[f].offset;
		if (record_fields[f].type == RECORD_TYPE_STR)
			*(struct record_str *)value = (struct record_str){name, sizeof(name)};
		else
			memset(value, 1, record_fields[f].width);
	}
	r.proto = IPFIX_PROTO_ICMP6;
	r.set = (1ull << RECORD_N_FIELDS) - 1;
	for (int biflow = 0; biflow < 2; biflow++) {
		struct ipfix_encoder *e = encoder(biflow ? 640 : 896, biflow);
		assert_int_equal(ipfix_encoder_add(e, &r), 0);
		ipfix_encoder_free(e);
	}
}

static bool message_holds(const uint8_t *m, size_t len, const char *text)
{
	return memmem(m, len, text, strlen(text)) != NULL;
}

static void texts_are_cut_where_it_does_not_lie(void **)
{
	static const char name[] = "a-host-of-a-name-that-takes-most-of-the-room.example";
	struct ipfix_encoder *e = encoder(619, true);
	struct record r = record_v4();
	char long_name[70];
	const uint8_t *m;

	r.server_name = (struct record_str){name, sizeof(name) - 1};
	r.ja4 = (struct record_str){"t13d1516h2_8daaf6152771_e5627efa2ab1", 36};
	r.alpn = (struct record_str){"h2", 2};
	r.dns_answers = (struct record_str){"192.0.2.100,192.0.2.101", 23};
	r.set |= RECORD_BIT(server_name) | RECORD_BIT(ja4) | RECORD_BIT(alpn) |
		 RECORD_BIT(dns_answers);
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	size_t len = ipfix_encoder_finish(e, NOW, &m, NULL);
	assert_true(message_holds(m, len, name));
	assert_true(message_holds(m, len, "e5627efa2ab1"));
	assert_false(message_holds(m, len, "192.0.2.1")); // six bytes are left: no half address

	r.server_name.len = 36; // 22 are left, one too few
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	len = ipfix_encoder_finish(e, NOW, &m, NULL);
	assert_true(message_holds(m, len, "192.0.2.100"));
	assert_false(message_holds(m, len, "192.0.2.100,"));

	memset(long_name, 'n', sizeof(long_name));
	r.server_name = (struct record_str){long_name, sizeof(long_name)};
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	len = ipfix_encoder_finish(e, NOW, &m, NULL);
	assert_false(message_holds(m, len, "t13d")); // a fingerprint is whole or not there
	ipfix_encoder_free(e);
}

static void too_small_messages_are_refused(void **)
{
	struct ipfix_encoder *e;
	struct ipfix_encoder_options o = {.max_len = 543, .biflow = true};
	assert_int_equal(ipfix_encoder_create(&o, &e), -EINVAL);
}

static void ntp_time_gives_every_nanosecond_back(void **)
{
	for (uint64_t ns = NOW; ns < NOW + NS_PER_SEC; ns += 999983)
		assert_int_equal(ipfix_time_of_ntp(ipfix_time_to_wire(IPFIX_IE_START_NS, ns)), ns);
	uint64_t in_2040 = 2208988800ull * NS_PER_SEC + 5;
	assert_int_equal(
		ipfix_time_of_ntp(ipfix_time_to_wire(IPFIX_IE_START_NS, in_2040)), in_2040
	);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequence_counts_data_records_only),
		cmocka_unit_test(nothing_added_is_nothing_to_send),
		cmocka_unit_test(full_message_takes_no_part_of_a_record),
		cmocka_unit_test(largest_record_fits_the_smallest_message),
		cmocka_unit_test(texts_are_cut_where_it_does_not_lie),
		cmocka_unit_test(too_small_messages_are_refused),
		cmocka_unit_test(ntp_time_gives_every_nanosecond_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
