// SPDX-License-Identifier: Apache-2.0
#include "collector/store/hit.h"
#include "collector/store/retention.h"
#include "collector/store/table.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/stores.h"

#define N_HOURS 6
#define NONE UINT32_MAX

static const enum key_kind all_kinds[] = {'A', 'B', 'C', 'H', 'I', 'J', 'N', 'P', 'T', 'X'};

static uint64_t now_at(uint32_t hours)
{
	return (ROWS_HOUR + (uint64_t)hours) * NS_PER_HOUR + 1;
}

// Keys of any kind whose hour is in [first, last].
static unsigned n_keys(struct stores *f, uint32_t first, uint32_t last)
{
	char path[80], scratch[100], error[DB_ERROR_LEN];
	unsigned n = 0;
	struct db *db;
	snprintf(path, sizeof(path), "%s/db", f->dir);
	snprintf(scratch, sizeof(scratch), "%s.keys", f->dir);
	assert_int_equal(db_open_secondary(path, scratch, &db, error), 0);
	struct db_iter *it = db_iter_open(db, NULL, false);
	for (bool ok = db_iter_seek(it, (struct slice){"", 0}); ok; ok = db_iter_next(it)) {
		struct key_parts at;
		for (size_t i = 0; i < sizeof(all_kinds) / sizeof(all_kinds[0]); i++)
			n += key_parse(db_iter_key(it), all_kinds[i], &at) && at.hour >= first &&
			     at.hour <= last;
	}
	db_iter_close(it);
	db_close(db);
	rows_dir_remove(scratch);
	return n;
}

static void add_hit(struct stores *f, uint32_t hour)
{
	struct hit h = {.hour = hour, .indicator = 5, .direction = 1, .live = {.flows = 1}};
	h.first_ns = h.last_ns = (uint64_t)hour * NS_PER_HOUR;
	assert_int_equal(store_hits_add(f->store, &h, 1, f->error), 0);
}

// Rows of two entities in N_HOURS hours, sealed ones and ones in the journal, and hits.
static void fill(struct stores *f)
{
	assert_true(store_entity(f->store, "netflow") == 0 && store_entity(f->store, "lab") == 1);
	for (uint16_t e = 0; e < 2; e++)
		stores_commit(f, e, N_HOURS, 800);
	stores_seal(f);
	for (uint16_t e = 0; e < 2; e++)
		stores_commit(f, e, N_HOURS, 200);
	for (uint32_t h = 0; h < N_HOURS; h++)
		add_hit(f, ROWS_HOUR + h);
}

static struct store_expired
retain(struct stores *f, const struct store_retention *limits, uint64_t now_ns)
{
	struct store_expired gone;
	if (store_retain(f->store, limits, now_ns, &gone, f->error) < 0)
		fail_msg("%s", f->error);
	return gone;
}

static uint64_t total(struct stores *f)
{
	struct store_stats stats;
	store_stats(f->store, &stats);
	return stats.total_rows;
}

static uint64_t size(struct stores *f)
{
	struct store_stats stats;
	store_stats(f->store, &stats);
	return stats.size;
}

// The rows a reader finds by hours, and the first of these.
static uint64_t rows_seen(struct stores *f, uint32_t *ret_first)
{
	struct store_view *v = stores_view(f);
	uint64_t rows = 0;
	*ret_first = NONE;
	for (uint16_t e = 0; e < 2; e++) {
		struct store_hour h;
		for (uint32_t at = 0; store_view_hour(v, e, at, &h) == 1; at = h.hour + 1) {
			rows += h.sealed_rows + h.journal_rows;
			*ret_first = h.hour < *ret_first ? h.hour : *ret_first;
		}
	}
	return rows;
}

static void nothing_goes_without_limits(void **state)
{
	struct stores *f = *state;
	struct store_retention none = {0};
	fill(f);
	struct store_expired gone = retain(f, &none, now_at(100000));
	assert_int_equal(gone.rows + gone.hours + gone.before_hour, 0);
	assert_int_equal(total(f), 2000);
}

static void hours_go_whole_when_they_are_too_old(void **state)
{
	struct stores *f = *state;
	struct store_retention limits = {.age_ns = 2 * NS_PER_HOUR};
	uint32_t first;
	fill(f);
	assert_int_equal(rows_seen(f, &first), 2000);
	assert_int_equal(first, ROWS_HOUR);

	// two hours after the end of hour 2 it goes, and not hour 3
	struct store_expired gone = retain(f, &limits, now_at(5));
	assert_int_equal(gone.before_hour, ROWS_HOUR + 3);
	assert_int_equal(gone.hours, 6); // three of each entity
	assert_true(gone.rows > 800 && gone.rows < 1200);
	assert_int_equal(total(f), 2000 - gone.rows);
	assert_int_equal(rows_seen(f, &first), 2000 - gone.rows);
	assert_int_equal(first, ROWS_HOUR + 3);
	assert_int_equal(n_keys(f, 0, ROWS_HOUR + 2), 0);
	assert_true(n_keys(f, ROWS_HOUR + 3, NONE) > 0);

	struct store_stats stats;
	store_stats(f->store, &stats);
	assert_int_equal(stats.first_ns, store_hour_start(ROWS_HOUR + 3));
	assert_int_equal(retain(f, &limits, now_at(5)).hours, 0); // it is done
}

static void what_went_is_not_missing_when_the_store_opens_again(void **state)
{
	struct stores *f = *state;
	struct store_retention limits = {.age_ns = NS_PER_HOUR};
	uint32_t first;
	fill(f);
	retain(f, &limits, now_at(4));
	uint64_t rows = total(f);
	stores_close(f);
	stores_open(f);
	assert_string_equal(f->error, "");
	assert_int_equal(total(f), rows);
	assert_int_equal(rows_seen(f, &first), rows);

	// all of it can go, and rows can come after
	retain(f, &limits, now_at(1000));
	assert_int_equal(total(f), 0);
	stores_commit(f, 0, 1, 10);
	stores_close(f);
	stores_open(f);
	assert_string_equal(f->error, "");
	assert_int_equal(total(f), 10);
}

static void late_rows_of_an_hour_that_went_go_too(void **state)
{
	struct stores *f = *state;
	struct store_retention limits = {.age_ns = NS_PER_HOUR};
	fill(f);
	retain(f, &limits, now_at(4));
	uint64_t rows = total(f);
	stores_commit(f, 1, 1, 30); // of the first hour
	add_hit(f, ROWS_HOUR);
	struct store_expired gone = retain(f, &limits, now_at(4));
	assert_int_equal(gone.rows, 30);
	assert_int_equal(gone.hours, 1);
	assert_int_equal(total(f), rows);
	assert_int_equal(n_keys(f, 0, ROWS_HOUR + 2), 0);
}

static void the_oldest_hours_go_when_the_store_is_too_large(void **state)
{
	struct stores *f = *state;
	uint32_t first;
	fill(f);
	for (int i = 0; i < 3; i++)
		stores_commit(f, 0, N_HOURS, 6000);
	stores_seal(f);
	struct store_retention limits = {.size = 600 << 10};
	uint64_t before = size(f), rows = total(f);
	assert_true(before > 2 * limits.size);
	for (int i = 0; i < N_HOURS && size(f) > limits.size; i++)
		retain(f, &limits, now_at(N_HOURS - 1));
	assert_true(size(f) < before / 2); // its space has come back
	assert_true(total(f) < rows);
	rows_seen(f, &first);
	assert_true(first > ROWS_HOUR && first <= ROWS_HOUR + N_HOURS - 1);
}

static void the_running_hour_stays_whatever_is_demanded(void **state)
{
	struct stores *f = *state;
	struct store_retention limits = {.size = 1, .free = UINT64_MAX >> 1};
	uint32_t first;
	fill(f);
	retain(f, &limits, now_at(N_HOURS - 1));
	assert_true(rows_seen(f, &first) > 0);
	assert_int_equal(first, ROWS_HOUR + N_HOURS - 1);
	assert_int_equal(n_keys(f, 0, ROWS_HOUR + N_HOURS - 2), 0);
}

// A view that is open keeps seeing all of what it saw.
static void a_reader_keeps_what_it_is_reading(void **state)
{
	struct stores *f = *state;
	struct store_retention limits = {.age_ns = 1};
	struct store_hour h;
	fill(f);
	struct store_view *v = stores_view(f);
	assert_int_equal(store_view_hour(v, 0, 0, &h), 1);
	uint64_t sealed = h.sealed_rows, journal = h.journal_rows;
	retain(f, &limits, now_at(1000));
	assert_int_equal(store_view_hour(v, 0, 0, &h), 1);
	assert_int_equal(h.hour, ROWS_HOUR);
	assert_int_equal(h.sealed_rows, sealed);
	assert_int_equal(h.journal_rows, journal);
	assert_int_equal(store_view_hour(stores_view(f), 0, 0, &h), 0);
}

static void commits_leave_the_reserve_alone(void **state)
{
	struct stores *f = *state;
	stores_close(f);
	f->options.reserve = UINT64_MAX >> 1;
	stores_open(f);
	struct record_batch *b = stores_rows(f, 0, 1, 5);
	assert_int_equal(store_commit(f->store, &b, 1, f->error), -ENOSPC);
	assert_non_null(strstr(f->error, "collector.reserve"));
	record_batch_free(b);
	assert_int_equal(total(f), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stores_set_up, stores_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_goes_without_limits),
		TEST(hours_go_whole_when_they_are_too_old),
		TEST(what_went_is_not_missing_when_the_store_opens_again),
		TEST(late_rows_of_an_hour_that_went_go_too),
		TEST(the_oldest_hours_go_when_the_store_is_too_large),
		TEST(the_running_hour_stays_whatever_is_demanded),
		TEST(a_reader_keeps_what_it_is_reading),
		TEST(commits_leave_the_reserve_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
