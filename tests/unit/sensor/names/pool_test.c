// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/pool.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdlib.h>

#define N 5

static struct pool p;
static struct names_flow flows[64];

static int setup(void **)
{
	memset(flows, 0, sizeof(flows));
	return pool_init(&p, N, 512);
}

static int teardown(void **)
{
	pool_fini(&p);
	return 0;
}

static bool keep(struct names_flow *f)
{
	return pool_keep(&p, pool_spare(&p), f);
}

static unsigned n_held(void)
{
	unsigned n = 0;
	for (size_t i = 0; i < 64; i++)
		n += flows[i].stage == NAMES_HELD;
	return n;
}

static void as_many_are_kept_as_there_is_room_for(void **)
{
	for (int i = 0; i < N; i++)
		assert_false(keep(&flows[i]));
	assert_int_equal(n_held(), N);
	assert_true(keep(&flows[N]));
	assert_int_equal(n_held(), N);
}

static void oldest_gives_way(void **)
{
	for (int i = 0; i < 20; i++) {
		assert_int_equal(keep(&flows[i]), i >= N);
		for (int j = 0; j <= i; j++)
			assert_int_equal(flows[j].stage, j + N <= i ? NAMES_DONE : NAMES_HELD);
	}
}

static void room_that_is_kept_is_not_given_to_others(void **)
{
	for (int i = 0; i < N; i++) {
		struct held *h = pool_spare(&p);
		assert_true(assembly_add(&h->bytes, 0, (const uint8_t[]){(uint8_t)i, 1}, 2));
		pool_keep(&p, h, &flows[i]);
		for (int j = 0; j <= i; j++) {
			assert_ptr_equal(pool_of(&p, &flows[j])->owner, &flows[j]);
			assert_int_equal(pool_of(&p, &flows[j])->bytes.data[0], j);
		}
	}
	assert_int_equal(assembly_ready(&pool_spare(&p)->bytes), 0);
}

static void any_order_of_release_is_fine(void **)
{
	srand(1);
	for (int i = 0; i < 10000; i++) {
		struct names_flow *f = &flows[rand() % 64];
		if (f->stage == NAMES_HELD) {
			pool_release(&p, pool_of(&p, f));
			f->stage = NAMES_DONE;
		} else {
			bool was_full = n_held() == N;
			assert_int_equal(keep(f), was_full);
		}
		assert_in_range(n_held(), 0, N);
		for (size_t j = 0; j < 64; j++) {
			if (flows[j].stage == NAMES_HELD)
				assert_ptr_equal(pool_of(&p, &flows[j])->owner, &flows[j]);
		}
	}
}

static void number_is_bounded(void **)
{
	struct pool other;
	assert_int_equal(pool_init(&other, 0, 512), -ERANGE);
	assert_int_equal(pool_init(&other, POOL_MAX, 512), -ERANGE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(as_many_are_kept_as_there_is_room_for),
		TEST(oldest_gives_way),
		TEST(room_that_is_kept_is_not_given_to_others),
		TEST(any_order_of_release_is_fine),
		TEST(number_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
