// SPDX-License-Identifier: Apache-2.0

// Access tokens. After 'h' the input is a header that may hold one: whatever is done to the tokens
// in the corpus, only the claims that were signed are ever accepted. After 's' it is a token's
// header and payload as JSON, with a line feed between, and gets the right signature.

#include "api/http/auth.h"
#include "lib/base/clock.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NOW_SEC 1700000000
#define JSON_LEN_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct auth_key key = {"the fuzz corpus's own key, 32 B."};

static bool check(const char *token, size_t len, struct auth_claims *ret_claims)
{
	const char *why = NULL;
	int ret = auth_token_check(&key, token, len, NOW_SEC * NS_PER_SEC, ret_claims, &why);
	assert(!ret == !why);
	return ret == 0;
}

static void check_header(const char *authorization, const char *cookie)
{
	struct auth_claims c;
	size_t len;
	const char *token = auth_token_find(authorization, cookie, &len);
	if (!token || !check(token, len, &c))
		return;
	assert(strcmp(c.api_id, "00112233445566778899aabbccddeeff") == 0);
	assert(strcmp(c.entity, "netflow") == 0 && strcmp(c.role, "viewer") == 0);
	assert(c.generation == 7 && c.expires_sec == NOW_SEC + 3600);
}

// Appends base64url without padding (RFC 7515 §2).
static char *put_base64(char *to, const void *p, size_t len)
{
	char *end = to + EVP_EncodeBlock((unsigned char *)to, p, (int)len);
	while (end > to && end[-1] == '=')
		end--;
	for (char *c = to; c < end; c++) {
		if (*c == '+')
			*c = '-';
		else if (*c == '/')
			*c = '_';
	}
	return end;
}

static bool is_text(const char *text, size_t size)
{
	return *text && strnlen(text, size) < size;
}

static void check_header_json(const uint8_t *json, size_t len)
{
	json_t *header = json_loadb((const char *)json, len, JSON_REJECT_DUPLICATES, NULL);
	assert(json_object_size(header) == 2 && json_object_get(header, "typ"));
	assert(strcmp(json_string_value(json_object_get(header, "alg")), "HS256") == 0);
	json_decref(header);
}

static void check_signed(const uint8_t *json, size_t len)
{
	static char token[3 * JSON_LEN_MAX];
	const uint8_t *payload = memchr(json, '\n', len);
	uint8_t mac[32];
	struct auth_claims c;
	if (!payload || len > JSON_LEN_MAX)
		return;
	char *end = put_base64(token, json, (size_t)(payload - json));
	*end++ = '.';
	end = put_base64(end, payload + 1, (size_t)(json + len - payload - 1));
	HMAC(EVP_sha256(), key.b, sizeof(key), (uint8_t *)token, (size_t)(end - token), mac, NULL);
	*end++ = '.';
	end = put_base64(end, mac, sizeof(mac));
	if (!check(token, (size_t)(end - token), &c))
		return;
	check_header_json(json, (size_t)(payload - json));
	assert(is_text(c.api_id, sizeof(c.api_id)) && is_text(c.entity, sizeof(c.entity)));
	assert(is_text(c.role, sizeof(c.role)) && c.expires_sec > NOW_SEC);
	assert(c.expires_sec <= NOW_SEC + AUTH_LEEWAY_SEC + AUTH_LIFETIME_MAX_SEC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 && *data == 's')
		check_signed(data + 1, size - 1);
	if (size < 1 || *data != 'h')
		return 0;
	char *text = strndup((const char *)data + 1, size - 1);
	check_header(text, NULL);
	check_header(NULL, text);
	free(text);
	return 0;
}
