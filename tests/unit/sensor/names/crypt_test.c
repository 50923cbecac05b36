// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/crypt.h"
#include "tests/unit/sensor/names/hello.h"

static struct crypt *crypt;

static int setup(void **)
{
	return crypt_create(&crypt);
}

static int teardown(void **)
{
	crypt_free(crypt);
	return 0;
}

static void assert_hex(const uint8_t *p, size_t n, const char *hex)
{
	uint8_t want[64];
	assert_int_equal(bytes_of_hex(hex, want), n);
	assert_memory_equal(p, want, n);
}

static void hash_is_that_of_fips_180(void **)
{
	uint8_t digest[CRYPT_HASH_LEN];
	assert_true(crypt_sha256(buf_of("abc", 3), digest));
	assert_hex(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(crypt_sha256(buf_of("", 0), digest));
	assert_hex(digest, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void secrets_are_those_of_the_rfcs(void **)
{
	uint8_t salt[32], secret[32], out[32];
	size_t salt_len = bytes_of_hex("000102030405060708090a0b0c", salt); // RFC 5869 A.1
	size_t len = bytes_of_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", secret);
	assert_true(crypt_extract(buf_of(salt, salt_len), buf_of(secret, len), out));
	assert_hex(out, 32, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
	// RFC 9001 A.1
	bytes_of_hex("7db5df06e7a69e432496adedb00851923595221596ae2ae9fb8115c1e9ed0a44", secret);
	assert_true(crypt_expand(secret, "client in", out, 32));
	assert_hex(out, 32, "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea");
	assert_true(crypt_expand(out, "quic iv", out, 12));
	assert_hex(out, 12, "fa044b2f42a3fd3b46fb255c");
}

static void what_one_block_cannot_give_is_refused(void **)
{
	uint8_t secret[32] = {}, out[64];
	assert_false(crypt_expand(secret, "key", out, 33));
	assert_false(crypt_expand(
		secret, "a label that is longer than any label that there is for this", out, 16
	));
}

static void block_is_that_of_fips_197(void **)
{
	uint8_t key[16], block[16];
	bytes_of_hex("000102030405060708090a0b0c0d0e0f", key);
	bytes_of_hex("00112233445566778899aabbccddeeff", block);
	for (int i = 0; i < 2; i++) { // the context is used again
		uint8_t out[16];
		assert_true(crypt_block(crypt, key, block, out));
		assert_hex(out, 16, "69c4e0d86a7b0430d8cdb78070b4c55a");
	}
}

// Test case 4 of the GCM specification (McGrew, Viega).
static void sealed_bytes_open_only_unchanged(void **)
{
	uint8_t key[16], iv[12], head[20], sealed[76], out[76];
	bytes_of_hex("feffe9928665731c6d6a8f9467308308", key);
	bytes_of_hex("cafebabefacedbaddecaf888", iv);
	size_t head_len = bytes_of_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", head);
	size_t len = bytes_of_hex(
		"42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
		"21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
		"5bc94fbc3221a5db94fae95ae7121a47",
		sealed
	);
	struct crypt_box box = {key, iv, buf_of(head, head_len), buf_of(sealed, len)};
	assert_true(crypt_open(crypt, &box, out));
	assert_hex(
		out,
		60,
		"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
	);
	for (size_t i = 0; i < len; i++) {
		sealed[i] ^= 1;
		assert_false(crypt_open(crypt, &box, out));
		sealed[i] ^= 1;
	}
	head[3] ^= 1;
	assert_false(crypt_open(crypt, &box, out));
	head[3] ^= 1;
	box.sealed = buf_of(sealed, 15); // no room for a tag
	assert_false(crypt_open(crypt, &box, out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_is_that_of_fips_180),
		cmocka_unit_test(secrets_are_those_of_the_rfcs),
		cmocka_unit_test(what_one_block_cannot_give_is_refused),
		cmocka_unit_test(block_is_that_of_fips_197),
		cmocka_unit_test(sealed_bytes_open_only_unchanged),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
