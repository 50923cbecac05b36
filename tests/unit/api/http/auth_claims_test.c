// SPDX-License-Identifier: Apache-2.0

// The claims of tokens whose form, header and signature are good: only we could have made them, and
// still they are taken only to the letter (RFC 8725 §3.8 to §3.12).

#include "tests/unit/api/http/forge.h"

static void check_all(const char *name, const char *const *values, size_t n)
{
	char what[256];
	for (size_t i = 0; i < n; i++) {
		snprintf(what, sizeof(what), "%s: %s", name, values[i] ? values[i] : "absent");
		forge_check_refused(forge_saying(name, values[i]), what);
	}
}

#define CHECK_ALL(name, ...)                                                                       \
	check_all(                                                                                 \
		name,                                                                              \
		(const char *const[]){__VA_ARGS__},                                                \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)                        \
	)

static void issuer_audience_and_type_are_ours(void **)
{
	CHECK_ALL("iss", NULL, "\"\"", "\"weir\"", "\"Weir-API\"", "\"weir-api \"", "5", "null");
	CHECK_ALL("iss", "[\"weir-api\"]", "{\"weir-api\":1}", "true", "\"weir-api\\u0000x\"");
	CHECK_ALL("aud", NULL, "\"\"", "\"other\"", "[\"weir\"]", "[\"weir\",\"other\"]", "null");
	CHECK_ALL("typ", NULL, "\"\"", "\"refresh\"", "\"ACCESS\"", "5", "null", "[\"access\"]");
}

static void times_are_whole_numbers(void **)
{
	static const char *const names[] = {"exp", "nbf", "iat"};
	for (size_t i = 0; i < 3; i++) {
		CHECK_ALL(names[i], NULL, "null", "true", "false", "[1774430100]", "{}");
		CHECK_ALL(names[i], "\"1774430100\"", "\"\"", "\"2026-03-25T10:00:00Z\"");
		CHECK_ALL(names[i], "1774430100.0", "1.7744301e9", "1774430100e0", "0.5");
		CHECK_ALL(names[i], "-1", "-1774430100", "-9223372036854775808");
		CHECK_ALL(names[i], "9223372036854775808", "18446744073709551616", "1e400");
		CHECK_ALL(names[i], "99999999999999999999999999", "NaN", "Infinity", "0x69C3A5B4");
	}
}

static void a_token_that_is_over_is_refused(void **)
{
	CHECK_ALL("exp", "1774430000", "1774429999", "1774429201", "1774429200", "1", "0", "-0");
}

static void a_token_of_the_future_is_refused(void **)
{
	CHECK_ALL("nbf", "1774430031", "1774432799", "4102444800", "9223372036854775807");
	CHECK_ALL("iat", "1774430031", "1774432799", "4102444800", "9223372036854775807");
}

static void a_token_lives_a_day_at_most(void **)
{
	CHECK_ALL("exp", "1774515601", "1900000000", "9223372036854775807");
	CHECK_ALL("iat", "1774346399", "1", "0");
	// issued as it ends, within the leeway for clocks
	char *claims = forge_claims("exp", "1774430010"), *later = strstr(claims, "\"iat\":");
	memcpy(later, "\"iat\":1774430010", strlen("\"iat\":1774430010"));
	forge_check_refused(forge(&forge_key, FORGE_HEADER, claims), "a lifetime of 0");
	later[strlen("\"iat\":177443001")] = '5';
	forge_check_refused(forge(&forge_key, FORGE_HEADER, claims), "a lifetime below 0");
	free(claims);
}

#define TEN "0123456789"

static void the_subject_is_text_that_fits(void **)
{
	CHECK_ALL("sub", NULL, "\"\"", "5", "null", "true", "[\"a\"]", "{\"a\":\"b\"}");
	CHECK_ALL("sub", "\"" FORGE_API_ID "0\"", "\"" TEN TEN TEN TEN TEN TEN TEN TEN "\"");
	CHECK_ALL("sub", "\"a\\u0000b\"", "\"\\u0000\"", "\"\\ud800\"", "\"\xff\"");
	CHECK_ALL("entity", NULL, "\"\"", "5", "null", "[\"netflow\"]", "\"netflow\\u0000\"");
	CHECK_ALL("entity", "\"" TEN TEN TEN TEN TEN TEN "0123\"");
	CHECK_ALL("role", NULL, "\"\"", "5", "null", "[\"admin\"]", "\"0123456789abcdef\"");
	CHECK_ALL("jti", NULL, "\"\"", "5", "null", "\"" TEN TEN TEN TEN TEN TEN "01234\"");
	CHECK_ALL("gen", NULL, "-1", "\"3\"", "3.0", "3e0", "true", "null", "9223372036854775808");
}

static void texts_that_just_fit_are_taken(void **)
{
	struct auth_claims claims = {};
	char *token = forge_saying("entity", "\"" TEN TEN TEN TEN TEN TEN "012\"");
	assert_int_equal(forge_check(token, strlen(token), &claims), 0);
	assert_string_equal(claims.entity, TEN TEN TEN TEN TEN TEN "012");
	free(token);
	forge_check_taken(forge_saying("role", "\"0123456789abcde\""));
	forge_check_taken(forge_saying("sub", "\"a\""));
}

// What reads the first of two and what reads the last would read two tokens in one.
static void a_claim_may_not_come_twice(void **)
{
	static const char *const twice[] = {
		"\"exp\":1774432800",
		"\"exp\":1",
		"\"nbf\":1774429200",
		"\"iat\":1774429200",
		"\"iss\":\"weir-api\"",
		"\"aud\":\"weir\"",
		"\"aud\":\"other\"",
		"\"sub\":\"a\"",
		"\"entity\":\"netflow\"",
		"\"entity\":\"other\"",
		"\"role\":\"admin\"",
		"\"role\":\"viewer\"",
		"\"gen\":3",
		"\"gen\":4",
		"\"jti\":\"a\"",
		"\"typ\":\"access\"",
		"\"\\u0065xp\":1774432800",
		"\"x\":{\"a\":1,\"a\":2}"};
	for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++) {
		char *claims = forge_claims("", NULL), *text = NULL;
		claims[strlen(claims) - 1] = '\0';
		assert_true(asprintf(&text, "%s,%s}", claims, twice[i]) > 0);
		forge_check_refused(forge(&forge_key, FORGE_HEADER, text), twice[i]);
		free(text);
		// and in front of the good one
		assert_true(asprintf(&text, "{%s,%s}", twice[i], claims + 1) > 0);
		forge_check_refused(forge(&forge_key, FORGE_HEADER, text), twice[i]);
		free(text);
		free(claims);
	}
}

static void claims_that_are_no_object_are_refused(void **)
{
	static const char *const texts[] = {
		"{}", "[]", "[{}]", "5", "null", "true", "\"a\"", "{", "}", "{\"exp\"}", "x", " "};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		forge_check_refused(forge(&forge_key, FORGE_HEADER, texts[i]), texts[i]);
	char *claims = forge_claims("", NULL), *text = NULL;
	assert_true(asprintf(&text, "[%s]", claims) > 0);
	forge_check_refused(forge(&forge_key, FORGE_HEADER, text), "good claims in an array");
	free(text);
	char *inner = forge_good(); // RFC 7519 §5.2: a token in a token
	forge_check_refused(forge(&forge_key, FORGE_HEADER, inner), "a nested token");
	free(inner);
	free(claims);
}

static void nothing_may_follow_the_claims(void **)
{
	static const struct {
		const char *bytes;
		size_t len;
	} ends[] = {
		{"x", 1},
		{"{}", 2},
		{",", 1},
		{"\0", 1},
		{"\0junk", 5},
		{"\xff", 1},
		{"\0{\"a\":1}", 8},
		{"//", 2}};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		char *claims = forge_claims("", NULL);
		size_t n = strlen(claims);
		memcpy(claims + n, ends[i].bytes, ends[i].len);
		char *token = forge_bytes(
			FORGE_HEADER,
			strlen(FORGE_HEADER),
			claims,
			n + ends[i].len,
			EVP_sha256(),
			forge_key.b,
			sizeof(forge_key.b)
		);
		forge_check_refused(token, "something behind the claims");
		free(claims);
	}
}

static void nothing_may_follow_the_header(void **)
{
	static const char nul[] = FORGE_HEADER "\0{\"alg\":\"none\"}";
	char *claims = forge_claims("", NULL);
	for (size_t n = sizeof(FORGE_HEADER); n < sizeof(nul); n++)
		forge_check_refused(
			forge_bytes(
				nul,
				n,
				claims,
				strlen(claims),
				EVP_sha256(),
				forge_key.b,
				sizeof(forge_key.b)
			),
			"a NUL behind the header"
		);
	free(claims);
}

static void deep_nesting_does_no_harm(void **)
{
	enum { DEPTH = 1300 };
	char deep[2 * DEPTH + 1], *claims, *token;
	memset(deep, '[', DEPTH);
	memset(deep + DEPTH, ']', DEPTH);
	deep[2 * DEPTH] = '\0';
	forge_check_refused(forge(&forge_key, FORGE_HEADER, deep), "1300 arrays");
	deep[DEPTH] = '\0';
	forge_check_refused(forge(&forge_key, FORGE_HEADER, deep), "1300 arrays without an end");
	for (size_t i = 0; i + 5 < sizeof(deep); i += 5)
		memcpy(deep + i, "{\"\":{", 5);
	deep[sizeof(deep) - 1] = '\0';
	claims = forge_claims("exp", deep);
	token = forge(&forge_key, FORGE_HEADER, claims);
	forge_check_refused(token, "objects without an end");
	free(claims);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(issuer_audience_and_type_are_ours),
		cmocka_unit_test(times_are_whole_numbers),
		cmocka_unit_test(a_token_that_is_over_is_refused),
		cmocka_unit_test(a_token_of_the_future_is_refused),
		cmocka_unit_test(a_token_lives_a_day_at_most),
		cmocka_unit_test(the_subject_is_text_that_fits),
		cmocka_unit_test(texts_that_just_fit_are_taken),
		cmocka_unit_test(a_claim_may_not_come_twice),
		cmocka_unit_test(claims_that_are_no_object_are_refused),
		cmocka_unit_test(nothing_may_follow_the_claims),
		cmocka_unit_test(nothing_may_follow_the_header),
		cmocka_unit_test(deep_nesting_does_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
