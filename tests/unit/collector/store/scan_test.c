// SPDX-License-Identifier: Apache-2.0
#include "collector/store/gather.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/stores.h"

#define N_HOURS 3
#define ROWS_MAX 4000

// A store with sealed rows, late rows sealed after them, and rows in the journal; and beside it
// every row of entity 0.
struct fixture {
	struct stores stores;
	struct record_batch *all;
};

static void commit(struct fixture *f, uint32_t n)
{
	struct record_batch *b = stores_rows(&f->stores, 0, N_HOURS, n);
	assert_int_equal(gather_append(f->all, b), 0);
	assert_int_equal(store_commit(f->stores.store, &b, 1, f->stores.error), 0);
	record_batch_free(b);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct stores *s = &f->stores;
	rows_dir(s->dir);
	snprintf(s->scratch, sizeof(s->scratch), "%s.reader", s->dir);
	s->options.block_rows = 170;
	stores_open(s);
	f->all = record_batch_create(ROWS_MAX);
	commit(f, 900);
	stores_seal(s);
	commit(f, 250);
	stores_seal(s);
	for (int i = 0; i < 8; i++)
		commit(f, 1 + (uint32_t)rows_below(80));
	uint32_t n = s->next_serial;
	stores_commit(s, 1, N_HOURS, 200); // of another entity: never among ours
	s->next_serial = n;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	stores_close(&f->stores);
	rows_dir_remove(f->stores.dir);
	rows_dir_remove(f->stores.scratch);
	record_batch_free(f->all);
	free(f);
	return 0;
}

static uint64_t start_of(const struct fixture *f, uint32_t serial)
{
	const uint64_t *start = RECORD_COLUMN(f->all, start_ns);
	return start ? start[serial] : 0;
}

static struct store_scan *open_scan(struct store_view *v, struct store_scan_spec spec)
{
	struct store_scan *scan;
	assert_int_equal(store_scan_open(v, &spec, &scan), 0);
	return scan;
}

static uint64_t newest(const struct record_batch *b)
{
	const uint64_t *start = RECORD_COLUMN(b, start_ns);
	uint64_t max = 0;
	for (uint32_t i = 0; start && i < b->n_rows; i++)
		max = start[i] > max ? start[i] : max;
	return max;
}

static uint64_t oldest(const struct record_batch *b)
{
	const uint64_t *start = RECORD_COLUMN(b, start_ns);
	uint64_t min = UINT64_MAX;
	for (uint32_t i = 0; start && i < b->n_rows; i++)
		min = start[i] < min ? start[i] : min;
	return min;
}

// Marks the rows of a block that start in [from, to]: each of ours, with its own values, once.
static void
see(const struct fixture *f, const struct record_batch *b, uint64_t from, uint64_t to, bool *seen)
{
	for (uint32_t i = 0; i < b->n_rows; i++) {
		struct record got, want;
		record_batch_get(b, i, &got);
		assert_true(got.domain < f->all->n_rows);
		record_batch_get(f->all, got.domain, &want);
		assert_int_equal(got.start_ns, want.start_ns);
		if (b->used & RECORD_BIT(bytes))
			assert_int_equal(got.bytes, want.bytes);
		if (got.start_ns < from || got.start_ns > to)
			continue;
		assert_false(seen[got.domain]);
		seen[got.domain] = true;
	}
}

static void assert_seen(const struct fixture *f, uint64_t from, uint64_t to, const bool *seen)
{
	for (uint32_t i = 0; i < f->all->n_rows; i++) {
		bool wanted = start_of(f, i) >= from && start_of(f, i) <= to;
		if (seen[i] != wanted)
			fail_msg("row %u: seen %d", i, seen[i]);
	}
}

static void check_window(struct fixture *f, struct store_view *v, struct store_scan_spec spec)
{
	bool seen[ROWS_MAX] = {0};
	const struct record_batch *b;
	uint64_t last = spec.newest_first ? UINT64_MAX : 0;
	struct store_scan *scan = open_scan(v, spec);
	int ret;
	while ((ret = store_scan_next(scan, &b)) == 1) {
		uint64_t at = spec.newest_first ? newest(b) : oldest(b);
		assert_true(b->n_rows > 0);
		assert_int_equal(b->used & ~(spec.fields | RECORD_BIT(start_ns)), 0);
		assert_true(newest(b) >= spec.from_ns && oldest(b) <= spec.to_ns);
		assert_true(spec.newest_first ? at <= last : at >= last);
		last = at;
		see(f, b, spec.from_ns, spec.to_ns, seen);
	}
	assert_int_equal(ret, 0);
	assert_int_equal(store_scan_next(scan, &b), 0); // stays at the end
	store_scan_close(scan);
	assert_seen(f, spec.from_ns, spec.to_ns, seen);
}

static void any_window_gives_exactly_its_rows(void **state)
{
	struct fixture *f = *state;
	struct store_view *v = stores_view(&f->stores);
	for (int i = 0; i < 60; i++) {
		uint64_t a = start_of(f, (uint32_t)rows_below(f->all->n_rows));
		uint64_t b = start_of(f, (uint32_t)rows_below(f->all->n_rows));
		struct store_scan_spec spec = {
			.from_ns = a < b ? a : b,
			.to_ns = a < b ? b : a,
			.fields = RECORD_BIT(domain) | (i % 3 ? 0 : RECORD_BIT(bytes)),
			.newest_first = i % 2,
		};
		check_window(f, v, spec);
	}
}

static void the_edges_of_time_are_windows_too(void **state)
{
	struct fixture *f = *state;
	struct store_view *v = stores_view(&f->stores);
	uint64_t hour = store_hour_start(ROWS_HOUR), one = start_of(f, 7);
	const uint64_t windows[][2] = {
		{0, UINT64_MAX},
		{0, 0},
		{UINT64_MAX, UINT64_MAX},
		{0, hour - 1},
		{0, hour},
		{hour, hour + NS_PER_HOUR - 1},
		{hour + NS_PER_HOUR, UINT64_MAX},
		{hour + 3 * NS_PER_HOUR, UINT64_MAX},
		{one, one},
	};
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		for (int newest_first = 0; newest_first < 2; newest_first++) {
			struct store_scan_spec spec = {
				.from_ns = windows[i][0],
				.to_ns = windows[i][1],
				.fields = ~0ull,
				.newest_first = newest_first,
			};
			check_window(f, v, spec);
		}
	}
}

static void a_window_that_ends_before_it_begins_is_empty(void **state)
{
	struct fixture *f = *state;
	const struct record_batch *b;
	struct store_scan_spec spec = {.from_ns = 2, .to_ns = 1};
	struct store_scan *scan = open_scan(stores_view(&f->stores), spec);
	assert_int_equal(store_scan_next(scan, &b), 0);
	store_scan_close(scan);
	store_scan_close(NULL);
}

static void an_entity_without_rows_has_none(void **state)
{
	struct fixture *f = *state;
	const struct record_batch *b;
	for (int newest_first = 0; newest_first < 2; newest_first++) {
		struct store_scan_spec spec = {
			.entity = 2, .to_ns = UINT64_MAX, .newest_first = newest_first};
		struct store_scan *scan = open_scan(stores_view(&f->stores), spec);
		assert_int_equal(store_scan_next(scan, &b), 0);
		store_scan_close(scan);
	}
}

static void the_journal_alone_has_what_is_not_sealed(void **state)
{
	struct fixture *f = *state;
	struct store_scan_spec spec = {
		.to_ns = UINT64_MAX, .fields = RECORD_BIT(domain), .journal_only = true};
	struct store_scan *scan = open_scan(stores_view(&f->stores), spec);
	bool seen[ROWS_MAX] = {0};
	const struct record_batch *b;
	while (store_scan_next(scan, &b) == 1)
		see(f, b, 0, UINT64_MAX, seen);
	store_scan_close(scan);
	for (uint32_t i = 0; i < f->all->n_rows; i++)
		assert_int_equal(seen[i], i >= 900 + 250);
}

// All rows from the raised end on still come, and no block is wholly before it.
static void a_raised_end_leaves_older_blocks_out(void **state)
{
	struct fixture *f = *state;
	struct store_view *v = stores_view(&f->stores);
	for (int i = 0; i < 40; i++) {
		struct store_scan_spec spec = {
			.to_ns = UINT64_MAX, .fields = RECORD_BIT(domain), .newest_first = i % 2};
		struct store_scan *scan = open_scan(v, spec);
		bool seen[ROWS_MAX] = {0};
		const struct record_batch *b;
		uint64_t from = 0;
		for (int n = 0; store_scan_next(scan, &b) == 1; n++) {
			assert_true(newest(b) >= from);
			see(f, b, 0, UINT64_MAX, seen);
			if (rows_below(3))
				continue;
			uint64_t raised = start_of(f, (uint32_t)rows_below(f->all->n_rows));
			store_scan_raise(scan, raised); // a lower one changes nothing
			from = raised > from ? raised : from;
		}
		store_scan_close(scan);
		for (uint32_t k = 0; k < f->all->n_rows; k++)
			assert_true(seen[k] || start_of(f, k) < from);
	}
}

static void scans_of_one_view_may_take_turns(void **state)
{
	struct fixture *f = *state;
	struct store_view *v = stores_view(&f->stores);
	struct store_scan_spec spec = {.to_ns = UINT64_MAX, .fields = RECORD_BIT(domain)};
	struct store_scan *forward = open_scan(v, spec);
	spec.newest_first = true;
	struct store_scan *back = open_scan(v, spec);
	bool seen_forward[ROWS_MAX] = {0}, seen_back[ROWS_MAX] = {0};
	const struct record_batch *b;
	int left = 3;
	while (left) {
		if (left & 1 && store_scan_next(forward, &b) == 1)
			see(f, b, 0, UINT64_MAX, seen_forward);
		else
			left &= ~1;
		if (left & 2 && store_scan_next(back, &b) == 1)
			see(f, b, 0, UINT64_MAX, seen_back);
		else
			left &= ~2;
	}
	store_scan_close(forward);
	store_scan_close(back);
	assert_seen(f, 0, UINT64_MAX, seen_forward);
	assert_seen(f, 0, UINT64_MAX, seen_back);
}

// Scans all; how many blocks were damaged, and rows seen.
static int scan_damaged(struct fixture *f, uint64_t fields, uint32_t *ret_rows)
{
	struct store_scan_spec spec = {
		.to_ns = UINT64_MAX, .fields = fields, .newest_first = rows_below(2)};
	struct store_scan *scan = open_scan(stores_view(&f->stores), spec);
	const struct record_batch *b;
	int ret, damaged = 0;
	*ret_rows = 0;
	while ((ret = store_scan_next(scan, &b)) != 0) {
		assert_true(ret == 1 || ret == -EIO);
		damaged += ret < 0;
		*ret_rows += ret > 0 ? b->n_rows : 0;
	}
	store_scan_close(scan);
	return damaged;
}

// The walk tells of each damaged block and goes on behind it.
static void a_damaged_block_is_passed_over(void **state)
{
	struct fixture *f = *state;
	struct key key = key_column(0, ROWS_HOUR + 1, 0, FIELD_dst); // 170 rows
	uint32_t rows, all = f->all->n_rows;
	stores_close(&f->stores);
	stores_damage(&f->stores, &key);
	assert_int_equal(scan_damaged(f, RECORD_BIT(domain) | RECORD_BIT(dst), &rows), 1);
	assert_int_equal(rows, all - 170);
	assert_int_equal(scan_damaged(f, RECORD_BIT(domain), &rows), 0); // not asked for
	assert_int_equal(rows, all);
	stores_close(&f->stores);
	key = key_block(KEY_SUMMARY, 0, ROWS_HOUR, 0); // 170 rows
	stores_damage(&f->stores, &key);
	assert_int_equal(scan_damaged(f, RECORD_BIT(domain) | RECORD_BIT(dst), &rows), 2);
	assert_int_equal(rows, all - 2 * 170);
}

// The number of a journal block of the hour.
static uint64_t journal_number(struct fixture *f, uint32_t hour)
{
	char path[80], error[DB_ERROR_LEN];
	struct key_parts at = {0};
	struct db *db;
	snprintf(path, sizeof(path), "%s/db", f->stores.dir);
	assert_int_equal(db_open(path, 64 << 20, DB_WAL_STRICT, &db, error), 0);
	struct db_iter *it = db_iter_open(db, NULL, false);
	struct key prefix = key_hour(KEY_JOURNAL, 0, hour);
	assert_true(db_iter_seek(it, key_slice(&prefix)));
	assert_true(key_parse(db_iter_key(it), KEY_JOURNAL, &at) && at.hour == hour);
	db_iter_close(it);
	db_close(db);
	return at.number;
}

static void a_damaged_journal_block_is_passed_over(void **state)
{
	struct fixture *f = *state;
	uint32_t rows;
	stores_close(&f->stores);
	struct key key = key_block(KEY_JOURNAL, 0, ROWS_HOUR, journal_number(f, ROWS_HOUR));
	stores_damage(&f->stores, &key);
	assert_int_equal(scan_damaged(f, ~0ull, &rows), 1);
	assert_in_range(rows, f->all->n_rows - 80, f->all->n_rows - 1);
	stores_close(&f->stores);
	key = key_block(KEY_ARRIVED, 0, ROWS_HOUR + 2, journal_number(f, ROWS_HOUR + 2));
	stores_damage(&f->stores, &key);
	assert_int_equal(scan_damaged(f, ~0ull, &rows), 2);
	assert_in_range(rows, f->all->n_rows - 160, f->all->n_rows - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
// Those that do damage get a store of their own.
#define TEST(name) cmocka_unit_test(name)
#define DAMAGE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(any_window_gives_exactly_its_rows),
		TEST(the_edges_of_time_are_windows_too),
		TEST(a_window_that_ends_before_it_begins_is_empty),
		TEST(an_entity_without_rows_has_none),
		TEST(the_journal_alone_has_what_is_not_sealed),
		TEST(a_raised_end_leaves_older_blocks_out),
		TEST(scans_of_one_view_may_take_turns),
		DAMAGE(a_damaged_block_is_passed_over),
		DAMAGE(a_damaged_journal_block_is_passed_over),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
