// SPDX-License-Identifier: Apache-2.0
#include "collector/store/unpack.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

static uint32_t bits_at(const uint8_t *p, size_t at, unsigned bits)
{
	uint32_t v = 0;
	for (unsigned k = 0; k < bits; k++)
		v |= (uint32_t)(p[(at + k) / 8] >> (at + k) % 8 & 1) << k;
	return v;
}

// The buffer ends where its last number does, so that a read beyond it is found.
static void check(unsigned bits, uint32_t n, uint32_t first)
{
	size_t len = ((size_t)n * bits + 7) / 8;
	uint8_t *p = malloc(len);
	uint32_t *fast = malloc(n * sizeof(*fast)), *plain = malloc(n * sizeof(*plain));
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)rand();
	unpack32(p, len, bits, first, n - first, fast);
	unpack32_plain(p, len, bits, first, n - first, plain);
	for (uint32_t i = first; i < n; i++)
		assert_int_equal(plain[i - first], bits_at(p, (size_t)i * bits, bits));
	assert_memory_equal(fast, plain, (n - first) * sizeof(*fast));
	free(plain);
	free(fast);
	free(p);
}

static void both_ways_give_every_number_of_every_width(void **)
{
	static const uint32_t counts[] = {1, 7, 8, 9, 15, 16, 31, 64, 65, 127, 1000};
	srand(1);
	for (unsigned bits = 1; bits <= UNPACK_BITS_MAX; bits++)
		for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
			for (uint32_t first = 0; first < counts[i]; first += 8 * (1 + first))
				check(bits, counts[i], first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_give_every_number_of_every_width),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
