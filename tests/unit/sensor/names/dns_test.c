// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/dns.h"
#include "tests/unit/sensor/names/hello.h"

// Hexadecimal with quoted text between: "0001 'www' 00".
static size_t bytes_of(const char *p, uint8_t *to)
{
	size_t n = 0;
	while (*p) {
		if (*p == '\'') {
			for (p++; *p != '\''; p++)
				to[n++] = (uint8_t)*p;
			p++;
		} else if (*p == ' ') {
			p++;
		} else {
			char hex[] = {p[0], p[1], 0};
			n += bytes_of_hex(hex, to + n);
			p += 2;
		}
	}
	return n;
}

static enum look parse(const char *message, struct names_result *r)
{
	uint8_t bytes[2048];
	size_t n = bytes_of(message, bytes);
	uint8_t *exact = exact_copy(bytes, n);
	memset(r, 0xee, sizeof(*r));
	enum look look = dns_message_parse(buf_of(exact, n), r);
	free(exact);
	return look;
}

static void assert_name(const struct names_result *r, const char *name)
{
	assert_int_equal(r->kind, NAMES_DNS);
	assert_int_equal(r->server_len, strlen(name));
	assert_memory_equal(r->server, name, strlen(name));
}

static void assert_answer(const struct names_result *r, unsigned i, const char *address)
{
	char text[ADDR_TEXT_LEN];
	assert_true(i < r->n_answers);
	assert_string_equal(addr_format(&r->answers[i], text), address);
}

#define QUERY "abcd 0100 0001 0000 0000 0000 "
#define RESPONSE(n) "abcd 8180 0001 00" #n " 0000 0000 "
#define WWW "03 'www' 07 'Example' 03 'COM' 00 "

static void question_is_read(void **)
{
	struct names_result r;
	assert_int_equal(parse(QUERY WWW "0001 0001", &r), LOOK_FOUND);
	assert_name(&r, "www.example.com");
	assert_int_equal(r.qtype, 1);
	assert_int_equal(r.flags, 0);
	assert_int_equal(r.n_answers, 0);
	assert_int_equal(r.alpn_len + r.ja4_len, 0);
	assert_int_equal(parse(QUERY "00 0002 0001", &r), LOOK_FOUND); // the root's servers
	assert_name(&r, ".");
	assert_int_equal(r.qtype, 2);
}

static void answers_are_read(void **)
{
	struct names_result r;
	assert_int_equal(
		parse(RESPONSE(04) WWW
		      "0001 0001 "
		      "c00c 0005 0001 0000003c 0006 03 'cdn' c010 " // CNAME
		      "c02d 0001 0001 0000003c 0004 c0000201 "
		      "c02d 001c 0001 0000003c 0010 20010db8000000000000000000000001 "
		      "c02d 0001 0003 0000003c 0004 c0000203", // CHAOS
		      &r),
		LOOK_FOUND
	);
	assert_name(&r, "www.example.com");
	assert_int_equal(r.flags, NAMES_ANSWER);
	assert_int_equal(r.rcode, 0);
	assert_int_equal(r.n_answers, 2);
	assert_answer(&r, 0, "192.0.2.1");
	assert_answer(&r, 1, "2001:db8::1");
}

static void failures_are_told(void **)
{
	struct names_result r;
	assert_int_equal(parse("abcd 8183 0001 0000 0000 0000 " WWW "0001 0001", &r), LOOK_FOUND);
	assert_name(&r, "www.example.com");
	assert_int_equal(r.rcode, 3);
	assert_int_equal(r.flags, NAMES_ANSWER);
	assert_int_equal(parse("abcd 8181 0000 0000 0000 0000", &r), LOOK_NOTHING);
}

static void addresses_of_the_wrong_length_are_none(void **)
{
	struct names_result r;
	assert_int_equal(
		parse(RESPONSE(03) WWW "0001 0001 "
				       "c00c 0001 0001 0000003c 0003 c00002 "
				       "c00c 001c 0001 0000003c 0004 c0000201 "
				       "c00c 0001 0001 0000003c 0005 c000020101",
		      &r),
		LOOK_FOUND
	);
	assert_int_equal(r.n_answers, 0);
}

static void only_eight_addresses_are_kept(void **)
{
	char message[2048];
	struct names_result r;
	int n = sprintf(message, RESPONSE(0c) WWW "0001 0001 ");
	for (int i = 0; i < 12; i++)
		n += sprintf(message + n, "c00c 0001 0001 0000003c 0004 0a0000%02x ", i);
	assert_int_equal(parse(message, &r), LOOK_FOUND);
	assert_int_equal(r.n_answers, NAMES_ANSWERS_MAX);
	assert_answer(&r, 7, "10.0.0.7");
}

static void name_of_an_mdns_response_is_its_records(void **)
{
	struct names_result r;
	assert_int_equal(
		parse("0000 8400 0000 0002 0000 0000 "
		      "05 '_http' 04 '_tcp' 05 'local' 00 000c 0001 00000078 0002 c00c "
		      "07 'Printer' c017 0001 8001 00000078 0004 0a000009", // cache flush
		      &r),
		LOOK_FOUND
	);
	assert_name(&r, "printer.local");
	assert_int_equal(r.qtype, 1);
	assert_answer(&r, 0, "10.0.0.9");
	// several questions, unicast responses wanted
	assert_int_equal(
		parse("0000 0000 0002 0000 0000 0000 "
		      "07 'printer' 05 'local' 00 00ff 8001 05 'other' c014 0001 8001",
		      &r),
		LOOK_FOUND
	);
	assert_name(&r, "printer.local");
	assert_int_equal(r.qtype, 255);
}

static void names_are_escaped(void **)
{
	struct names_result r;
	assert_int_equal(parse(QUERY "06 'a.b' 00 0a ff 03 'com' 00 0001 0001", &r), LOOK_FOUND);
	assert_name(&r, "a\\.b\\000\\010\\255.com");
}

static void longest_name_is_read_and_longer_ones_refused(void **)
{
	static const char label[] =
		"3f 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk' ";
	char message[1024];
	struct names_result r;
	sprintf(message, QUERY "%s%s%s3d '%.61s' 00 0001 0001", label, label, label, label + 4);
	assert_int_equal(parse(message, &r), LOOK_FOUND); // 255 on the wire
	assert_int_equal(r.server_len, 253);
	sprintf(message, QUERY "%s%s%s3e '%.62s' 00 0001 0001", label, label, label, label + 4);
	assert_int_equal(parse(message, &r), LOOK_BAD);
	sprintf(message, QUERY "40 '%.63sx' 00 0001 0001", label + 4); // of 64 bytes
	assert_int_equal(parse(message, &r), LOOK_BAD);
}

static void names_that_grow_by_escaping_are_cut(void **)
{
	char message[1024];
	struct names_result r;
	int n = sprintf(message, QUERY "3f ");
	for (int i = 0; i < 63; i++)
		n += sprintf(message + n, "01 ");
	n += sprintf(message + n, "3f ");
	for (int i = 0; i < 63; i++)
		n += sprintf(message + n, "02 ");
	sprintf(message + n, "00 0001 0001");
	assert_int_equal(parse(message, &r), LOOK_FOUND);
	assert_int_equal(r.flags, NAMES_CUT);
	assert_int_equal(r.server_len, 63 * 4); // the dot behind it goes with the label
	assert_memory_equal(r.server + r.server_len - 4, "\\001", 4);
}

static void pointers_lead_back_only(void **)
{
	static const char *const bad[] = {
		"c00c 0001 0001",	      // to itself
		"03 'www' c00c 0001 0001",    // round and round
		"c00e c00c 0001 0001",	      // forward
		"03 'www' c012 00 0001 0001", // forward by two
		"c0ff 0001 0001",	      // outside
		"c0",
		"80 0001 0001", // label types that were never given out
		"41 00 0001 0001",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char message[256];
		struct names_result r;
		sprintf(message, QUERY "%s", bad[i]);
		assert_int_equal(parse(message, &r), LOOK_BAD);
	}
}

// Chains of pointers end, because each leads further back.
static void chains_of_pointers_end(void **)
{
	uint8_t bytes[4096];
	struct names_result r;
	struct wbuf w = wbuf_of(bytes, sizeof(bytes));
	wbuf_bytes(&w, "\0\0\x84\0\0\0\0\2\0\0\0\0", 12);
	wbuf_bytes(&w, "\1a\0\0\x10\0\1\0\0\0\0", 11); // TXT
	size_t len_at = wbuf_len(&w) + 2;
	wbuf_u16(&w, 0);
	uint16_t to = 12;
	for (int i = 0; i < 1000; i++) {
		uint16_t here = (uint16_t)wbuf_len(&w);
		wbuf_u16(&w, 0xc000 | to);
		to = here;
	}
	wbuf_put_u16(&w, len_at - 2, 2000);
	wbuf_u16(&w, 0xc000 | to);
	wbuf_bytes(&w, "\0\1\0\1\0\0\0\0\0\4\1\2\3\4", 14);
	assert_int_equal(dns_message_parse(buf_of(bytes, wbuf_len(&w)), &r), LOOK_FOUND);
	assert_name(&r, "a");
	assert_answer(&r, 0, "1.2.3.4");
}

static void cut_messages_are_refused(void **)
{
	uint8_t bytes[256];
	size_t n =
		bytes_of(RESPONSE(01) WWW "0001 0001 c00c 0001 0001 0000003c 0004 c0000201", bytes);
	for (size_t i = 0; i < n; i++) {
		struct names_result r;
		uint8_t *exact = exact_copy(bytes, i);
		assert_int_equal(dns_message_parse(buf_of(exact, i), &r), LOOK_BAD);
		free(exact);
	}
}

static void only_queries_are_read(void **)
{
	struct names_result r;
	assert_int_equal(parse("abcd 2800 0001 0000 0000 0000 " WWW "0006 0001", &r), LOOK_NOTHING);
	assert_int_equal(parse("abcd 0100 ffff 0000 0000 0000 " WWW "0001 0001", &r), LOOK_BAD);
}

static void records_are_bounded(void **)
{
	struct names_result r;
	// 65535 announced, one there
	assert_int_equal(
		parse("abcd 8180 0001 ffff 0000 0000 " WWW
		      "0001 0001 c00c 0001 0001 0000003c 0004 c0000201",
		      &r),
		LOOK_BAD
	);
}

static void stream_has_a_length_in_front(void **)
{
	uint8_t bytes[512];
	size_t n = bytes_of(QUERY WWW "0001 0001", bytes + 2);
	bytes[0] = 0;
	bytes[1] = (uint8_t)n;
	for (size_t i = 0; i <= n + 2; i++) {
		struct names_result r;
		enum look look = dns_stream_parse(buf_of(bytes, i), 4096, &r);
		assert_int_equal(look, i < n + 2 ? LOOK_MORE : LOOK_FOUND);
		if (look == LOOK_FOUND)
			assert_name(&r, "www.example.com");
	}
	struct names_result r;
	assert_int_equal(dns_stream_parse(buf_of(bytes, n), n + 1, &r), LOOK_TOO_LONG);
	assert_int_equal(dns_stream_parse(buf_of("\0\13", 2), 4096, &r), LOOK_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(question_is_read),
		cmocka_unit_test(answers_are_read),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(addresses_of_the_wrong_length_are_none),
		cmocka_unit_test(only_eight_addresses_are_kept),
		cmocka_unit_test(name_of_an_mdns_response_is_its_records),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(longest_name_is_read_and_longer_ones_refused),
		cmocka_unit_test(names_that_grow_by_escaping_are_cut),
		cmocka_unit_test(pointers_lead_back_only),
		cmocka_unit_test(chains_of_pointers_end),
		cmocka_unit_test(cut_messages_are_refused),
		cmocka_unit_test(only_queries_are_read),
		cmocka_unit_test(records_are_bounded),
		cmocka_unit_test(stream_has_a_length_in_front),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
