// SPDX-License-Identifier: Apache-2.0
#include "api/http/auth.h"
#include "tests/unit/api/http/forge.h"

#include <openssl/rsa.h>
#include <openssl/sha.h>

static const struct auth_key other_key = {"another's: as many bytes, but no"};

static char *token_with_header(const char *header)
{
	char *claims = forge_claims("", NULL);
	char *token = forge(&forge_key, header, claims);
	free(claims);
	return token;
}

static void a_token_we_made_is_taken(void **)
{
	struct store_user user = {
		.api_id = FORGE_API_ID, .entity = "lentor", .role = "analyst", .generation = 7};
	struct auth_claims claims = {};
	char *token = auth_token_create(&forge_key, &user, FORGE_NOW_NS, 3600);
	assert_non_null(token);
	assert_int_equal(forge_check(token, strlen(token), &claims), 0);
	assert_string_equal(claims.api_id, FORGE_API_ID);
	assert_string_equal(claims.entity, "lentor");
	assert_string_equal(claims.role, "analyst");
	assert_int_equal(claims.generation, 7);
	assert_int_equal(claims.expires_sec, FORGE_NOW + 3600);
	char *second = auth_token_create(&forge_key, &user, FORGE_NOW_NS, 3600);
	assert_string_not_equal(token, second); // each has a name of its own
	free(second);
	free(token);
}

static void a_token_ends_to_the_second(void **)
{
	struct store_user user = {.api_id = FORGE_API_ID, .entity = "e", .role = "r"};
	struct auth_claims claims;
	const char *why;
	char *token = auth_token_create(&forge_key, &user, FORGE_NOW_NS, 60);
	size_t len = strlen(token);
	uint64_t last = FORGE_NOW_NS + 60 * NS_PER_SEC - 1;
	assert_int_equal(auth_token_check(&forge_key, token, len, last, &claims, &why), 0);
	assert_int_equal(
		auth_token_check(&forge_key, token, len, last + 1, &claims, &why), -EACCES
	);
	assert_string_equal(why, "expired");
	uint64_t early = FORGE_NOW_NS - AUTH_LEEWAY_SEC * NS_PER_SEC;
	assert_int_equal(auth_token_check(&forge_key, token, len, early, &claims, &why), 0);
	assert_int_equal(
		auth_token_check(&forge_key, token, len, early - 1, &claims, &why), -EACCES
	);
	assert_int_equal(
		auth_token_check(&other_key, token, len, FORGE_NOW_NS, &claims, &why), -EACCES
	);
	free(token);
}

static void the_forger_can_make_good_ones(void **)
{
	forge_check_taken(forge_good()); // so what is refused below is refused for its one fault
	forge_check_taken(forge_saying("exp", "1774430001"));
	forge_check_taken(forge_saying("exp", "1774515600")); // 24 h
	forge_check_taken(forge_saying("nbf", "1774430030")); // the leeway
	forge_check_taken(forge_saying("iat", "1774430030"));
	forge_check_taken(forge_saying("gen", "0"));
	forge_check_taken(forge_saying("gen", "9223372036854775807"));
	forge_check_taken(forge_saying("more", "{\"a\":[1,2]}")); // RFC 7519 §4: others are ignored
	forge_check_taken(token_with_header("{\"typ\":\"JWT\",\"alg\":\"HS256\"}"));
}

static void what_is_no_token_is_refused(void **)
{
	static const char *const texts[] = {
		"",	".",	   "..",	  "...",	 "....",	"a",
		"a.b",	"a.b.c",   "a.b.c.d",	  "a.b.c.d.e",	 ".b.c",	"a..c",
		"a.b.", "..c",	   "a..",	  ".b.",	 "null",	"Bearer",
		"{}",	"{}.{}.x", "e30.e30.e30", "e30=.e30=.x", "%00.%00.%00", "\xff.\xff.\xff"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		forge_check_refused(strdup(texts[i]), texts[i]);
}

// The good token with something put in front, in it or behind.
static void a_good_token_with_more_or_less_around_it_is_refused(void **)
{
	static const char *const behind[] = {
		"=",
		"==",
		".",
		".a",
		".a.b",
		" ",
		"\n",
		"\r\n",
		";",
		"A",
		"AAAA",
		"+",
		"/",
		"\x01"};
	char *good = forge_good(), *text = NULL;
	for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
		assert_true(asprintf(&text, "%s%s", good, behind[i]) > 0);
		forge_check_refused(text, "something behind it");
		assert_true(asprintf(&text, "%s%s", behind[i], good) > 0);
		forge_check_refused(text, "something in front of it");
	}
	size_t len = strlen(good);
	struct auth_claims claims;
	assert_int_equal(forge_check(good, len + 1, &claims), -EACCES); // its NUL
	for (size_t i = 0; i < len; i++)
		assert_int_equal(forge_check(good, i, &claims), -EACCES);
	int dot = (int)strcspn(good, ".");
	assert_true(asprintf(&text, "%.*s=%s", dot, good, good + dot) > 0);
	forge_check_refused(text, "padding in the middle");
	assert_true(asprintf(&text, "%.*s.%s", dot, good, good + dot) > 0);
	forge_check_refused(text, "an empty part in the middle");
	free(good);
}

static void no_character_of_a_token_can_be_changed(void **)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	struct auth_claims claims;
	char *good = forge_good();
	size_t len = strlen(good);
	for (size_t i = 0; i < len; i++) {
		char was = good[i];
		const char *at = strchr(digits, was);
		// its neighbours differ in the lowest bits, which the last one of a part has to
		// spare
		for (int step = 1; step < 4; step++) {
			good[i] = digits[((size_t)(at - digits) + (size_t)step) % 65];
			if (forge_check(good, len, &claims) == 0)
				fail_msg("place %zu of %zu was changed", i, len);
		}
		good[i] = was;
	}
	free(good);
}

static void tokens_are_as_long_as_ours_may_be(void **)
{
	char padding[3100];
	memset(padding, 'x', sizeof(padding));
	padding[0] = '"';
	for (size_t len = 4000; len <= 4100; len++) {
		char *claims = forge_claims("", NULL);
		// header, two dots and signature are 81
		size_t n = (len - 81) * 3 / 4;
		if (n <= strlen(claims) + 10)
			fail();
		n -= strlen(claims) + strlen(",\"p\":");
		free(claims);
		strcpy(padding + n - 1, "\"");
		char *token = forge_saying("p", padding);
		padding[n - 1] = padding[n] = 'x';
		if (strlen(token) <= AUTH_TOKEN_MAX)
			forge_check_taken(token);
		else
			forge_check_refused(token, "longer than 4096");
	}
}

static void a_header_of_nine_megabytes_is_refused(void **)
{
	size_t len = 9 << 20;
	char *huge = malloc(len + 1);
	assert_non_null(huge);
	memset(huge, 'e', len);
	strcpy(huge + len - 4, ".a.b");
	forge_check_refused(huge, "nine megabytes");
}

static void no_spelling_of_none_passes(void **)
{
	for (int letters = 0; letters < 16; letters++) {
		char header[64], alg[5] = "none", *claims = forge_claims("", NULL), *text = NULL;
		for (int i = 0; i < 4; i++)
			alg[i] = (char)(letters >> i & 1 ? alg[i] - 'a' + 'A' : alg[i]);
		snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"JWT\"}", alg);
		forge_check_refused(
			forge(&forge_key, header, claims), header
		); // even with our signature
		forge_check_refused(forge(&other_key, header, claims), header);
		char *head = forge_part(header, strlen(header));
		char *body = forge_part(claims, strlen(claims));
		static const char *const ends[] = {"", ".", ".x", ".AAAA", ".bm9uZQ"};
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
			assert_true(asprintf(&text, "%s.%s%s", head, body, ends[i]) > 0);
			forge_check_refused(text, header);
		}
		free(head);
		free(body);
		free(claims);
	}
}

static void headers_that_are_not_to_the_letter_are_refused(void **)
{
	static const char *const headers[] = {
		"{}",
		"[]",
		"5",
		"null",
		"\"HS256\"",
		"{",
		"not json",
		"{\"alg\":\"HS256\"}",
		"{\"typ\":\"JWT\"}",
		"{\"alg\":\"\",\"typ\":\"JWT\"}",
		"{\"alg\":\"hs256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256 \",\"typ\":\"JWT\"}",
		"{\"alg\":256,\"typ\":\"JWT\"}",
		"{\"alg\":null,\"typ\":\"JWT\"}",
		"{\"alg\":true,\"typ\":\"JWT\"}",
		"{\"alg\":[\"HS256\"],\"typ\":\"JWT\"}",
		"{\"alg\":{\"HS256\":1},\"typ\":\"JWT\"}",
		"{\"Alg\":\"HS256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS384\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS512\",\"typ\":\"JWT\"}",
		"{\"alg\":\"RS256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"ES256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"PS256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"typ\":\"jwt\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWS\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}",
		"{\"alg\":\"HS256\",\"typ\":5}",
		"{\"alg\":\"HS256\",\"typ\":null}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"1\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"../../dev/null\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"crit\":[\"exp\"]}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"jku\":\"https://evil.example/k\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"x5u\":\"https://evil.example/k\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"zip\":\"DEF\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"cty\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"\":0}",
		// names that come twice: what reads the last one and what reads the first differ
		"{\"alg\":\"none\",\"alg\":\"HS256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"alg\":\"none\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"alg\":\"HS256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"typ\":\"x\",\"typ\":\"JWT\"}",
		FORGE_HEADER "x",
		FORGE_HEADER FORGE_HEADER};
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		forge_check_refused(token_with_header(headers[i]), headers[i]);
}

// Six bits are no byte: a part can have them to spare, and some decoders take it.
static void a_part_with_a_character_to_spare_is_refused(void **)
{
	char *claims = forge_claims("x", "1"), *longer = NULL, *more = NULL;
	while (strlen(claims) % 3) // a part without any bits to spare
		strcat(claims, " ");
	char *head = forge_part(FORGE_HEADER, strlen(FORGE_HEADER));
	char *body = forge_part(claims, strlen(claims));
	assert_int_equal(strlen(head) % 4, 0);
	assert_int_equal(strlen(body) % 4, 0);
	forge_check_taken(forge_parts(head, body, EVP_sha256(), forge_key.b, AUTH_KEY_LEN));
	assert_true(asprintf(&longer, "%sA", head) > 0);
	assert_true(asprintf(&more, "%sA", body) > 0);
	forge_check_refused(
		forge_parts(longer, body, EVP_sha256(), forge_key.b, AUTH_KEY_LEN),
		"a longer header"
	);
	forge_check_refused(
		forge_parts(head, more, EVP_sha256(), forge_key.b, AUTH_KEY_LEN), "longer claims"
	);
	free(claims);
	free(longer);
	free(more);
	free(head);
	free(body);
}

static void another_key_or_hash_is_refused(void **)
{
	static const struct auth_key zero, none = {""};
	char *claims = forge_claims("", NULL);
	size_t n = strlen(claims), h = strlen(FORGE_HEADER);
	forge_check_refused(forge(&other_key, FORGE_HEADER, claims), "another key");
	forge_check_refused(forge(&zero, FORGE_HEADER, claims), "a key of zeros");
	forge_check_refused(
		forge_bytes(FORGE_HEADER, h, claims, n, EVP_sha256(), none.b, 0), "an empty key"
	);
	forge_check_refused(
		forge_bytes(FORGE_HEADER, h, claims, n, EVP_sha256(), forge_key.b, 31), "half a key"
	);
	forge_check_refused(
		forge_bytes(FORGE_HEADER, h, claims, n, EVP_sha384(), forge_key.b, 32),
		"HS256 by SHA-384"
	);
	forge_check_refused(
		forge_bytes(FORGE_HEADER, h, claims, n, EVP_sha512(), forge_key.b, 32),
		"HS256 by SHA-512"
	);
	static const char hs384[] = "{\"alg\":\"HS384\",\"typ\":\"JWT\"}";
	static const char hs512[] = "{\"alg\":\"HS512\",\"typ\":\"JWT\"}";
	forge_check_refused(
		forge_bytes(hs384, h, claims, n, EVP_sha384(), forge_key.b, 32), "HS384, our key"
	);
	forge_check_refused(
		forge_bytes(hs512, h, claims, n, EVP_sha512(), forge_key.b, 32), "HS512, our key"
	);
	free(claims);
}

// RFC 8725 §2.1: a signature of another kind, by whoever has any RSA key.
static void a_token_signed_with_rsa_is_refused(void **)
{
	static const char header[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\"}";
	char *claims = forge_claims("", NULL), *input = NULL, *token = NULL;
	char *head = forge_part(header, strlen(header)), *body = forge_part(claims, strlen(claims));
	unsigned char mac[512];
	size_t mac_len = sizeof(mac);
	EVP_PKEY *rsa = EVP_RSA_gen(2048);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_true(asprintf(&input, "%s.%s", head, body) > 0);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, rsa), 1);
	assert_int_equal(
		EVP_DigestSign(ctx, mac, &mac_len, (unsigned char *)input, strlen(input)), 1
	);
	char *signature = forge_part(mac, mac_len);
	assert_true(asprintf(&token, "%s.%s", input, signature) > 0);
	forge_check_refused(token, "RS256");
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(rsa);
	free(signature);
	free(claims);
	free(input);
	free(head);
	free(body);
}

static void check_found(const char *authorization, const char *cookie, const char *want)
{
	size_t len = 999;
	const char *got = auth_token_find(authorization, cookie, &len);
	if (!want) {
		assert_null(got);
		return;
	}
	assert_non_null(got);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(got, want, len);
}

static void a_token_is_found_in_the_authorization_header(void **)
{
	check_found("Bearer a.b.c", NULL, "a.b.c");
	check_found("bearer a.b.c", NULL, "a.b.c");
	check_found("BEARER  \t a.b.c \t", NULL, "a.b.c");
	check_found(" Bearer\ta.b.c", NULL, "a.b.c");
	check_found("a.b.c", NULL, "a.b.c"); // as older clients send it
	check_found(" a.b.c ", NULL, "a.b.c");
	check_found(NULL, NULL, NULL);
	// these are no tokens, which is for the check to say
	check_found("Bearer", NULL, "Bearer");
	check_found("Bearer ", NULL, "");
	check_found("", NULL, "");
	check_found("Bearera.b.c", NULL, "Bearera.b.c");
	check_found("Basic dTpw", NULL, "Basic dTpw");
	check_found("Bearer a.b.c, Bearer d.e.f", NULL, "a.b.c, Bearer d.e.f");
}

static void a_token_is_found_among_cookies(void **)
{
	check_found(NULL, "weir_token=a.b.c", "a.b.c");
	check_found(NULL, "theme=dark; weir_token=a.b.c; lang=en", "a.b.c");
	check_found(NULL, "theme=dark;weir_token=a.b.c", "a.b.c");
	check_found(NULL, "; ;weir_token=a.b.c;", "a.b.c");
	check_found(NULL, "weir_token=", "");
	check_found(NULL, "weir_token=a; weir_token=b", "a");
	check_found(NULL, "", NULL);
	check_found(NULL, ";;; ", NULL);
	check_found(NULL, "weir_token", NULL);
	check_found(NULL, "weir_tokens=a", NULL);
	check_found(NULL, "my_weir_token=a", NULL);
	check_found(NULL, "WEIR_TOKEN=a", NULL);
	check_found(NULL, "x=weir_token=a", NULL);
}

static void the_header_comes_before_the_cookie(void **)
{
	check_found("Bearer a.b.c", "weir_token=d.e.f", "a.b.c");
	check_found("", "weir_token=d.e.f", ""); // and does not fall back to it
}

static void a_secret_is_compared_with_its_hash(void **)
{
	static const char secret[] = "correct horse battery staple";
	uint8_t hash[STORE_SECRET_HASH], nobody[STORE_SECRET_HASH] = {};
	SHA256((const unsigned char *)secret, sizeof(secret) - 1, hash);
	assert_true(auth_secret_matches(secret, hash));
	assert_false(auth_secret_matches("correct horse battery stapl", hash));
	assert_false(auth_secret_matches("correct horse battery staple ", hash));
	assert_false(auth_secret_matches("", hash));
	assert_false(auth_secret_matches("", nobody));
	assert_false(auth_secret_matches(secret, nobody));
	for (size_t bit = 0; bit < 8 * sizeof(hash); bit++) {
		hash[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(auth_secret_matches(secret, hash));
		hash[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_we_made_is_taken),
		cmocka_unit_test(a_token_ends_to_the_second),
		cmocka_unit_test(the_forger_can_make_good_ones),
		cmocka_unit_test(what_is_no_token_is_refused),
		cmocka_unit_test(a_good_token_with_more_or_less_around_it_is_refused),
		cmocka_unit_test(no_character_of_a_token_can_be_changed),
		cmocka_unit_test(tokens_are_as_long_as_ours_may_be),
		cmocka_unit_test(a_header_of_nine_megabytes_is_refused),
		cmocka_unit_test(no_spelling_of_none_passes),
		cmocka_unit_test(headers_that_are_not_to_the_letter_are_refused),
		cmocka_unit_test(a_part_with_a_character_to_spare_is_refused),
		cmocka_unit_test(another_key_or_hash_is_refused),
		cmocka_unit_test(a_token_signed_with_rsa_is_refused),
		cmocka_unit_test(a_token_is_found_in_the_authorization_header),
		cmocka_unit_test(a_token_is_found_among_cookies),
		cmocka_unit_test(the_header_comes_before_the_cookie),
		cmocka_unit_test(a_secret_is_compared_with_its_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
