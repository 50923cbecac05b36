// SPDX-License-Identifier: Apache-2.0
#include "collector/store/gather.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/columns.h"

#include <errno.h>

static void
assert_row(const struct record_batch *l, uint32_t i, const struct record_batch *r, uint32_t k)
{
	struct column_rows left = {l, &i, 1};
	struct record_batch *one = record_batch_create(1);
	struct record record;
	record_batch_get(r, k, &record);
	assert_int_equal(record_batch_add(one, &record), 0);
	for (int f = 0; f < RECORD_N_FIELDS; f++)
		columns_assert_equal(&left, (enum record_field)f, one);
	record_batch_free(one);
}

// Rows with other columns than the last ones had.
static struct record_batch *batch_of(uint64_t fields, uint32_t n)
{
	struct record_batch *b = record_batch_create(n);
	for (uint32_t i = 0; i < n; i++) {
		struct record r = rows_record(ROWS_HOUR);
		r.set &= fields;
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	return b;
}

static void gathered_rows_are_those_of_all_batches(void **state)
{
	struct record_batch *into = record_batch_create(1000), *parts[20];
	(void)state;
	for (int round = 0; round < 5; round++) {
		uint32_t row = 0;
		for (int i = 0; i < 20; i++) {
			parts[i] = batch_of(
				rows_random() | rows_random(), 1 + (uint32_t)rows_below(50)
			);
			assert_int_equal(gather_append(into, parts[i]), 0);
		}
		for (int i = 0; i < 20; i++) {
			for (uint32_t k = 0; k < parts[i]->n_rows; k++)
				assert_row(parts[i], k, into, row++);
			record_batch_free(parts[i]);
		}
		assert_int_equal(into->n_rows, row);
		record_batch_clear(into); // what is left in the columns must not come back
	}
	record_batch_free(into);
}

static void what_does_not_fit_is_refused_whole(void **state)
{
	struct record_batch *into = record_batch_create(10);
	struct record_batch *six = batch_of(~0ull, 6), *four = batch_of(~0ull, 4);
	(void)state;
	assert_int_equal(gather_append(into, six), 0);
	uint64_t used = into->used;
	assert_int_equal(gather_append(into, six), -ENOSPC);
	assert_int_equal(into->n_rows, 6);
	assert_int_equal(into->used, used);
	assert_int_equal(gather_append(into, four), 0);
	for (uint32_t i = 0; i < 10; i++)
		assert_row(i < 6 ? six : four, i < 6 ? i : i - 6, into, i);
	record_batch_free(into);
	record_batch_free(six);
	record_batch_free(four);
}

static void the_order_is_by_start_and_then_as_they_came(void **state)
{
	struct record_batch *b = columns_batch(3000);
	(void)state;
	uint64_t *start = record_batch_column(b, FIELD_start_ns);
	for (uint32_t i = 0; i < 3000; i++)
		start[i] = i % 5 ? rows_below(300) : rows_random();
	uint32_t *order = gather_order(b);
	bool seen[3000] = {0};
	for (uint32_t i = 0; i < 3000; i++) {
		assert_true(order[i] < 3000 && !seen[order[i]]);
		seen[order[i]] = true;
		if (i == 0)
			continue;
		assert_true(start[order[i - 1]] <= start[order[i]]);
		if (start[order[i - 1]] == start[order[i]])
			assert_true(order[i - 1] < order[i]);
	}
	free(order);
	record_batch_free(b);
}

static void rows_without_a_start_stay_as_they_came(void **state)
{
	struct record_batch *b = columns_batch(10);
	(void)state;
	uint32_t *order = gather_order(b);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(order[i], i);
	free(order);
	b->n_rows = 0;
	order = gather_order(b);
	assert_non_null(order);
	free(order);
	record_batch_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gathered_rows_are_those_of_all_batches),
		cmocka_unit_test(what_does_not_fit_is_refused_whole),
		cmocka_unit_test(the_order_is_by_start_and_then_as_they_came),
		cmocka_unit_test(rows_without_a_start_stay_as_they_came),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
