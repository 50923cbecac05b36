// SPDX-License-Identifier: Apache-2.0
#pragma once

// Access tokens: JWTs that the API signs for itself, HS256 and nothing else. libjwt 1.10.2 checks
// neither expiry nor audience, takes the algorithm from the token and can be made to write out of
// bounds by odd ones, so every token passes the checks here before and after it (RFC 8725 §3).
// Thread: any; a key is const once made.

#include "collector/store/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTH_KEY_LEN 32 // RFC 8725 §3.5: as long as the hash's output
#define AUTH_TOKEN_MAX 4096
#define AUTH_LEEWAY_SEC 30 // of "not yet" against clocks set back; none for "not any more"
#define AUTH_LIFETIME_MAX_SEC 86400

struct auth_key {
	uint8_t b[AUTH_KEY_LEN];
};

struct auth_claims {
	char api_id[STORE_API_ID_LEN + 1];
	char entity[STORE_NAME_MAX + 1];
	char role[16];
	uint64_t generation;
	int64_t expires_sec;
};

// A token for the user, to be freed; NULL without memory.
[[nodiscard]] char *auth_token_create(
	const struct auth_key *key,
	const struct store_user *user,
	uint64_t now_ns,
	int64_t lifetime_sec
);

// Whether the token is one of ours and good now; who it is for must still be asked of the store.
// 0, or -EACCES with a few words for the log in *ret_why. `text` need not end in NUL.
[[nodiscard]] int auth_token_check(
	const struct auth_key *key,
	const char *text,
	size_t len,
	uint64_t now_ns,
	struct auth_claims *ret_claims,
	const char **ret_why
);

// The token in an Authorization header ("Bearer T", or T alone as older clients send it) or in the
// cookie weir_token; NULL when there is none. *ret_len is its length. Either header may be NULL.
const char *auth_token_find(const char *authorization, const char *cookie, size_t *ret_len);

// Compares a secret as a client sent it with its stored hash, in constant time.
bool auth_secret_matches(const char *secret, const uint8_t hash[static STORE_SECRET_HASH]);
