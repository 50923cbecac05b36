// SPDX-License-Identifier: Apache-2.0
#include "api/query/newest.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#define N_ROWS 3000

static int later_first(const void *a, const void *b)
{
	const struct record *l = a, *r = b;
	return (l->start_ns < r->start_ns) - (l->start_ns > r->start_ns);
}

// Rows whose starts are all different, in a random order.
static struct record *distinct_rows(size_t n)
{
	struct record *rows = calloc(n, sizeof(*rows));
	assert_non_null(rows);
	for (size_t i = 0; i < n; i++) {
		rows[i] = rows_record(ROWS_HOUR);
		rows[i].start_ns = i * 1000 + rows_below(1000);
		rows[i].sport = (uint16_t)i;
	}
	for (size_t i = n - 1; i > 0; i--) {
		size_t k = rows_below(i + 1);
		struct record r = rows[i];
		rows[i] = rows[k];
		rows[k] = r;
	}
	return rows;
}

static void what_is_kept_is_what_a_sort_of_all_has_first(void **)
{
	static const size_t caps[] = {1, 2, 3, 7, 64, 200, N_ROWS - 1, N_ROWS, 2 * N_ROWS};
	for (size_t k = 0; k < sizeof(caps) / sizeof(caps[0]); k++) {
		struct record *rows = distinct_rows(N_ROWS);
		struct newest t;
		size_t want = caps[k] < N_ROWS ? caps[k] : N_ROWS;
		assert_int_equal(newest_init(&t, caps[k]), 0);
		for (size_t i = 0; i < N_ROWS; i++)
			newest_push(&t, &rows[i]);
		newest_sort(&t);
		qsort(rows, N_ROWS, sizeof(*rows), later_first);
		assert_int_equal(t.n, want);
		for (size_t i = 0; i < want; i++) {
			assert_int_equal(t.heap[i].start_ns, rows[i].start_ns);
			assert_int_equal(t.heap[i].sport, rows[i].sport);
			assert_int_equal(t.heap[i].bytes, rows[i].bytes);
		}
		newest_fini(&t);
		free(rows);
	}
}

static void the_floor_is_the_oldest_kept_once_it_is_full(void **)
{
	struct newest t;
	struct record r = {};
	assert_int_equal(newest_init(&t, 3), 0);
	for (uint64_t start = 10; start <= 12; start++) {
		assert_int_equal(newest_floor_ns(&t), 0);
		assert_false(newest_full(&t));
		r.start_ns = start;
		newest_push(&t, &r);
	}
	assert_true(newest_full(&t));
	assert_int_equal(newest_floor_ns(&t), 10);
	r.start_ns = 9;
	newest_push(&t, &r);
	assert_int_equal(newest_floor_ns(&t), 10);
	r.start_ns = 20;
	newest_push(&t, &r);
	assert_int_equal(newest_floor_ns(&t), 11);
	r.start_ns = UINT64_MAX;
	newest_push(&t, &r);
	assert_int_equal(newest_floor_ns(&t), 12);
	newest_sort(&t);
	assert_true(t.heap[0].start_ns == UINT64_MAX);
	assert_int_equal(t.heap[2].start_ns, 12);
	newest_fini(&t);
}

static void nothing_pushed_is_nothing_kept(void **)
{
	struct newest t;
	assert_int_equal(newest_init(&t, 1), 0);
	newest_sort(&t);
	assert_int_equal(t.n, 0);
	newest_fini(&t);
	newest_fini(&t);
}

// Which of two rows stays when there is room for one.
static struct record survivor(const struct record *first, const struct record *second)
{
	struct newest t;
	assert_int_equal(newest_init(&t, 1), 0);
	newest_push(&t, first);
	newest_push(&t, second);
	struct record r = t.heap[0];
	newest_fini(&t);
	return r;
}

// Sealing an hour changes the order in which its rows are met. So that no answer changes with it,
// each field that an answer shows has to tell rows apart.
static void rows_of_one_start_are_told_apart_by_all_that_is_shown(void **)
{
	static const enum record_field shown[] = {
		FIELD_end_ns,
		FIELD_src,
		FIELD_dst,
		FIELD_proto,
		FIELD_sport,
		FIELD_dport,
		FIELD_bytes,
		FIELD_packets,
		FIELD_rev_bytes,
		FIELD_rev_packets,
		FIELD_tcp_flags,
		FIELD_rev_tcp_flags,
		FIELD_icmp_type,
		FIELD_icmp_code,
		FIELD_verdict};
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		const struct record_field_info *f = &record_fields[shown[i]];
		struct record a = {.start_ns = 5}, b = a;
		((uint8_t *)&b)[f->offset + f->width - 1] = 1;
		struct record one = survivor(&a, &b), other = survivor(&b, &a);
		if (memcmp((char *)&one + f->offset, (char *)&other + f->offset, f->width) != 0)
			fail_msg(
				"the order in which rows come decides when only %s differs", f->name
			);
	}
}

static bool same(const struct record *a, const struct record *b)
{
	return a->start_ns == b->start_ns && a->end_ns == b->end_ns && a->proto == b->proto &&
	       a->sport == b->sport && a->bytes == b->bytes && a->rev_packets == b->rev_packets &&
	       a->rev_tcp_flags == b->rev_tcp_flags;
}

static void ties_come_in_one_order_however_they_are_pushed(void **)
{
	enum { N = 60, KEPT = 25 };
	struct record rows[N], want[KEPT];
	for (size_t i = 0; i < N; i++)
		rows[i] = (struct record
		){.start_ns = 1000 + rows_below(3),
		  .end_ns = 2000 + rows_below(2),
		  .proto = rows_below(2) ? 6 : 17,
		  .sport = (uint16_t)rows_below(2),
		  .bytes = rows_below(3),
		  .rev_packets = rows_below(2),
		  .rev_tcp_flags = (uint16_t)rows_below(2)};
	for (int round = 0; round < 200; round++) {
		struct newest t;
		for (size_t i = N - 1; i > 0; i--) {
			size_t k = rows_below(i + 1);
			struct record r = rows[i];
			rows[i] = rows[k];
			rows[k] = r;
		}
		assert_int_equal(newest_init(&t, KEPT), 0);
		for (size_t i = 0; i < N; i++)
			newest_push(&t, &rows[i]);
		newest_sort(&t);
		if (round == 0)
			memcpy(want, t.heap, sizeof(want));
		for (size_t i = 0; i < KEPT; i++)
			assert_true(same(&t.heap[i], &want[i]));
		newest_fini(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept_is_what_a_sort_of_all_has_first),
		cmocka_unit_test(the_floor_is_the_oldest_kept_once_it_is_full),
		cmocka_unit_test(nothing_pushed_is_nothing_kept),
		cmocka_unit_test(rows_of_one_start_are_told_apart_by_all_that_is_shown),
		cmocka_unit_test(ties_come_in_one_order_however_they_are_pushed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
