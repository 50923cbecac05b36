// SPDX-License-Identifier: Apache-2.0

// The encoder's other modes: NetFlow v9, and records that are passed on.

#include "lib/ipfix/encode.h"
#include "tests/unit/lib/ipfix/decode.h"

#include <errno.h>

#define AT (NOW / NS_PER_SEC * NS_PER_SEC)
#define DAY_NS (24 * NS_PER_HOUR)

static struct ipfix_encoder *encoder(const struct ipfix_encoder_options *o)
{
	struct ipfix_encoder *e = NULL;
	assert_int_equal(ipfix_encoder_create(o, &e), 0);
	return e;
}

static struct ipfix_encoder *v9_encoder(bool biflow)
{
	return encoder(&(struct ipfix_encoder_options
	){.domain = 7, .max_len = 1400, .biflow = biflow, .version = NETFLOW9_VERSION});
}

static struct record biflow(uint64_t start_ns)
{
	struct record r = {};
	RECORD_SET(&r, start_ns, start_ns);
	RECORD_SET(&r, end_ns, start_ns + 1234 * NS_PER_MSEC);
	RECORD_SET(&r, src, addr_of_v4("\x0a\0\0\1"));
	RECORD_SET(&r, dst, addr_of_v4("\x0a\0\0\2"));
	RECORD_SET(&r, sport, 1025);
	RECORD_SET(&r, dport, 443);
	RECORD_SET(&r, proto, 6);
	RECORD_SET(&r, tcp_flags, 0x1b);
	RECORD_SET(&r, packets, 3);
	RECORD_SET(&r, bytes, 300);
	RECORD_SET(&r, rev_packets, 5);
	RECORD_SET(&r, rev_bytes, 5000);
	RECORD_SET(&r, rev_tcp_flags, 0x12);
	return r;
}

static struct ipfix_message sent;

// Ends the encoder's message and starts reading it.
static const uint8_t *open_message(struct ipfix_encoder *e, uint64_t at_ns, size_t *ret_len)
{
	const uint8_t *p;
	*ret_len = ipfix_encoder_finish(e, at_ns, &p, NULL);
	struct buf b = buf_of(p, *ret_len);
	assert_int_equal(ipfix_message_parse(&b, at_ns, &sent), IPFIX_OK);
	ipfix_reader_init(&reader, domain, &sent);
	return p;
}

static uint16_t u16_at(const uint8_t *p)
{
	struct buf b = buf_of(p, 2);
	return buf_u16(&b);
}

static void v9_times_and_counters_survive_the_wire(void **)
{
	struct ipfix_encoder *e = v9_encoder(true);
	struct record r = biflow(AT + 7 * NS_PER_MSEC), *got;
	size_t len;
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	open_message(e, r.end_ns + NS_PER_SEC / 3, &len);
	assert_int_equal(sent.version, NETFLOW9_VERSION);
	assert_int_equal(sent.domain, 7);
	got = ipfix_reader_next(&reader);
	assert_non_null(got);
	assert_true(got->start_ns == r.start_ns && got->end_ns == r.end_ns);
	assert_true(got->packets == 3 && got->bytes == 300 && got->tcp_flags == 0x1b);
	assert_true(got->rev_packets == 5 && got->rev_bytes == 5000);
	assert_memory_equal(&got->dst, &r.dst, sizeof(r.dst));
	assert_null(ipfix_reader_next(&reader));
	ipfix_encoder_free(e);
}

static void v9_counts_packets_and_their_records(void **)
{
	struct ipfix_encoder *e = v9_encoder(true);
	struct record r = biflow(AT);
	const uint8_t *p;
	size_t len;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ipfix_encoder_add(e, &r), 0);
	p = open_message(e, AT, &len);
	assert_int_equal(u16_at(p + 2), 4); // a template and three records
	assert_int_equal(sent.sequence, 0);
	assert_int_equal(len % 4, 0);
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	p = open_message(e, AT, &len);
	assert_int_equal(u16_at(p + 2), 1);
	assert_int_equal(sent.sequence, 1);
	ipfix_encoder_skip(e, 100); // in one packet
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	open_message(e, AT, &len);
	assert_int_equal(sent.sequence, 3);
	assert_true(ipfix_encoder_templates(e, AT, &p) > 0);
	assert_int_equal(u16_at(p), NETFLOW9_VERSION);
	ipfix_encoder_free(e);
}

static void v9_starts_its_clock_anew_when_32_bits_do_not_reach(void **)
{
	struct ipfix_encoder *e = v9_encoder(true);
	const uint64_t starts[] = {AT, AT + 60 * DAY_NS, AT - 90 * DAY_NS};
	size_t len;
	for (size_t i = 0; i < 3; i++) {
		struct record r = biflow(starts[i]), *got;
		if (i) { // not within a message
			struct record before = biflow(starts[i - 1]);
			assert_int_equal(ipfix_encoder_add(e, &before), 0);
			assert_int_equal(ipfix_encoder_add(e, &r), -ENOSPC);
			open_message(e, starts[i - 1], &len);
		}
		assert_int_equal(ipfix_encoder_add(e, &r), 0);
		open_message(e, r.end_ns, &len);
		got = ipfix_reader_next(&reader);
		assert_true(got && got->start_ns == r.start_ns && got->end_ns == r.end_ns);
	}
	ipfix_encoder_free(e);
}

static void v9_splits_a_biflow_when_asked(void **)
{
	struct ipfix_encoder *e = v9_encoder(false);
	struct record r = biflow(AT), *got;
	size_t len;
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	open_message(e, AT, &len);
	got = ipfix_reader_next(&reader);
	assert_true(got->packets == 3 && got->rev_packets == 0);
	got = ipfix_reader_next(&reader);
	assert_true(got->packets == 5 && got->bytes == 5000 && got->sport == 443);
	assert_true(got->tcp_flags == 0x12 && got->start_ns == AT);
	assert_null(ipfix_reader_next(&reader));
	ipfix_encoder_free(e);
}

static void every_v9_message_is_whole_and_padded(void **)
{
	struct ipfix_encoder *e = encoder(&(struct ipfix_encoder_options
	){.max_len = 700, .biflow = true, .version = NETFLOW9_VERSION});
	unsigned n = 0, n_read = 0;
	size_t len;
	for (unsigned i = 0; i < 200; i++) {
		struct record r = biflow(AT + i * NS_PER_MSEC);
		if (i % 3 == 0)
			RECORD_SET(&r, vlan, 5);
		if (i % 5 == 0)
			RECORD_SET(&r, src, addr_of_v6("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"));
		if (ipfix_encoder_add(e, &r) == 0) {
			n++;
			continue;
		}
		open_message(e, AT, &len);
		while (ipfix_reader_next(&reader))
			n_read++;
		assert_false(reader.is_malformed);
		assert_int_equal(ipfix_encoder_add(e, &r), 0);
		n++;
	}
	open_message(e, AT, &len);
	while (ipfix_reader_next(&reader))
		n_read++;
	assert_int_equal(n_read, n);
	ipfix_encoder_free(e);
}

static void passed_on_records_keep_their_origin(void **)
{
	struct ipfix_encoder *e = encoder(&(struct ipfix_encoder_options
	){.max_len = 1400,
	  .biflow = true,
	  .origin = true,
	  .exact_times = true,
	  .has_entity = true,
	  .entity = 3});
	struct record r = biflow(AT + 123456789), *got;
	uint64_t entity;
	size_t len;
	RECORD_SET(&r, exporter, addr_of_v6("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\x9"));
	RECORD_SET(&r, domain, 0x01020304);
	RECORD_SET(&r, sampling, 1000);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ipfix_encoder_add(e, &r), 0);
		open_message(e, AT, &len);
		got = ipfix_reader_next(&reader);
		assert_non_null(got);
		assert_memory_equal(&got->exporter, &r.exporter, sizeof(r.exporter));
		assert_true(got->domain == 0x01020304 && got->sampling == 1000);
		assert_true(got->start_ns == r.start_ns && got->end_ns == r.end_ns);
		assert_true(ipfix_reader_aux(&reader, AUX_ENTITY, &entity) && entity == 3);
		r.exporter = addr_of_v4("\xc0\0\2\1"); // in its own element
	}
	ipfix_encoder_free(e);
}

static void the_largest_record_fits_in_every_mode(void **)
{
	static const char name[RECORD_STR_MAX];
	struct record r = {.set = (1ull << RECORD_N_FIELDS) - 1};
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		void *value = (char *)&r + record_fields[f].offset;
		if (record_fields[f].type == RECORD_TYPE_STR)
			*(struct record_str *)value = (struct record_str){name, sizeof(name)};
		else
			memset(value, 1, record_fields[f].width);
	}
	r.proto = IPFIX_PROTO_ICMP6;
	for (int i = 0; i < 4; i++) {
		struct ipfix_encoder_options o = {
			.max_len = 1000,
			.biflow = i & 1,
			.version = i & 2 ? NETFLOW9_VERSION : IPFIX_VERSION,
			.origin = true,
			.has_entity = true,
		};
		struct ipfix_encoder *e = encoder(&o);
		assert_int_equal(ipfix_encoder_add(e, &r), 0);
		ipfix_encoder_free(e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(v9_times_and_counters_survive_the_wire),
		TEST(v9_counts_packets_and_their_records),
		TEST(v9_starts_its_clock_anew_when_32_bits_do_not_reach),
		TEST(v9_splits_a_biflow_when_asked),
		TEST(every_v9_message_is_whole_and_padded),
		TEST(passed_on_records_keep_their_origin),
		TEST(the_largest_record_fits_in_every_mode),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
