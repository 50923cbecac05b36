// SPDX-License-Identifier: Apache-2.0
#include "collector/store/tail.h"
#include "tests/unit/collector/store/stores.h"

static void commit_at(struct stores *f, uint16_t entity, uint32_t hour, uint32_t n)
{
	struct record_batch *b = record_batch_create(n);
	b->entity = entity;
	for (uint32_t i = 0; i < n; i++) {
		struct record r = rows_record(hour);
		RECORD_SET(&r, domain, f->next_serial++);
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
	record_batch_free(b);
}

static uint64_t arrived(struct stores *f, uint16_t entity)
{
	uint64_t n = 77;
	assert_int_equal(store_view_arrived(stores_view(f), entity, &n), 0);
	return n;
}

// The serial numbers from `first` on come in their order, and nothing else; returns the number
// behind the last block's.
static uint64_t
check_tail(struct stores *f, uint64_t from, uint64_t max, uint32_t first, uint64_t skipped)
{
	struct store_tail *t;
	const struct record_batch *b;
	uint64_t number, next = from;
	int ret;
	struct store_view *v = stores_view(f);
	assert_int_equal(store_tail_open(v, 0, from, RECORD_BIT(domain), max, &t), 0);
	assert_int_equal(store_tail_skipped(t), skipped);
	while ((ret = store_tail_next(t, &number, &b)) == 1) {
		const uint32_t *domain = RECORD_COLUMN(b, domain);
		assert_true(number >= next);
		next = number + 1;
		for (uint32_t i = 0; i < b->n_rows; i++)
			assert_int_equal(domain ? domain[i] : 0, first++);
		assert_null(RECORD_COLUMN(b, sport));
	}
	assert_int_equal(ret, 0);
	assert_int_equal(first, f->next_serial);
	store_tail_close(t);
	return next;
}

static void rows_come_in_the_order_they_arrived_whatever_their_hour(void **state)
{
	struct stores *f = *state;
	assert_int_equal(arrived(f, 0), 0);
	check_tail(f, 0, UINT64_MAX, 0, 0);
	for (uint32_t i = 0; i < 30; i++)
		commit_at(f, 0, ROWS_HOUR + i * 7 % 5, 1 + i % 4);
	uint64_t at = check_tail(f, 0, UINT64_MAX, 0, 0);
	assert_int_equal(at, arrived(f, 0));
	uint32_t n = f->next_serial;
	check_tail(f, at, UINT64_MAX, n, 0);
	commit_at(f, 0, ROWS_HOUR + 2, 900);
	commit_at(f, 0, ROWS_HOUR, 3);
	check_tail(f, at, UINT64_MAX, n, 0);
}

static void rows_of_others_and_sealed_ones_are_not_among_them(void **state)
{
	struct stores *f = *state;
	commit_at(f, 0, ROWS_HOUR, 5);
	uint64_t at = arrived(f, 0);
	stores_seal(f);
	assert_int_equal(arrived(f, 0), 0);
	uint32_t n = f->next_serial;
	check_tail(f, 0, UINT64_MAX, n, 0);
	commit_at(f, 0, ROWS_HOUR, 5);
	assert_true(arrived(f, 0) > at);
	check_tail(f, at, UINT64_MAX, n, 0);
	n = f->next_serial;
	commit_at(f, 1, ROWS_HOUR, 2);
	f->next_serial = n; // they are not ours
	check_tail(f, at, UINT64_MAX, n - 5, 0);
}

static void who_is_too_far_behind_gets_the_newest(void **state)
{
	struct stores *f = *state;
	for (uint32_t i = 0; i < 10; i++)
		commit_at(f, 0, ROWS_HOUR + i % 2, 10);
	check_tail(f, 0, 100, 0, 0);
	check_tail(f, 0, 99, 10, 10);
	check_tail(f, 0, 35, 70, 70);
	check_tail(f, 0, 9, 100, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			rows_come_in_the_order_they_arrived_whatever_their_hour,
			stores_set_up,
			stores_tear_down
		),
		cmocka_unit_test_setup_teardown(
			rows_of_others_and_sealed_ones_are_not_among_them,
			stores_set_up,
			stores_tear_down
		),
		cmocka_unit_test_setup_teardown(
			who_is_too_far_behind_gets_the_newest, stores_set_up, stores_tear_down
		),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
