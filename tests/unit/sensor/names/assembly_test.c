// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/assembly.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#define MAX 512

static uint8_t data[MAX];
static struct assembly a;

static int setup(void **)
{
	memset(data, 0xee, sizeof(data));
	assembly_init(&a, data, MAX);
	return 0;
}

static bool add(uint64_t at, const char *p)
{
	return assembly_add(&a, at, (const uint8_t *)p, strlen(p));
}

static void pieces_in_order_are_one(void **)
{
	assert_int_equal(assembly_ready(&a), 0);
	assert_true(add(0, "abc"));
	assert_true(add(3, "def"));
	assert_int_equal(a.n, 1);
	assert_int_equal(assembly_ready(&a), 6);
	assert_memory_equal(data, "abcdef", 6);
}

static void gaps_are_waited_for(void **)
{
	assert_true(add(6, "ghi"));
	assert_int_equal(assembly_ready(&a), 0);
	assert_true(add(0, "abc"));
	assert_int_equal(assembly_ready(&a), 3);
	assert_true(add(3, "def"));
	assert_int_equal(assembly_ready(&a), 9);
	assert_int_equal(a.n, 1);
	assert_memory_equal(data, "abcdefghi", 9);
}

static void bytes_that_are_there_stay(void **)
{
	assert_true(add(2, "CD"));
	assert_true(add(0, "abxxef"));
	assert_true(add(0, "yyyyyy"));
	assert_int_equal(assembly_ready(&a), 6);
	assert_memory_equal(data, "abCDef", 6);
}

static void nothing_is_written_behind_the_end(void **)
{
	static const uint8_t long_one[2 * MAX];
	assert_true(assembly_add(&a, MAX - 2, long_one, sizeof(long_one)));
	assert_int_equal(a.pieces[0].end, MAX);
	assert_true(assembly_add(&a, MAX, long_one, 1));
	assert_true(assembly_add(&a, UINT64_MAX, long_one, 1));
	assert_int_equal(a.n, 1);
	assert_true(assembly_add(&a, 0, long_one, sizeof(long_one)));
	assert_int_equal(assembly_ready(&a), MAX);
}

static void nothing_adds_nothing(void **)
{
	assert_true(add(5, ""));
	assert_int_equal(a.n, 0);
}

static void pieces_apart_are_bounded(void **)
{
	for (unsigned i = 0; i < ASSEMBLY_PIECES; i++)
		assert_true(add(1 + 2 * i, "x"));
	assert_false(add(1 + 2 * ASSEMBLY_PIECES, "x"));
	assert_int_equal(data[1 + 2 * ASSEMBLY_PIECES], 0xee);
	assert_int_equal(a.n, ASSEMBLY_PIECES);
	assert_true(add(2, "y")); // closes a gap
	assert_true(add(1 + 2 * ASSEMBLY_PIECES, "x"));
}

// The same by marking bytes.
struct model {
	uint8_t data[MAX];
	bool there[MAX];
};

static size_t model_ready(const struct model *m)
{
	size_t n = 0;
	while (n < MAX && m->there[n])
		n++;
	return n;
}

static void any_order_gives_what_a_plain_model_gives(void **)
{
	srand(1);
	for (int round = 0; round < 2000; round++) {
		struct model m = {};
		setup(NULL);
		for (int i = 0; i < 60; i++) {
			uint8_t piece[80];
			size_t at = (size_t)rand() % MAX, n = (size_t)rand() % sizeof(piece);
			memset(piece, rand(), sizeof(piece));
			if (!assembly_add(&a, at, piece, n))
				continue;
			for (size_t j = at; j < at + n && j < MAX; j++) {
				m.data[j] = m.there[j] ? m.data[j] : piece[j - at];
				m.there[j] = true;
			}
			assert_int_equal(assembly_ready(&a), model_ready(&m));
			for (unsigned j = 1; j < a.n; j++)
				assert_true(a.pieces[j - 1].end < a.pieces[j].begin);
		}
		for (size_t j = 0; j < MAX; j++)
			assert_int_equal(data[j], m.there[j] ? m.data[j] : 0xee);
	}
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pieces_in_order_are_one),
		TEST(gaps_are_waited_for),
		TEST(bytes_that_are_there_stay),
		TEST(nothing_is_written_behind_the_end),
		TEST(nothing_adds_nothing),
		TEST(pieces_apart_are_bounded),
		TEST(any_order_gives_what_a_plain_model_gives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
