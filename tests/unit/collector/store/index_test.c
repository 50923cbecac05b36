// SPDX-License-Identifier: Apache-2.0
#include "collector/store/index.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/stores.h"

#define N_HOSTS (3 * TABLE_INDEX + 17)

static struct addr host(uint32_t i)
{
	uint32_t v = i * 5 + 3;
	return addr_of_v4((uint8_t[]){11, (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v});
}

static uint64_t low_of(const struct addr *a)
{
	struct buf b = buf_of(a->b + 8, 8);
	return buf_u64(&b);
}

// An hour of N_HOSTS hosts, and one before and one after it that have a few.
static void fill(struct stores *f)
{
	struct record_batch *b = record_batch_create(N_HOSTS + 2);
	for (uint32_t i = 0; i < N_HOSTS + 2; i++) {
		struct record r = rows_record(ROWS_HOUR + (i < N_HOSTS ? 1 : (i - N_HOSTS) * 2));
		struct addr a = host(i < N_HOSTS ? i : 7);
		RECORD_SET(&r, src, a);
		RECORD_SET(&r, dst, a);
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
	record_batch_free(b);
	stores_seal(f);
}

static void check_walk(struct store_view *v, enum key_kind kind)
{
	static struct store_index x;
	static const struct addr zero;
	uint32_t n = 0;
	int ret;
	assert_int_equal(store_index_open(&x, v, 0, ROWS_HOUR + 1), 0);
	assert_int_equal(x.kind, kind);
	ret = store_index_seek(&x, &zero);
	for (; ret == 1; ret = store_index_next(&x)) {
		for (uint32_t i = 0; i < x.part.n; i++, n++) {
			struct addr a = host(n);
			assert_int_equal(x.part.hi[i], 0);
			assert_int_equal(x.part.lo[i], low_of(&a));
		}
	}
	assert_int_equal(ret, 0);
	assert_int_equal(n, N_HOSTS);
	// each address by itself, and those that are not there
	for (uint32_t k = 0; k < N_HOSTS; k += 97) {
		struct addr a = host(k);
		uint64_t low = low_of(&a);
		a.b[15] = (uint8_t)(a.b[15] + k % 2);
		assert_int_equal(store_index_seek(&x, &a), 1);
		assert_true(x.part.lo[0] <= low && low <= x.part.lo[x.part.n - 1]);
	}
	struct addr last = addr_of_v4((uint8_t[]){255, 255, 255, 255}), first = host(0);
	assert_int_equal(store_index_seek(&x, &last), 1);
	assert_int_equal(store_index_next(&x), 0);
	assert_int_equal(store_index_seek(&x, &zero), 1);
	assert_int_equal(x.part.lo[0], low_of(&first));
}

static void the_hosts_of_an_hour_are_walked_and_sought(void **state)
{
	struct stores *f = *state;
	fill(f);
	check_walk(stores_view(f), KEY_INDEX);
}

static void an_hour_sealed_before_there_was_an_index_is_walked(void **state)
{
	struct stores *f = *state;
	fill(f);
	stores_close(f);
	stores_forget(f, KEY_INDEX);
	stores_open(f);
	check_walk(stores_view(f), KEY_ADDRS);
}

static void late_rows_join_the_index(void **state)
{
	struct stores *f = *state;
	static struct store_index x;
	fill(f);
	struct record_batch *b = record_batch_create(1);
	struct record r = rows_record(ROWS_HOUR);
	RECORD_SET(&r, src, host(3));
	RECORD_SET(&r, dst, host(9));
	assert_int_equal(record_batch_add(b, &r), 0);
	assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
	record_batch_free(b);
	stores_seal(f);
	assert_int_equal(store_index_open(&x, stores_view(f), 0, ROWS_HOUR), 0);
	struct addr a = host(3);
	assert_int_equal(store_index_seek(&x, &a), 1);
	assert_int_equal(x.part.n, 3);
	assert_int_equal(x.part.lo[0], low_of(&a));
	assert_int_equal(store_index_next(&x), 0);
}

static void hours_without_hosts_and_damaged_parts_are_told(void **state)
{
	struct stores *f = *state;
	static struct store_index x;
	static const struct addr zero;
	fill(f);
	struct store_view *v = stores_view(f);
	assert_int_equal(store_index_open(&x, v, 0, ROWS_HOUR + 5), 0);
	assert_int_equal(store_index_seek(&x, &zero), 0);
	assert_int_equal(store_index_open(&x, v, 7, ROWS_HOUR + 1), 0);
	assert_int_equal(store_index_seek(&x, &zero), 0);
	struct addr second = host(TABLE_INDEX);
	struct key key = key_addrs(KEY_INDEX, 0, ROWS_HOUR + 1, &second);
	stores_close(f);
	stores_damage(f, &key);
	stores_open(f);
	assert_int_equal(store_index_open(&x, stores_view(f), 0, ROWS_HOUR + 1), 0);
	assert_int_equal(store_index_seek(&x, &zero), 1);
	assert_int_equal(store_index_next(&x), -EIO);
	assert_int_equal(store_index_next(&x), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_set_up, stores_tear_down)
		TEST(the_hosts_of_an_hour_are_walked_and_sought),
		TEST(an_hour_sealed_before_there_was_an_index_is_walked),
		TEST(late_rows_join_the_index),
		TEST(hours_without_hosts_and_damaged_parts_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
