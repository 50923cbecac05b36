// SPDX-License-Identifier: Apache-2.0
#include "api/query/walk.h"
#include "tests/unit/api/query/held.h"

#include <errno.h>

#define EVERYTHING ((1ull << RECORD_N_FIELDS) - 1)

// What a walk brought: rows by their receive time, which tells them apart.
struct seen {
	struct held *h;
	uint32_t n;
	uint64_t oldest_ns; // of the floor
	int stop_with;
	bool *places;
};

static bool same_row(const struct record *a, const struct record *b)
{
	return a->start_ns == b->start_ns && a->recv_ns == b->recv_ns &&
	       addr_eq(&a->src, &b->src) && addr_eq(&a->dst, &b->dst) && a->bytes == b->bytes &&
	       a->rev_bytes == b->rev_bytes && a->tcp_flags == b->tcp_flags &&
	       a->verdict == b->verdict && a->server_name.len == b->server_name.len &&
	       (!a->server_name.len ||
		memcmp(a->server_name.p, b->server_name.p, a->server_name.len) == 0);
}

static int take(void *ctx, const struct record_batch *b, const uint32_t *rows, uint32_t n)
{
	struct seen *s = ctx;
	for (uint32_t i = 0; i < n; i++) {
		struct record r, other;
		uint32_t k = 0;
		record_batch_get(b, rows[i], &r);
		for (; k < s->h->all->n_rows; k++) {
			record_batch_get(s->h->all, k, &other);
			if (!s->places[k] && same_row(&r, &other))
				break;
		}
		assert_true(k < s->h->all->n_rows); // whole, though its columns came late
		s->places[k] = true;
		s->n++;
	}
	return s->stop_with;
}

static uint32_t
walk(struct held *h, const char *text, bool newest_first, struct walk_counts *counts, bool *places)
{
	struct filter *f = NULL;
	struct filter_error e;
	struct seen s = {.h = h, .places = places};
	if (filter_parse(text, strlen(text), NULL, &f, &e) < 0)
		fail_msg("%s", e.text);
	struct walk w = {
		.run = held_run(h),
		.filter = f,
		.fields = EVERYTHING,
		.newest_first = newest_first,
		.rows = take,
		.ctx = &s,
	};
	assert_int_equal(walk_rows(&w, counts), 0);
	filter_free(f);
	return s.n;
}

static void rows_that_pass_come_whole(void **state)
{
	struct held *h = *state;
	struct walk_counts counts;
	bool places[HELD_ROWS] = {};
	uint32_t n = 0;
	for (int newest = 0; newest < 2; newest++) {
		memset(places, 0, sizeof(places));
		assert_int_equal(walk(h, "", newest, &counts, places), h->all->n_rows);
		assert_int_equal(counts.scanned, h->all->n_rows);
		assert_int_equal(counts.passed, h->all->n_rows);
	}
	memset(places, 0, sizeof(places));
	uint32_t found = walk(h, "tcp and dst_port 443 and bytes > 50k", false, &counts, places);
	for (uint32_t i = 0; i < h->all->n_rows; i++) {
		struct record r;
		record_batch_get(h->all, i, &r);
		bool passes = r.proto == 6 && r.dport == 443 && r.bytes > 50000;
		assert_int_equal(places[i], passes);
		n += passes;
	}
	assert_int_equal(found, n);
	assert_true(n > 20);
	assert_int_equal(counts.passed, n);
	memset(places, 0, sizeof(places));
	assert_int_equal(walk(h, "not any", false, &counts, places), 0);
	assert_int_equal(counts.scanned, h->all->n_rows);
}

static void rows_outside_of_the_window_do_not_come(void **state)
{
	struct held *h = *state;
	struct walk_counts counts;
	bool places[HELD_ROWS] = {};
	h->window.from_ns += NS_PER_HOUR / 2 + 7;
	h->window.to_ns -= NS_PER_HOUR / 3;
	walk(h, "any", false, &counts, places);
	const uint64_t *start = RECORD_COLUMN(h->all, start_ns);
	for (uint32_t i = 0; i < h->all->n_rows; i++)
		assert_int_equal(
			places[i], start[i] >= h->window.from_ns && start[i] <= h->window.to_ns
		);
}

static void a_walk_can_be_ended(void **state)
{
	struct held *h = *state;
	bool places[HELD_ROWS] = {};
	struct walk_counts counts;
	struct seen s = {.h = h, .places = places, .stop_with = -E2BIG};
	struct walk w = {.run = held_run(h), .fields = EVERYTHING, .rows = take, .ctx = &s};
	assert_int_equal(walk_rows(&w, &counts), -E2BIG);
	assert_in_range(s.n, 1, h->all->n_rows - 1);
	h->stop.gone = true;
	assert_int_equal(walk_rows(&w, &counts), -ECANCELED);
	h->stop.gone = false;
	h->stop.deadline_ns = 1;
	assert_int_equal(walk_rows(&w, &counts), -ETIMEDOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			rows_that_pass_come_whole, held_set_up, held_tear_down
		),
		cmocka_unit_test_setup_teardown(
			rows_outside_of_the_window_do_not_come, held_set_up, held_tear_down
		),
		cmocka_unit_test_setup_teardown(a_walk_can_be_ended, held_set_up, held_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
