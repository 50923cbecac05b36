// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/result.h"
#include "tests/unit/cmocka.h"

static struct names_result full(void)
{
	struct names_result r = {
		.kind = NAMES_DNS,
		.flags = NAMES_ANSWER,
		.rcode = 3,
		.n_answers = NAMES_ANSWERS_MAX,
		.qtype = 0x1234,
		.server_len = NAMES_SERVER_MAX,
		.alpn_len = NAMES_ALPN_MAX,
		.ja4_len = NAMES_JA4_MAX,
	};
	memset(r.server, 's', sizeof(r.server));
	memset(r.alpn, 'a', sizeof(r.alpn));
	memset(r.ja4, 'j', sizeof(r.ja4));
	for (unsigned i = 0; i < NAMES_ANSWERS_MAX; i++)
		memset(r.answers[i].b, (int)(0x20 + i), 16);
	return r;
}

static struct names_result dns(const char *name, bool is_answer, const char *address)
{
	struct names_result r = {
		.kind = NAMES_DNS,
		.flags = is_answer ? NAMES_ANSWER : 0,
		.server_len = (uint8_t)strlen(name),
		.n_answers = address != NULL,
	};
	memcpy(r.server, name, strlen(name));
	if (address)
		assert_int_equal(addr_parse(address, &r.answers[0]), 0);
	return r;
}

static void packed_results_come_back(void **)
{
	uint8_t bytes[NAMES_PACKED_MAX];
	struct names_result r = full(), back;
	size_t n = names_pack(&r, bytes);
	assert_true(n <= NAMES_PACKED_MAX);
	assert_true(names_unpack(bytes, n, &back));
	assert_memory_equal(&back, &r, sizeof(r));
	for (size_t i = 0; i < n; i++)
		assert_false(names_unpack(bytes, i, &back));
	bytes[6] = 0xff; // a name longer than there are bytes
	bytes[7] = NAMES_ALPN_MAX + 1;
	assert_false(names_unpack(bytes, n, &back));

	r = dns("a.example", false, NULL);
	assert_int_equal(names_pack(&r, bytes), 18); // short ones are short
}

static void answers_are_joined_by_commas(void **)
{
	struct names_result r = dns("a", true, "192.0.2.1");
	char text[RECORD_STR_MAX];
	assert_int_equal(names_format_answers(&r, text), 9);
	assert_memory_equal(text, "192.0.2.1", 9);
	assert_int_equal(addr_parse("2001:db8::1", &r.answers[1]), 0);
	r.n_answers = 2;
	assert_int_equal(names_format_answers(&r, text), 21);
	assert_memory_equal(text, "192.0.2.1,2001:db8::1", 21);
	r.n_answers = 0;
	assert_int_equal(names_format_answers(&r, text), 0);
}

static void only_whole_addresses_are_written(void **)
{
	struct names_result r = full();
	char text[RECORD_STR_MAX + 1];
	size_t n = names_format_answers(&r, text);
	text[n] = 0;
	assert_in_range(n, 6 * 39, RECORD_STR_MAX); // six of eight
	for (char *at = text, *next; at; at = next) {
		struct addr a;
		next = strchr(at, ',');
		if (next)
			*next++ = 0;
		assert_int_equal(addr_parse(at, &a), 0);
	}
}

static void record_gets_every_field(void **)
{
	struct names_result r = dns("a.example", true, "192.0.2.1");
	char answers[RECORD_STR_MAX];
	struct record record = {};
	r.alpn_len = 2;
	r.ja4_len = 36;
	names_put_record(&r, answers, &record);
	assert_int_equal(record.name_kind, NAMES_DNS);
	assert_int_equal(record.server_name.len, 9);
	assert_int_equal(record.alpn.len, 2);
	assert_int_equal(record.ja4.len, 36);
	assert_int_equal(record.dns_answers.len, 9);
	assert_true(
		record.set == (RECORD_BIT(name_kind) | RECORD_BIT(server_name) | RECORD_BIT(alpn) |
			       RECORD_BIT(ja4) | RECORD_BIT(dns_answers))
	);
}

static void later_answers_are_added(void **)
{
	struct names_result r = {}, q = dns("a", false, NULL), later = dns("a", true, "192.0.2.1");
	names_merge(&r, &q);
	assert_int_equal(r.kind, NAMES_DNS);
	names_merge(&r, &later);
	names_merge(&r, &later); // sent again
	assert_int_equal(r.n_answers, 1);
	later = dns("a", true, "2001:db8::1");
	names_merge(&r, &later);
	assert_int_equal(r.n_answers, 2);
	later = dns("b", true, "192.0.2.9"); // another question of the flow
	names_merge(&r, &later);
	assert_int_equal(r.n_answers, 2);
	for (int i = 0; i < 20; i++) {
		later = dns("a", true, "10.0.0.1");
		later.answers[0].b[15] = (uint8_t)i;
		names_merge(&r, &later);
	}
	assert_int_equal(r.n_answers, NAMES_ANSWERS_MAX);
}

static void answer_to_one_of_two_questions_is_no_failure(void **)
{
	struct names_result r = dns("a", true, "192.0.2.1"), later = dns("a", true, NULL);
	later.rcode = 2;
	names_merge(&r, &later);
	assert_int_equal(r.rcode, 0);
	r = later;
	later = dns("a", true, "192.0.2.1");
	names_merge(&r, &later);
	assert_int_equal(r.rcode, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packed_results_come_back),
		cmocka_unit_test(answers_are_joined_by_commas),
		cmocka_unit_test(only_whole_addresses_are_written),
		cmocka_unit_test(record_gets_every_field),
		cmocka_unit_test(later_answers_are_added),
		cmocka_unit_test(answer_to_one_of_two_questions_is_no_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
