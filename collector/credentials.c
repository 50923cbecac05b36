// SPDX-License-Identifier: Apache-2.0
#include "collector/credentials.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <errno.h>
#include <stddef.h>
#include <sys/random.h>

#define ID_LEN (STORE_API_ID_LEN / 2)
#define SECRET_LEN 32

static void hex_format(const uint8_t *bytes, size_t n, char *text)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 15];
	}
	*text = '\0';
}

// RFC 4648 §5, without padding. The last of 32 bytes' 43 letters carries 4 bits.
static void base64url_format(const uint8_t bytes[static SECRET_LEN], char *text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	for (unsigned bit = 0; bit < SECRET_LEN * 8; bit += 6) {
		unsigned at = bit / 8, next = at + 1 < SECRET_LEN ? bytes[at + 1] : 0;
		unsigned two = (unsigned)bytes[at] << 8 | next;
		*text++ = letters[two >> (10 - bit % 8) & 63];
	}
	*text = '\0';
}

int credentials_make(struct store_user *user, char secret[static CREDENTIALS_SECRET_LEN + 1])
{
	uint8_t random[ID_LEN + SECRET_LEN];
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	hex_format(random, ID_LEN, user->api_id);
	base64url_format(random + ID_LEN, secret);
	OPENSSL_cleanse(random, sizeof(random));
	if (!EVP_Digest(
		    secret, CREDENTIALS_SECRET_LEN, user->secret_hash, NULL, EVP_sha256(), NULL
	    ))
		return -EIO;
	return 0;
}
