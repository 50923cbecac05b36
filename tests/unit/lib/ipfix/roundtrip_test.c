// SPDX-License-Identifier: Apache-2.0

// What the encoder writes, the decoder reads as it was.

#include "lib/ipfix/encode.h"
#include "tests/unit/lib/ipfix/decode.h"

static struct record full_record(bool v6)
{
	struct record r = {};
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		const struct record_field_info *info = &record_fields[f];
		uint8_t *value = (uint8_t *)&r + info->offset;
		if (info->ie == 0)
			continue;
		r.set |= 1ull << f;
		if (info->type == RECORD_TYPE_STR) {
			*(struct record_str *)value = (struct record_str){info->name, 3};
			continue;
		}
		for (unsigned i = 0; i < info->width; i++)
			value[i] = (uint8_t)(f * 7 + (int)i + 1);
		if (info->type == RECORD_TYPE_ADDR && !v6)
			*(struct addr *)value = addr_of_v4(value + 12);
	}
	r.start_ns = NOW - 5000 * NS_PER_MSEC;
	r.end_ns = NOW - 3 * NS_PER_MSEC;
	r.proto = v6 ? IPFIX_PROTO_ICMP6 : IPFIX_PROTO_ICMP;
	r.tcp_flags = 0xfab;
	r.rev_tcp_flags = 0x123;
	r.mpls_label = 0xabcde;
	r.tunnel_id &= (1ull << 56) - 1;
	return r;
}

static void assert_same(const struct record *got, const struct record *want)
{
	assert_int_equal(got->set, want->set);
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		const struct record_field_info *info = &record_fields[f];
		const void *a = (const char *)got + info->offset,
			   *b = (const char *)want + info->offset;
		if (info->type != RECORD_TYPE_STR) {
			assert_memory_equal(a, b, info->width);
			continue;
		}
		const struct record_str *s = a, *t = b;
		assert_int_equal(s->len, t->len);
		if (t->len)
			assert_memory_equal(s->p, t->p, t->len);
	}
}

// Starts reading the encoder's message.
static uint32_t open_message(struct ipfix_encoder *e)
{
	static struct ipfix_message m;
	const uint8_t *message_start;
	uint32_t n;
	size_t len = ipfix_encoder_finish(e, NOW, &message_start, &n);
	struct buf b = buf_of(message_start, len);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_OK);
	ipfix_reader_init(&reader, domain, &m);
	return n;
}

static void every_field_survives_the_wire(void **) // BI-1, TC-1
{
	for (int i = 0; i < 4; i++) {
		bool v6 = i & 1;
		struct ipfix_encoder *e;
		struct ipfix_encoder_options o = {
			.max_len = 1400, .biflow = true, .pen = i & 2 ? 12345 : 0};
		struct record r = full_record(v6), *got;

		domain->limits.weir_pen = i & 2 ? 12345 : PEN_WEIR;
		assert_int_equal(ipfix_encoder_create(&o, &e), 0);
		assert_int_equal(ipfix_encoder_add(e, &r), 0);
		assert_int_equal(open_message(e), 1);
		got = ipfix_reader_next(&reader);
		assert_non_null(got);
		assert_same(got, &r);
		assert_null(ipfix_reader_next(&reader));
		assert_int_equal(domain->counts.unknown_fields, 0);
		ipfix_encoder_free(e);
	}
}

static void biflow_leaves_as_two_uniflows_when_asked(void **)
{
	struct ipfix_encoder *e;
	struct ipfix_encoder_options o = {.max_len = 1400, .biflow = false};
	struct record r = full_record(false), *got;

	assert_int_equal(ipfix_encoder_create(&o, &e), 0);
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	assert_int_equal(open_message(e), 2);
	got = ipfix_reader_next(&reader);
	assert_int_equal(got->packets, r.packets);
	assert_int_equal(got->rev_packets, 0);
	got = ipfix_reader_next(&reader);
	assert_int_equal(got->packets, r.rev_packets);
	assert_int_equal(got->bytes, r.rev_bytes);
	assert_int_equal(got->tcp_flags, r.rev_tcp_flags);
	assert_memory_equal(&got->src, &r.dst, sizeof(r.dst));
	assert_int_equal(got->sport, r.dport);
	assert_null(ipfix_reader_next(&reader));
	ipfix_encoder_free(e);
}

static void templates_alone_prepare_for_data(void **) // E-1: they come before data
{
	struct ipfix_encoder *e;
	struct ipfix_encoder_options o = {.max_len = 65535, .biflow = true};
	struct record r = full_record(true);
	struct ipfix_message m;
	const uint8_t *p;

	assert_int_equal(ipfix_encoder_create(&o, &e), 0);
	size_t len = ipfix_encoder_templates(e, NOW, &p);
	struct buf b = buf_of(p, len);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_OK);
	ipfix_reader_init(&reader, domain, &m);
	assert_null(ipfix_reader_next(&reader));
	assert_int_equal(domain->counts.templates, 128);
	assert_int_equal(domain->counts.bad_templates, 0);
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	assert_int_equal(open_message(e), 1);
	assert_non_null(ipfix_reader_next(&reader));
	assert_int_equal(domain->counts.templates, 128); // the data came without
	ipfix_encoder_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_field_survives_the_wire),
		TEST(biflow_leaves_as_two_uniflows_when_asked),
		TEST(templates_alone_prepare_for_data),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
