// SPDX-License-Identifier: Apache-2.0
#include "lib/base/siphash.h"
#include "tests/unit/cmocka.h"

#include <string.h>

// The reference vectors of Aumasson and Bernstein: key 00..0f, input 00..n-1.
static void reference_vectors_are_met(void **)
{
	static const struct {
		size_t len;
		uint64_t want;
	} vectors[] = {
		{0, 0x726fdb47dd0e0e31},
		{1, 0x74f839c593dc67fd},
		{7, 0xab0200f58b01d137},
		{8, 0x93f5f5799a932462},
		{15, 0xa129ca6149be45e5},
		{16, 0x3f2acc7f57c29bdb},
		{63, 0x958a324ceb064572},
	};
	struct siphash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	uint8_t input[64];
	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_true(siphash(&key, input, vectors[i].len) == vectors[i].want);
}

static void each_process_key_differs(void **)
{
	struct siphash_key a = siphash_key_random(), b = siphash_key_random();
	assert_true(a.k0 != b.k0 && a.k1 != b.k1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reference_vectors_are_met),
		cmocka_unit_test(each_process_key_differs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
