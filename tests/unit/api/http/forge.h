// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes JSON web tokens of any bytes, good and bad, without the library that is to refuse them, and
// shows them to auth_token_check().

#include "api/http/auth.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORGE_HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define FORGE_NOW 1774430000 // 2026-03-25 09:13:20
#define FORGE_NOW_NS (FORGE_NOW * NS_PER_SEC)
#define FORGE_API_ID "0123456789abcdef0123456789abcdef"

static const struct auth_key forge_key = {"ours: thirty-two bytes of secret"};

// Base64url without padding (RFC 7515 §2); the text is the caller's.
static inline char *forge_part(const void *bytes, size_t len)
{
	char *text = malloc(4 * (len / 3 + 1) + 1);
	assert_non_null(text);
	int n = EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	while (n > 0 && text[n - 1] == '=')
		n--;
	text[n] = '\0';
	for (char *p = text; *p; p++)
		*p = *p == '+' ? '-' : (*p == '/' ? '_' : *p);
	return text;
}

// "head.body.signature" of two parts as they are, signed with that hash and key.
static inline char *
forge_parts(const char *head, const char *body, const EVP_MD *md, const void *key, size_t key_len)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	char *input = NULL, *token = NULL;
	assert_true(asprintf(&input, "%s.%s", head, body) > 0);
	assert_non_null(
		HMAC(md, key, (int)key_len, (unsigned char *)input, strlen(input), mac, &mac_len)
	);
	char *signature = forge_part(mac, mac_len);
	assert_true(asprintf(&token, "%s.%s", input, signature) > 0);
	free(input);
	free(signature);
	return token;
}

// The same of the bytes that the parts stand for.
static inline char *forge_bytes(
	const char *header,
	size_t header_len,
	const char *claims,
	size_t claims_len,
	const EVP_MD *md,
	const void *key,
	size_t key_len
)
{
	char *head = forge_part(header, header_len), *body = forge_part(claims, claims_len);
	char *token = forge_parts(head, body, md, key, key_len);
	free(head);
	free(body);
	return token;
}

// Signed as ours are, with that key.
static inline char *forge(const struct auth_key *key, const char *header, const char *claims)
{
	return forge_bytes(
		header, strlen(header), claims, strlen(claims), EVP_sha256(), key->b, sizeof(key->b)
	);
}

struct forge_claim {
	const char *name, *json;
};

// Good claims but for one: `name` says `json` instead (NULL: is left out; a new name is added).
static inline char *forge_claims(const char *name, const char *json)
{
	static const struct forge_claim good[] = {
		{"iss", "\"weir-api\""},
		{"aud", "\"weir\""},
		{"sub", "\"" FORGE_API_ID "\""},
		{"entity", "\"netflow\""},
		{"role", "\"viewer\""},
		{"gen", "3"},
		{"iat", "1774429200"},
		{"nbf", "1774429200"},
		{"exp", "1774432800"},
		{"jti", "\"00112233445566778899aabbccddeeff\""},
		{"typ", "\"access\""}};
	char *text = malloc(1024 + (json ? strlen(json) : 0)), *to = text;
	bool known = false;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		bool changed = strcmp(good[i].name, name) == 0;
		const char *value = changed ? json : good[i].json;
		known |= changed;
		if (value)
			to += sprintf(to, ",\"%s\":%s", good[i].name, value);
	}
	if (!known && json)
		to += sprintf(to, ",\"%s\":%s", name, json);
	strcpy(to, "}");
	text[0] = '{';
	return text;
}

static inline char *forge_saying(const char *name, const char *json)
{
	char *claims = forge_claims(name, json);
	char *token = forge(&forge_key, FORGE_HEADER, claims);
	free(claims);
	return token;
}

static inline char *forge_good(void)
{
	return forge_saying("", NULL);
}

// Checks a copy of exactly that length, so that a read behind it is seen.
static inline int forge_check(const char *text, size_t len, struct auth_claims *ret_claims)
{
	const char *why = NULL;
	char *copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, text, len);
	int ret = auth_token_check(&forge_key, copy, len, FORGE_NOW_NS, ret_claims, &why);
	free(copy);
	assert_true(ret == 0 || (ret == -EACCES && why && *why));
	return ret;
}

// Frees the token, as does the next one.
static inline void forge_check_taken(char *token)
{
	struct auth_claims claims = {};
	if (forge_check(token, strlen(token), &claims) < 0)
		fail_msg("refused: %s", token);
	free(token);
}

// Refused, and nothing of it given away; `what` it is, for the message.
static inline void forge_check_refused(char *token, const char *what)
{
	struct auth_claims claims, before;
	memset(&claims, 0x55, sizeof(claims));
	memcpy(&before, &claims, sizeof(claims));
	if (forge_check(token, strlen(token), &claims) == 0)
		fail_msg("taken: %s", what);
	assert_memory_equal(&claims, &before, sizeof(claims));
	free(token);
}
