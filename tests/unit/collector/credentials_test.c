// SPDX-License-Identifier: Apache-2.0
#include "collector/credentials.h"
#include "tests/unit/cmocka.h"

#include <openssl/evp.h>

#include <string.h>

static void the_hash_is_that_of_the_secret_shown(void **)
{
	struct store_user u = {};
	char secret[CREDENTIALS_SECRET_LEN + 1];
	uint8_t hash[STORE_SECRET_HASH];
	assert_int_equal(credentials_make(&u, secret), 0);
	assert_int_equal(strlen(secret), CREDENTIALS_SECRET_LEN);
	assert_int_equal(strlen(u.api_id), STORE_API_ID_LEN);
	assert_int_equal(strspn(u.api_id, "0123456789abcdef"), STORE_API_ID_LEN);
	assert_true(EVP_Digest(secret, strlen(secret), hash, NULL, EVP_sha256(), NULL));
	assert_memory_equal(hash, u.secret_hash, sizeof(hash));
}

static void the_secret_is_base64url_of_all_its_bits(void **)
{
	// every position takes many values over 200 secrets, the last one those of 4 bits
	int distinct[CREDENTIALS_SECRET_LEN] = {};
	bool seen[CREDENTIALS_SECRET_LEN][256] = {};
	for (int i = 0; i < 200; i++) {
		struct store_user u = {};
		char secret[CREDENTIALS_SECRET_LEN + 1];
		assert_int_equal(credentials_make(&u, secret), 0);
		for (int c = 0; c < CREDENTIALS_SECRET_LEN; c++) {
			uint8_t letter = (uint8_t)secret[c];
			assert_non_null(
				strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-_",
				       letter)
			);
			distinct[c] += !seen[c][letter];
			seen[c][letter] = true;
		}
	}
	for (int c = 0; c < CREDENTIALS_SECRET_LEN - 1; c++)
		assert_true(distinct[c] > 30);
	assert_in_range(distinct[CREDENTIALS_SECRET_LEN - 1], 12, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_that_of_the_secret_shown),
		cmocka_unit_test(the_secret_is_base64url_of_all_its_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
