// SPDX-License-Identifier: Apache-2.0
#include "collector/store/checksum.h"
#include "tests/unit/cmocka.h"

#include <string.h>

// Of the bytes 3, 10, 17, ...: computed by libxxhash 0.8.1 (XXH64, seed 0).
static const struct {
	size_t len;
	uint64_t sum;
} known[] = {
	{0, 0xef46db3751d8e999},    {1, 0x1f25c8d0bc1f4bb6},  {2, 0xf5bedec232706303},
	{3, 0x31d2363f52e564c9},    {4, 0x9bb64b7d66ee9fda},  {5, 0xc7608efddb7051fe},
	{7, 0x9a7b149959ce60d8},    {8, 0xdab99d95c6f90092},  {9, 0x170bb6bf975b4c02},
	{11, 0x7a52cc9457cf1a1f},   {12, 0xd52e407833af5133}, {13, 0xf78b031308f5bfc8},
	{15, 0x1b47cb8243cc8e32},   {16, 0x434850232b787be2}, {17, 0x1efa7025f1b97a7a},
	{31, 0xa2aa5f33cc4a6119},   {32, 0x23c3c17ef790fd97}, {33, 0x50a7cfc7ba588784},
	{39, 0x880bbeea606e4b37},   {40, 0xb620306b253d76b6}, {63, 0x5e3e54b431c7493c},
	{64, 0x0eb64b3ef6eeb01f},   {65, 0xa383b724b2bd12f1}, {100, 0xa61f8d4c170fe531},
	{1000, 0x5f235fa033f1a3fb},
};

static void fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 + 3);
}

static void it_is_xxh64(void **state)
{
	uint8_t bytes[1000];
	(void)state;
	fill(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(checksum64(bytes, known[i].len), known[i].sum);
	assert_int_equal(checksum64("abc", 3), 0x44bc2cf5ad770999);
}

static void where_the_bytes_lie_does_not_matter(void **state)
{
	uint8_t bytes[1000 + 16];
	(void)state;
	for (size_t shift = 0; shift < 16; shift++) {
		fill(bytes + shift, 1000);
		assert_int_equal(checksum64(bytes + shift, 1000), 0x5f235fa033f1a3fb);
	}
}

static void each_bit_counts(void **state)
{
	uint8_t bytes[100];
	(void)state;
	fill(bytes, sizeof(bytes));
	uint64_t sum = checksum64(bytes, sizeof(bytes));
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(checksum64(bytes, sizeof(bytes)), sum);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_xxh64),
		cmocka_unit_test(where_the_bytes_lie_does_not_matter),
		cmocka_unit_test(each_bit_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
