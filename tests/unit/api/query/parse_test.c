// SPDX-License-Identifier: Apache-2.0
#include "api/query/parse.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct query q;
static char error[QUERY_ERROR_LEN];

// Parses a copy of exactly that length, so that a read behind it is seen.
static int parse_bytes(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, text, len);
	strcpy(error, "");
	int ret = query_parse(copy, len, &q, error);
	free(copy);
	if (ret < 0)
		assert_int_not_equal(error[0], '\0');
	return ret;
}

static int parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void check_value(const char *text, const char *name, const char *want)
{
	if (parse(text) < 0)
		fail_msg("%s: %s", text, error);
	const char *got = query_find(&q, name);
	assert_non_null(got);
	assert_string_equal(got, want);
}

static void check_refused(const char *text)
{
	if (parse(text) != -EINVAL)
		fail_msg("accepted: %s", text);
}

static void parameters_are_found_by_name(void **)
{
	check_value("a=1&b=2&c", "a", "1");
	assert_int_equal(q.n, 3);
	assert_string_equal(query_find(&q, "b"), "2");
	assert_string_equal(query_find(&q, "c"), "");
	assert_null(query_find(&q, "d"));
	assert_null(query_find(&q, ""));
	assert_null(query_find(&q, "A"));
	check_value("a=b=c&d==", "a", "b=c");
	assert_string_equal(query_find(&q, "d"), "=");
	check_value("=v", "", "v");
}

static void a_string_of_nothing_has_no_parameters(void **)
{
	static const char *const texts[] = {"", "&", "&&&&"};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(parse(texts[i]), 0);
		assert_int_equal(q.n, 0);
	}
	check_value("&&a=1&&b=2&", "b", "2");
	assert_int_equal(q.n, 2);
}

static void escapes_are_bytes_and_plus_is_a_blank(void **)
{
	check_value("start=2026/03/25%2009:00", "start", "2026/03/25 09:00");
	check_value("start=2026%2f03%2F25+09%3A00", "start", "2026/03/25 09:00");
	check_value("a=%2B+%26%3d%25", "a", "+ &=%");
	check_value("%61%3D=1", "a=", "1");
	check_value("a=%7e%7E", "a", "~~");
	check_value("a=%2541", "a", "%41"); // decoded once, not twice
}

static void broken_escapes_are_refused(void **)
{
	static const char *const texts[] = {"%",	"a=%",	   "a=%4",     "a=%zz",	   "a=%4g",
					    "a=%g4",	"a=%%20",  "a=% 20",   "a=%+1",	   "a=%-1",
					    "a=%1-",	"a=%0x41", "a=%4&1",   "%4=1",	   "%=41",
					    "a=1&b=%a", "a=%\x01", "a=%1\xc1", "a=%u0041", "a=%@1",
					    "a=%`1",	"a=%/0",   "a=%:0"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check_refused(texts[i]);
}

static void nuls_are_refused(void **)
{
	check_refused("a=%00");
	check_refused("a=b%00c");
	check_refused("%00=1");
	check_refused("a%00b=1");
	assert_int_equal(parse_bytes("a=\0b", 4), -EINVAL);
	assert_int_equal(parse_bytes("\0", 1), -EINVAL);
	assert_int_equal(parse_bytes("a\0=1", 4), -EINVAL);
}

// The text as it is and with each byte escaped, as a value and as a name.
static void check_utf8(const char *bytes, int want)
{
	char raw[64], escaped[64] = "a=", name[64] = "";
	snprintf(raw, sizeof(raw), "a=%s", bytes);
	for (const char *p = bytes; *p; p++) {
		sprintf(escaped + strlen(escaped), "%%%02x", (unsigned char)*p);
		sprintf(name + strlen(name), "%%%02X", (unsigned char)*p);
	}
	if (parse(raw) != want || parse(name) != want || parse(escaped) != want)
		fail_msg("%s: expected %d", escaped, want);
	if (want == 0)
		assert_string_equal(query_find(&q, "a"), bytes);
}

static void utf8_is_taken(void **)
{
	static const char *const texts[] = {
		"\x01\x7f",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xe1\x80\x80",
		"\xec\xbf\xbf",
		"\xed\x80\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf1\x80\x80\x80",
		"\xf3\xbf\xbf\xbf",
		"\xf4\x8f\xbf\xbf",
		"\xc3\xa9t\xc3\xa9 \xe2\x82\xac"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check_utf8(texts[i], 0);
	check_value("a=%C3\xa9", "a", "\xc3\xa9"); // judged after decoding
}

// RFC 3629 §3 and §10: overlong forms, surrogates, what is above U+10FFFF, what is cut off.
static void what_is_not_utf8_is_refused(void **)
{
	static const char *const texts[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xfe",
		"\xff",
		"\xc3",
		"\xe2\x82",
		"\xf0\x9f\x98",
		"\xc3(",
		"\xe2(\xa1",
		"\xe2\x82(",
		"\xf0(\x8c\xbc",
		"\xf0\x90(\xbc",
		"\xf0\x90\x8c(",
		"a\xc3",
		"\xe2\x82\xc0",
		"\xf0\x9f\x98\xc3",
		"\xc3\xa9\xa9",
		"\xf8\x88\x80\x80\x80"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check_utf8(texts[i], -EINVAL);
	check_refused("a=%C3&b=%A9"); // halves of a character in two values
}

static void a_name_may_not_come_twice(void **)
{
	check_refused("a=1&a=1");
	assert_non_null(strstr(error, "'a'"));
	check_refused("a=1&%61=2");
	check_refused("a&a=1");
	check_refused("a=1&b=2&c=3&b");
	check_refused("=1&=2");
	check_value("a=1&A=2", "A", "2");
	char text[600];
	memset(text, 'n', sizeof(text));
	text[299] = '&';
	assert_int_equal(parse_bytes(text, 599), -EINVAL); // a long name does not fill the message
}

static void there_are_at_most_32_parameters(void **)
{
	char text[256] = "p0=0";
	for (int i = 1; i < QUERY_PARAMS_MAX; i++)
		sprintf(text + strlen(text), "&p%d=%d", i, i);
	check_value(text, "p31", "31");
	assert_int_equal(q.n, QUERY_PARAMS_MAX);
	strcat(text, "&p32=32");
	check_refused(text);
}

static void there_are_at_most_8192_bytes(void **)
{
	static char text[QUERY_TEXT_MAX + 1];
	memset(text, 'x', sizeof(text));
	memcpy(text, "a=", 2);
	assert_int_equal(parse_bytes(text, QUERY_TEXT_MAX), 0);
	assert_int_equal(strlen(query_find(&q, "a")), QUERY_TEXT_MAX - 2);
	assert_int_equal(parse_bytes(text, QUERY_TEXT_MAX + 1), -EINVAL);
	memset(text, '&', sizeof(text));
	assert_int_equal(parse_bytes(text, QUERY_TEXT_MAX), 0);
	assert_int_equal(q.n, 0);
	memset(text, 'x', sizeof(text)); // a name alone needs its NUL too
	assert_int_equal(parse_bytes(text, QUERY_TEXT_MAX), 0);
	assert_int_equal(strlen(q.params[0].name), QUERY_TEXT_MAX);
}

static char *escape(char *to, const char *text)
{
	for (; *text; text++)
		to += sprintf(to, "%%%02x", (unsigned char)*text);
	return to;
}

// All names and values, each with its NUL.
static size_t flatten(char *to)
{
	char *start = to;
	for (size_t i = 0; i < q.n; i++) {
		to = stpcpy(to, q.params[i].name) + 1;
		to = stpcpy(to, q.params[i].value) + 1;
	}
	return (size_t)(to - start);
}

// Whatever is accepted, written out again with every byte escaped, is read as the same.
static void what_is_accepted_is_read_in_one_way(void **)
{
	static const char alphabet[] = "ab=&%+20cCeE9\xc3\xa9";
	unsigned n_accepted = 0;
	srand(1);
	for (int round = 0; round < 50000; round++) {
		char text[24], again[256], *to = again;
		size_t len = (size_t)rand() % sizeof(text);
		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[(size_t)rand() % sizeof(alphabet)]; // its NUL too
		if (parse_bytes(text, len) < 0)
			continue;
		n_accepted++;
		for (size_t i = 0; i < q.n; i++) {
			to = escape(to, q.params[i].name);
			*to++ = '=';
			to = escape(to, q.params[i].value);
			*to++ = '&';
		}
		char want[96], got[96];
		size_t want_len = flatten(want);
		assert_int_equal(parse_bytes(again, (size_t)(to - again)), 0);
		assert_int_equal(flatten(got), want_len);
		assert_memory_equal(got, want, want_len);
	}
	assert_true(n_accepted > 1000);
}

static void a_limit_is_capped_without_a_word(void **)
{
	static const struct {
		const char *text;
		unsigned want;
	} cases[] = {
		{"", 200},
		{"limit=1", 1},
		{"limit=50", 50},
		{"limit=199", 199},
		{"limit=200", 200},
		{"limit=201", 200},
		{"limit=9999", 200},
		{"limit=007", 7},
		{"limit=%35", 5},
		{"limit=4294967297", 200},	     // not 1
		{"limit=18446744073709551617", 200}, // nor here
		{"limit=99999999999999999999999999999999999999999999999999", 200},
		{"LIMIT=x", 200}, // another parameter
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned limit = 0;
		assert_int_equal(parse(cases[i].text), 0);
		assert_int_equal(query_limit(&q, 200, &limit, error), 0);
		assert_int_equal(limit, cases[i].want);
	}
}

static void a_limit_that_is_no_number_from_1_on_is_refused(void **)
{
	static const char *const texts[] = {
		"limit",	"limit=",     "limit=0",    "limit=000",
		"limit=-1",	"limit=-0",   "limit=+5",   "limit=%2B5",
		"limit=1e3",	"limit=1.0",  "limit=0x10", "limit=abc",
		"limit=5+",	"limit=1,5",  "limit=10 5", "limit=5%0a",
		"limit=%D9%A3", "limit=200x", "limit=nan",  "limit=99999999999999999999999999x"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		unsigned limit = 77;
		assert_int_equal(parse(texts[i]), 0);
		strcpy(error, "");
		if (query_limit(&q, 200, &limit, error) != -EINVAL)
			fail_msg("accepted: %s", texts[i]);
		assert_non_null(strstr(error, "'limit'"));
		assert_int_equal(limit, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_found_by_name),
		cmocka_unit_test(a_string_of_nothing_has_no_parameters),
		cmocka_unit_test(escapes_are_bytes_and_plus_is_a_blank),
		cmocka_unit_test(broken_escapes_are_refused),
		cmocka_unit_test(nuls_are_refused),
		cmocka_unit_test(utf8_is_taken),
		cmocka_unit_test(what_is_not_utf8_is_refused),
		cmocka_unit_test(a_name_may_not_come_twice),
		cmocka_unit_test(there_are_at_most_32_parameters),
		cmocka_unit_test(there_are_at_most_8192_bytes),
		cmocka_unit_test(what_is_accepted_is_read_in_one_way),
		cmocka_unit_test(a_limit_is_capped_without_a_word),
		cmocka_unit_test(a_limit_that_is_no_number_from_1_on_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
