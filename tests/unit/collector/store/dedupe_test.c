// SPDX-License-Identifier: Apache-2.0
#include "collector/store/dedupe.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#include <errno.h>

static uint64_t hash(const void *ctx, uint32_t i, uint64_t seed)
{
	return dedupe_mix(((const uint64_t *)ctx)[i] ^ seed, 0x9e3779b97f4a7c15);
}

static uint64_t hash_badly(const void *ctx, uint32_t i, uint64_t seed)
{
	(void)ctx, (void)i, (void)seed;
	return UINT64_MAX;
}

static bool equal(const void *ctx, uint32_t i, uint32_t j)
{
	return ((const uint64_t *)ctx)[i] == ((const uint64_t *)ctx)[j];
}

// Numbers in order of first appearance, by looking back through all that came before.
static void check(struct dedupe *d, const uint64_t *v, uint32_t n, bool badly)
{
	struct dedupe_items items = {v, badly ? hash_badly : hash, equal};
	uint32_t distinct = 0;
	assert_int_equal(dedupe_run(d, &items, n, n), 0);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t first = 0;
		while (v[first] != v[i])
			first++;
		if (first == i) {
			assert_true(distinct < d->n);
			assert_int_equal(d->first[distinct++], i);
		}
		assert_int_equal(d->first[d->index[i]], first);
	}
	assert_int_equal(d->n, distinct);
}

static void distinct_items_are_numbered_as_they_come(void **state)
{
	uint64_t v[2000];
	struct dedupe d;
	(void)state;
	dedupe_init(&d);
	for (int round = 0; round < 60; round++) {
		uint32_t n = 1 + (uint32_t)rows_below(round % 3 ? 300 : 2000);
		uint64_t range = 1 + rows_below(2 * n);
		for (uint32_t i = 0; i < n; i++)
			v[i] = rows_below(range);
		check(&d, v, n, false);
	}
	dedupe_fini(&d);
}

static void colliding_hashes_only_cost_time(void **state)
{
	uint64_t v[500];
	struct dedupe d;
	(void)state;
	dedupe_init(&d);
	for (uint32_t i = 0; i < 500; i++)
		v[i] = rows_below(300);
	check(&d, v, 500, true);
	dedupe_fini(&d);
}

static void more_distinct_items_than_wanted_are_too_many(void **state)
{
	uint64_t v[64];
	struct dedupe d;
	struct dedupe_items items = {v, hash, equal};
	(void)state;
	dedupe_init(&d);
	for (uint32_t i = 0; i < 64; i++)
		v[i] = i % 16;
	assert_int_equal(dedupe_run(&d, &items, 64, 16), 0);
	assert_int_equal(d.n, 16);
	assert_int_equal(dedupe_run(&d, &items, 64, 15), -E2BIG);
	assert_int_equal(dedupe_run(&d, &items, 64, 0), -E2BIG);
	check(&d, v, 64, false);
	dedupe_fini(&d);
}

static void no_items_have_no_distinct_ones(void **state)
{
	struct dedupe d;
	struct dedupe_items items = {NULL, hash, equal};
	(void)state;
	dedupe_init(&d);
	assert_int_equal(dedupe_run(&d, &items, 0, 0), 0);
	assert_int_equal(d.n, 0);
	dedupe_fini(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distinct_items_are_numbered_as_they_come),
		cmocka_unit_test(colliding_hashes_only_cost_time),
		cmocka_unit_test(more_distinct_items_than_wanted_are_too_many),
		cmocka_unit_test(no_items_have_no_distinct_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
