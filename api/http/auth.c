// SPDX-License-Identifier: Apache-2.0
#include "api/http/auth.h"

#include "lib/base/clock.h"

#include <jansson.h>
#include <jwt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#define ISSUER "weir-api"
#define AUDIENCE "weir"
#define TYPE "access"

static_assert(AUTH_KEY_LEN >= 32, "a shorter key than the hash can be guessed at (RFC 8725 §3.5)");

// 128 random bits in hex: names this token among all (RFC 7519 §4.1.7).
static int make_id(char text[static 33])
{
	uint8_t b[16];
	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return -EIO;
	for (size_t i = 0; i < sizeof(b); i++)
		snprintf(text + 2 * i, 3, "%02x", b[i]);
	return 0;
}

static char *sign(const struct auth_key *key, const char *claims)
{
	jwt_t *jwt = NULL;
	char *text = NULL;
	if (jwt_new(&jwt) != 0)
		return NULL;
	if (jwt_set_alg(jwt, JWT_ALG_HS256, key->b, sizeof(key->b)) == 0 &&
	    jwt_add_grants_json(jwt, claims) == 0)
		text = jwt_encode_str(jwt);
	jwt_free(jwt);
	return text;
}

char *auth_token_create(
	const struct auth_key *key,
	const struct store_user *user,
	uint64_t now_ns,
	int64_t lifetime_sec
)
{
	char id[33];
	json_int_t now = (json_int_t)(now_ns / NS_PER_SEC);
	if (make_id(id) < 0)
		return NULL;
	json_t *claims = json_pack(
		"{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:s,s:s}",
		"iss",
		ISSUER,
		"aud",
		AUDIENCE,
		"sub",
		user->api_id,
		"entity",
		user->entity,
		"role",
		user->role,
		"gen",
		(json_int_t)user->generation,
		"iat",
		now,
		"nbf",
		now,
		"exp",
		now + lifetime_sec,
		"jti",
		id,
		"typ",
		TYPE
	);
	char *text = claims ? json_dumps(claims, JSON_COMPACT) : NULL;
	char *token = text ? sign(key, text) : NULL;
	free(text);
	json_decref(claims);
	return token;
}

// Three non-empty parts of base64url, apart by dots, and no more of it than we ever make: libjwt
// writes past empty parts and copies any length to its stack.
static const char *form_fault(const char *text, size_t len)
{
	size_t part = 0;
	unsigned dots = 0;
	if (len == 0 || len > AUTH_TOKEN_MAX)
		return "length";
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '.') {
			if (part == 0 || ++dots > 2)
				return "form";
			part = 0;
			continue;
		}
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  (c >= '0' && c <= '9') || c == '-' || c == '_';
		if (!ok)
			return "characters";
		part++;
	}
	return dots == 2 && part > 0 ? NULL : "form";
}

// The JSON of a part, all of it and to the letter. libjwt lets the last of two equal names win and
// stops at a NUL: what it has seen need not be what others see.
static json_t *part_json(const char *part, size_t len)
{
	unsigned char text[AUTH_TOKEN_MAX + 3], json[sizeof(text)];
	size_t n_pad = (4 - len % 4) % 4;
	if (n_pad == 3)
		return NULL; // six bits are no byte
	memcpy(text, part, len);
	memset(text + len, '=', n_pad);
	for (size_t i = 0; i < len; i++)
		text[i] = text[i] == '-' ? '+' : (text[i] == '_' ? '/' : text[i]);
	int n = EVP_DecodeBlock(json, text, (int)(len + n_pad));
	if (n < (int)n_pad)
		return NULL;
	return json_loadb((char *)json, (size_t)n - n_pad, JSON_REJECT_DUPLICATES, NULL);
}

// The header decides what libjwt does next, so it may say this and nothing else:
// {"typ":"JWT","alg":"HS256"}. "kid", "crit", "jku", "x5u" and the like are not ours.
static const char *header_fault(const json_t *header)
{
	const char *alg = json_string_value(json_object_get(header, "alg"));
	const char *typ = json_string_value(json_object_get(header, "typ"));

	if (!alg || strcmp(alg, "HS256") != 0)
		return "algorithm";
	return !typ || strcmp(typ, "JWT") != 0 || json_object_size(header) != 2 ? "header" : NULL;
}

static bool is_signed(const struct auth_key *key, const char *token)
{
	jwt_t *jwt = NULL;
	bool ok = jwt_decode(&jwt, token, key->b, sizeof(key->b)) == 0 &&
		  jwt_get_alg(jwt) == JWT_ALG_HS256; // RFC 8725 §3.1
	jwt_free(jwt);
	return ok;
}

static bool text_is(const json_t *claims, const char *name, const char *value)
{
	const json_t *v = json_object_get(claims, name);
	return json_is_string(v) && json_string_length(v) == strlen(value) &&
	       strcmp(json_string_value(v), value) == 0;
}

// A text claim into dst, which it must fit; not empty, no NUL inside.
static bool text_get(const json_t *claims, const char *name, char *dst, size_t size)
{
	const json_t *v = json_object_get(claims, name);
	size_t n = json_string_length(v);
	if (!json_is_string(v) || n == 0 || n >= size || strlen(json_string_value(v)) != n)
		return false;
	memcpy(dst, json_string_value(v), n + 1);
	return true;
}

// Only a JSON integer: libjwt gives -1 for an absent claim and 0 for "1e9" or 1.0.
static bool int_get(const json_t *claims, const char *name, int64_t *ret)
{
	const json_t *v = json_object_get(claims, name);
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*ret = json_integer_value(v);
	return true;
}

static const char *time_fault(const json_t *claims, int64_t now, int64_t *ret_expires)
{
	int64_t iat, nbf, exp;
	if (!int_get(claims, "iat", &iat) || !int_get(claims, "nbf", &nbf) ||
	    !int_get(claims, "exp", &exp))
		return "times";
	if (exp <= now)
		return "expired";
	if (nbf > now + AUTH_LEEWAY_SEC || iat > now + AUTH_LEEWAY_SEC)
		return "not valid yet";
	if (exp <= iat || exp - iat > AUTH_LIFETIME_MAX_SEC)
		return "lifetime";
	*ret_expires = exp;
	return NULL;
}

static const char *
claims_fault(const json_t *claims, uint64_t now_ns, struct auth_claims *ret_claims)
{
	struct auth_claims c = {};
	char id[65];
	int64_t generation;
	const char *fault;

	if (!json_is_object(claims))
		return "claims";
	if (!text_is(claims, "typ", TYPE))
		return "type";
	if (!text_is(claims, "iss", ISSUER))
		return "issuer";
	if (!text_is(claims, "aud", AUDIENCE))
		return "audience";
	if (!text_get(claims, "sub", c.api_id, sizeof(c.api_id)) ||
	    !text_get(claims, "entity", c.entity, sizeof(c.entity)) ||
	    !text_get(claims, "role", c.role, sizeof(c.role)) ||
	    !text_get(claims, "jti", id, sizeof(id)) || !int_get(claims, "gen", &generation))
		return "subject";
	fault = time_fault(claims, (int64_t)(now_ns / NS_PER_SEC), &c.expires_sec);
	if (fault)
		return fault;
	c.generation = (uint64_t)generation;
	*ret_claims = c;
	return NULL;
}

int auth_token_check(
	const struct auth_key *key,
	const char *text,
	size_t len,
	uint64_t now_ns,
	struct auth_claims *ret_claims,
	const char **ret_why
)
{
	char token[AUTH_TOKEN_MAX + 1];

	*ret_why = form_fault(text, len);
	if (*ret_why)
		return -EACCES;
	memcpy(token, text, len);
	token[len] = '\0';
	size_t header_len = strcspn(token, ".");
	const char *body = token + header_len + 1;

	json_t *header = part_json(token, header_len);
	*ret_why = header_fault(header);
	json_decref(header);
	if (!*ret_why && !is_signed(key, token))
		*ret_why = "signature";
	if (!*ret_why) {
		json_t *claims = part_json(body, strcspn(body, "."));
		*ret_why = claims_fault(claims, now_ns, ret_claims);
		json_decref(claims);
	}
	return *ret_why ? -EACCES : 0;
}

static const char *find_cookie(const char *cookie, size_t *ret_len)
{
	static const char name[] = "weir_token=";
	while (*cookie) {
		cookie += strspn(cookie, "; \t");
		size_t n = strcspn(cookie, ";");
		if (n >= sizeof(name) - 1 && strncmp(cookie, name, sizeof(name) - 1) == 0) {
			*ret_len = n - (sizeof(name) - 1);
			return cookie + sizeof(name) - 1;
		}
		cookie += n;
	}
	return NULL;
}

const char *auth_token_find(const char *authorization, const char *cookie, size_t *ret_len)
{
	if (authorization) {
		const char *token = authorization + strspn(authorization, " \t");
		if (strncasecmp(token, "Bearer", 6) == 0 && (token[6] == ' ' || token[6] == '\t'))
			token += 6 + strspn(token + 6, " \t");
		size_t n = strlen(token);
		while (n > 0 && (token[n - 1] == ' ' || token[n - 1] == '\t'))
			n--;
		*ret_len = n;
		return token;
	}
	return cookie ? find_cookie(cookie, ret_len) : NULL;
}

bool auth_secret_matches(const char *secret, const uint8_t hash[static STORE_SECRET_HASH])
{
	uint8_t mine[SHA256_DIGEST_LENGTH];
	static_assert(sizeof(mine) == STORE_SECRET_HASH, "users are stored with SHA-256");
	SHA256((const unsigned char *)secret, strlen(secret), mine);
	return CRYPTO_memcmp(mine, hash, sizeof(mine)) == 0;
}
