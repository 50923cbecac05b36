// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/extra.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint8_t got[FLOW_EXTRA_MAX];

static uint8_t byte_of(size_t slot, size_t i)
{
	return (uint8_t)(slot * 31 + i * 7 + i / 256);
}

static int put(struct flow_extras *e, size_t slot, size_t len)
{
	uint8_t bytes[FLOW_EXTRA_MAX + 1];
	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_of(slot, i);
	return flow_extras_put(e, slot, bytes, len);
}

static void assert_has(struct flow_extras *e, size_t slot, size_t len)
{
	assert_int_equal(flow_extras_get(e, slot, got), len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(got[i], byte_of(slot, i));
}

static void every_length_comes_back(void **)
{
	struct flow_extras *e = flow_extras_create(10, 1 << 20);
	assert_non_null(e);
	assert_has(e, 3, 0);
	for (size_t len = 1; len <= FLOW_EXTRA_MAX; len++) {
		assert_int_equal(put(e, 3, len), 0);
		assert_has(e, 3, len);
	}
	assert_int_equal(put(e, 3, FLOW_EXTRA_MAX + 1), -ENOSPC);
	assert_has(e, 3, 0);
	assert_int_equal(flow_extras_used(e), 0);
	flow_extras_free(e);
}

static void a_full_pool_refuses_and_serves_again(void **)
{
	struct flow_extras *e = flow_extras_create(100, 64 * 10);
	assert_non_null(e);
	for (size_t slot = 0; slot < 10; slot++)
		assert_int_equal(put(e, slot, 58), 0);
	assert_int_equal(put(e, 10, 1), -ENOSPC);
	assert_has(e, 10, 0);
	assert_int_equal(put(e, 5, 59), -ENOSPC); // two chunks where one is free
	assert_has(e, 5, 0);
	flow_extras_del(e, 6);
	assert_int_equal(put(e, 11, 116), 0);
	assert_has(e, 11, 116);
	for (size_t slot = 0; slot < 5; slot++)
		assert_has(e, slot, 58);
	assert_int_equal(flow_extras_used(e), 64 * 10);
	for (size_t slot = 0; slot < 12; slot++)
		flow_extras_del(e, slot);
	assert_int_equal(flow_extras_used(e), 0);
	flow_extras_free(e);
}

static void many_slots_keep_their_own(void **)
{
	enum { N = 500 };
	size_t lens[N] = {};
	struct flow_extras *e = flow_extras_create(N, 200 * 64);
	assert_non_null(e);
	srand(1);
	for (int round = 0; round < 20000; round++) {
		size_t slot = (size_t)rand() % N, len = 1 + (size_t)rand() % 200;
		if (rand() % 3 == 0) {
			flow_extras_del(e, slot);
			lens[slot] = 0;
		} else {
			lens[slot] = put(e, slot, len) == 0 ? len : 0;
		}
		assert_has(e, slot, lens[slot]);
		slot = (size_t)rand() % N;
		assert_has(e, slot, lens[slot]);
	}
	flow_extras_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_comes_back),
		cmocka_unit_test(a_full_pool_refuses_and_serves_again),
		cmocka_unit_test(many_slots_keep_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
