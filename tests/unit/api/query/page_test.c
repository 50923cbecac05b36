// SPDX-License-Identifier: Apache-2.0
#include "api/query/page.h"
#include "tests/unit/api/query/held.h"

#include <errno.h>

static struct cell_columns columns_of(const char *list)
{
	struct cell_columns c;
	char bad[CELL_NAME_LEN];
	if (cell_columns_parse(list, &c, bad) < 0)
		fail_msg("%s: %s", list, bad);
	return c;
}

struct walked {
	uint64_t recv[HELD_ROWS], last_start;
	uint32_t n, pages;
};

// Takes one page in; false after the last one.
static bool one_page(struct held *h, size_t limit, char *cursor, struct walked *w)
{
	struct cell_columns columns = columns_of("received,start,server_name,src_ip");
	struct page p;
	struct run run = held_run(h);
	assert_int_equal(page_init(&p, &columns, limit, *cursor ? cursor : NULL), 0);
	assert_int_equal(page_run(&p, &run, NULL), 0);
	assert_true(p.n <= limit);
	for (size_t i = 0; i < p.n; i++) {
		w->recv[w->n++] = p.rows[i].cells[0].number;
		assert_true(p.rows[i].start_ns <= w->last_start);
		assert_true(p.rows[i].cells[1].number == p.rows[i].start_ns);
		w->last_start = p.rows[i].start_ns;
	}
	w->pages++;
	bool more = page_next(&p, cursor) != NULL;
	assert_true(!more || p.n == limit);
	page_fini(&p);
	return more;
}

static int cmp_u64(const void *left, const void *right)
{
	const uint64_t *l = left, *r = right;
	return *l < *r ? -1 : *l > *r;
}

static void check_all_seen(const struct held *h, struct walked *w, uint32_t n)
{
	uint64_t want[HELD_ROWS];
	const uint64_t *recv = RECORD_COLUMN(h->all, recv_ns);
	memcpy(want, recv, n * sizeof(*want));
	qsort(want, n, sizeof(*want), cmp_u64);
	qsort(w->recv, w->n, sizeof(*w->recv), cmp_u64);
	assert_int_equal(w->n, n);
	assert_memory_equal(w->recv, want, n * sizeof(*want));
}

static void pages_together_are_all_rows_once(void **state)
{
	struct held *h = *state;
	static const size_t limits[] = {7, 64, 65, 1599, 1600, 1601, 10000};
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		static struct walked w;
		char cursor[PAGE_CURSOR_LEN] = "";
		w = (struct walked){.last_start = UINT64_MAX};
		while (one_page(h, limits[i], cursor, &w))
			;
		assert_int_equal(w.pages, (1600 + limits[i] - 1) / limits[i]);
		check_all_seen(h, &w, 1600);
	}
}

static void sealing_between_pages_changes_nothing(void **state)
{
	struct held *h = *state;
	static struct walked w;
	char cursor[PAGE_CURSOR_LEN] = "";
	w = (struct walked){.last_start = UINT64_MAX};
	for (int i = 0; one_page(h, 100, cursor, &w); i++) {
		if (i == 2) {
			held_seal(h);
			held_look(h);
		}
	}
	check_all_seen(h, &w, 1600);
}

// Later rows that come in above the cursor are not seen, those below are; none is seen twice.
static void rows_that_come_meanwhile_shift_nothing(void **state)
{
	struct held *h = *state;
	static struct walked w;
	char cursor[PAGE_CURSOR_LEN] = "";
	w = (struct walked){.last_start = UINT64_MAX};
	assert_true(one_page(h, 150, cursor, &w));
	held_commit(h, rows_batch(HELD_ENTITY, ROWS_HOUR, 100)); // older than any of the first page
	struct record_batch *newer = rows_batch(HELD_ENTITY, ROWS_HOUR + 2, 50);
	uint64_t *start = newer->columns[FIELD_start_ns];
	for (int i = 0; i < 50; i++)
		start[i] = h->window.to_ns - (uint64_t)i;
	uint32_t before = h->all->n_rows;
	held_commit(h, newer);
	held_look(h);
	while (one_page(h, 150, cursor, &w))
		;
	check_all_seen(h, &w, before);
}

static void rows_that_are_equal_are_counted(void **state)
{
	struct held *h = *state;
	struct record_batch *b = record_batch_create(90);
	struct record r = rows_record(ROWS_HOUR + 2);
	r.start_ns = h->window.to_ns;
	for (int i = 0; i < 90; i++)
		assert_int_equal(record_batch_add(b, &r), 0);
	held_commit(h, b);
	held_look(h);
	static struct walked w;
	char cursor[PAGE_CURSOR_LEN] = "";
	w = (struct walked){.last_start = UINT64_MAX};
	while (one_page(h, 20, cursor, &w))
		;
	check_all_seen(h, &w, 1690);
}

static void a_cursor_is_ours_or_refused(void **)
{
	static const char *const wrong[] = {
		"", "x", "1-2", "1-2-", "1-2-3-4", "1-2-3 ", "-", "1--2"};
	struct cell_columns columns = columns_of("start");
	struct page p;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (page_init(&p, &columns, 1, wrong[i]) != -EINVAL)
			fail_msg("'%s'", wrong[i]);
	assert_int_equal(page_init(&p, &columns, 1, "ffffffffffffffff-0-1"), 0);
	page_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			pages_together_are_all_rows_once, held_set_up, held_tear_down
		),
		cmocka_unit_test_setup_teardown(
			sealing_between_pages_changes_nothing, held_set_up, held_tear_down
		),
		cmocka_unit_test_setup_teardown(
			rows_that_come_meanwhile_shift_nothing, held_set_up, held_tear_down
		),
		cmocka_unit_test_setup_teardown(
			rows_that_are_equal_are_counted, held_set_up, held_tear_down
		),
		cmocka_unit_test(a_cursor_is_ours_or_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
