// SPDX-License-Identifier: Apache-2.0
#include "collector/store/block.h"
#include "collector/store/db.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/stores.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

static struct store_stats stats_of(struct stores *f)
{
	struct store_stats s;
	store_stats(f->store, &s);
	return s;
}

static void commit(struct stores *f, struct record_batch *const *batches, size_t n)
{
	if (store_commit(f->store, batches, n, f->error) < 0)
		fail_msg("%s", f->error);
}

// Serial numbers of the rows of an hour, in the order they are stored.
static uint32_t
read_hour(struct store_view *v, uint16_t entity, uint32_t hour, uint32_t *ret_serials)
{
	struct store_scan_spec spec = {
		.entity = entity,
		.from_ns = store_hour_start(hour),
		.to_ns = store_hour_start(hour + 1) - 1,
		.fields = RECORD_BIT(domain),
	};
	const struct record_batch *b;
	struct store_scan *scan;
	uint32_t n = 0;
	assert_int_equal(store_scan_open(v, &spec, &scan), 0);
	while (store_scan_next(scan, &b) == 1) {
		const uint32_t *domain = RECORD_COLUMN(b, domain);
		for (uint32_t i = 0; domain && i < b->n_rows; i++)
			ret_serials[n++] = domain[i];
	}
	store_scan_close(scan);
	return n;
}

static void rows_go_to_the_hour_of_their_start_as_they_came(void **state)
{
	struct stores *f = *state;
	uint32_t got[400];
	f->next_serial = 1;
	struct record_batch *b = stores_rows(f, 4, 3, 400);
	const uint64_t *start = RECORD_COLUMN(b, start_ns);
	commit(f, &b, 1);
	struct store_view *v = stores_view(f);
	for (uint32_t h = 0; h < 3; h++) {
		uint32_t n = read_hour(v, 4, ROWS_HOUR + h, got), k = 0;
		for (uint32_t i = 0; i < 400; i++) {
			if (store_hour_of(start[i]) == ROWS_HOUR + h)
				assert_int_equal(got[k++], i + 1);
		}
		assert_int_equal(k, n);
	}
	record_batch_free(b);
}

static void batches_of_several_entities_are_one_commit(void **state)
{
	struct stores *f = *state;
	struct record_batch *batches[4];
	uint32_t got[100];
	f->next_serial = 1;
	for (uint16_t e = 0; e < 4; e++)
		batches[e] = stores_rows(f, e / 2, 1, 10 + e);
	commit(f, batches, 4);
	assert_int_equal(stats_of(f).commits, 1);
	struct store_view *v = stores_view(f);
	assert_int_equal(read_hour(v, 0, ROWS_HOUR, got), 21);
	assert_int_equal(read_hour(v, 1, ROWS_HOUR, got), 25);
	for (int i = 0; i < 4; i++)
		record_batch_free(batches[i]);
}

static void nothing_to_commit_is_no_commit(void **state)
{
	struct stores *f = *state;
	struct record_batch *empty = record_batch_create(10);
	commit(f, NULL, 0);
	commit(f, &empty, 1);
	assert_int_equal(stats_of(f).commits, 0);
	assert_int_equal(stats_of(f).last_ns, 0);
	struct record_batch *batches[] = {empty, stores_rows(f, 0, 1, 5), empty};
	commit(f, batches, 3);
	assert_int_equal(stats_of(f).commits, 1);
	assert_int_equal(stats_of(f).committed_rows, 5);
	record_batch_free(batches[1]);
	record_batch_free(empty);
}

static void rows_without_a_start_are_of_the_first_hour(void **state)
{
	struct stores *f = *state;
	struct record_batch *b = record_batch_create(3);
	struct store_hour hour;
	for (uint32_t i = 0; i < 3; i++) {
		struct record r = {0};
		RECORD_SET(&r, bytes, i);
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	commit(f, &b, 1);
	record_batch_free(b);
	assert_int_equal(store_view_hour(stores_view(f), 0, 0, &hour), 1);
	assert_int_equal(hour.hour, 0);
	assert_int_equal(hour.journal_rows, 3);
}

static void the_statistics_follow(void **state)
{
	struct stores *f = *state;
	stores_commit(f, 0, 2, 300);
	stores_commit(f, 1, 1, 50);
	struct store_stats s = stats_of(f);
	assert_int_equal(s.commits, 2);
	assert_int_equal(s.committed_rows, 350);
	assert_int_equal(s.journal_rows, 350);
	assert_int_equal(s.total_rows, 350);
	assert_int_equal(s.sealed_rows, 0);
	assert_int_equal(s.first_ns, store_hour_start(ROWS_HOUR));
	assert_int_equal(s.last_ns, store_hour_start(ROWS_HOUR + 2) - 1);
	assert_true(s.size > 0 && s.commit_ns > 0);
	stores_seal(f);
	stores_commit(f, 0, 1, 7);
	stores_close(f);
	stores_open(f);
	s = stats_of(f);
	assert_int_equal(s.commits, 0);
	assert_int_equal(s.journal_rows, 7);
	assert_int_equal(s.total_rows, 357);
	assert_int_equal(s.first_ns, store_hour_start(ROWS_HOUR));
	assert_int_equal(s.last_ns, store_hour_start(ROWS_HOUR + 2) - 1);
}

// The blocks of an entity's hour: how many, and the rows of the first.
static int count_blocks(struct stores *f, enum key_kind kind, uint32_t *ret_first_rows)
{
	char path[80];
	struct key prefix = key_hour(kind, 0, ROWS_HOUR);
	struct block_summary s = {0};
	struct db *db;
	int n = 0;
	stores_close(f);
	snprintf(path, sizeof(path), "%s/db", f->dir);
	assert_int_equal(db_open(path, 64 << 20, DB_WAL_STRICT, &db, f->error), 0);
	struct db_iter *it = db_iter_open(db, NULL, true);
	bool valid = db_iter_seek(it, key_slice(&prefix));
	for (; valid && key_has_prefix(db_iter_key(it), &prefix); valid = db_iter_next(it)) {
		struct slice value = db_iter_value(it);
		if (n++ == 0)
			assert_int_equal(block_summary_decode(value.p, value.len, &s), 0);
	}
	assert_int_equal(db_iter_error(it), 0);
	db_iter_close(it);
	db_close(db);
	stores_open(f);
	assert_string_equal(f->error, "");
	*ret_first_rows = s.n_rows;
	return n;
}

// Rows that do not compress make a value of megabytes, which goes to a file when reopened.
static void a_large_batch_is_several_blocks(void **state)
{
	struct stores *f = *state;
	uint32_t first_rows, n = JOURNAL_ROWS_MAX + 10;
	struct record_batch *b = record_batch_create(n);
	struct record r = {0};
	for (uint32_t i = 0; i < n; i++) {
		RECORD_SET(&r, start_ns, store_hour_start(ROWS_HOUR) + i);
		RECORD_SET(&r, domain, i);
		RECORD_SET(&r, bytes, rows_random());
		RECORD_SET(&r, packets, rows_random());
		RECORD_SET(&r, app_id, rows_random());
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	f->options.block_rows = 1 << 16;
	stores_close(f);
	stores_open(f);
	commit(f, &b, 1);
	record_batch_free(b);
	assert_int_equal(count_blocks(f, KEY_ARRIVED, &first_rows), 2);
	assert_int_equal(first_rows, JOURNAL_ROWS_MAX);
	for (int sealed = 0; sealed < 2; sealed++) {
		struct serials s = {0};
		assert_int_equal(serials_scan(&s, stores_view(f), 0), 0);
		assert_int_equal(serials_assert_prefix(&s), n);
		serials_fini(&s);
		stores_seal(f);
	}
	assert_int_equal(count_blocks(f, KEY_SUMMARY, &first_rows), 2);
	assert_int_equal(first_rows, 1 << 16);
}

// --- a disk that is full -------------------------------------------------------------------------

// A file system in memory of some megabytes at the store's folder. Not everybody may mount.
static void mount_or_skip(const char *dir, const char *size, unsigned long flags)
{
	if (mount("tmpfs", dir, "tmpfs", flags, size) < 0)
		skip();
}

#define LARGE_ROWS 4000

// The next rows, which do not compress, in place of the last ones.
static void renew(struct stores *f, struct record_batch *b)
{
	static const enum record_field fields[] = {
		FIELD_packets, FIELD_bytes, FIELD_rev_packets, FIELD_rev_bytes, FIELD_app_id};
	uint32_t *domain = record_batch_column(b, FIELD_domain);
	for (uint32_t i = 0; i < b->n_rows; i++)
		domain[i] = f->next_serial++;
	for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
		uint64_t *column = record_batch_column(b, fields[k]);
		for (uint32_t i = 0; i < b->n_rows; i++)
			column[i] = rows_random();
	}
}

static void check_rows(struct stores *f, uint32_t n)
{
	struct serials s = {0};
	assert_int_equal(serials_scan(&s, stores_view(f), 0), 0);
	assert_int_equal(serials_assert_prefix(&s), n);
	serials_fini(&s);
}

// Commits until the disk is full: the batch that was refused.
static struct record_batch *fill_disk(struct stores *f)
{
	struct record_batch *b = stores_rows(f, 0, 1, LARGE_ROWS);
	int ret = 0;
	f->next_serial = 0;
	while (ret == 0 && f->next_serial < 100 * LARGE_ROWS) {
		renew(f, b);
		ret = store_commit(f->store, &b, 1, f->error);
	}
	assert_int_equal(ret, -ENOSPC);
	return b;
}

static void a_full_disk_refuses_and_a_larger_one_goes_on(void **state)
{
	struct stores *f = *state;
	struct store_user user = {.api_id = "00"};
	stores_close(f);
	mount_or_skip(f->dir, "size=6m", 0);
	stores_open(f);
	struct record_batch *b = fill_disk(f);
	uint32_t acknowledged = f->next_serial - b->n_rows;
	assert_true(acknowledged > 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(store_commit(f->store, &b, 1, f->error), -ENOSPC);
	assert_non_null(strstr(f->error, "No space left"));
	assert_int_equal(store_user_add(f->store, &user), -ENOSPC);
	assert_int_equal(store_seal(f->store, 0, true, f->error), -ENOSPC);
	assert_int_equal(stats_of(f).total_rows, acknowledged);

	mount_or_skip(f->dir, "size=200m", MS_REMOUNT);
	uint64_t end_ns = clock_mono_ns() + 20 * NS_PER_SEC; // RocksDB looks for room now and then
	int ret = -ENOSPC;
	for (; ret == -ENOSPC && clock_mono_ns() < end_ns; usleep(20000))
		ret = store_commit(f->store, &b, 1, f->error);
	assert_int_equal(ret, 0);
	record_batch_free(b);
	check_rows(f, f->next_serial);
	assert_int_equal(store_user_add(f->store, &user), 0);
	stores_seal(f);
	check_rows(f, f->next_serial);
	stores_close(f);
	stores_open(f);
	assert_string_equal(f->error, "");
	check_rows(f, f->next_serial);
}

static void a_store_that_filled_its_disk_can_be_opened_again(void **state)
{
	struct stores *f = *state;
	stores_close(f);
	mount_or_skip(f->dir, "size=6m", 0);
	stores_open(f);
	struct record_batch *b = fill_disk(f);
	uint32_t acknowledged = f->next_serial - b->n_rows;
	stores_close(f);
	for (int i = 0; i < 3; i++) {
		int ret = stores_try_open(f); // RocksDB has to write to open
		assert_true(ret == 0 || ret == -ENOSPC);
		if (ret == 0)
			assert_int_equal(stats_of(f).total_rows, acknowledged);
		stores_close(f);
	}
	mount_or_skip(f->dir, "size=200m", MS_REMOUNT);
	stores_open(f);
	assert_string_equal(f->error, "");
	check_rows(f, acknowledged);
	commit(f, &b, 1);
	record_batch_free(b);
	check_rows(f, f->next_serial);
}

static int tear_down(void **state)
{
	struct stores *f = *state;
	stores_close(f);
	umount(f->dir);
	return stores_tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_set_up, tear_down)
		TEST(rows_go_to_the_hour_of_their_start_as_they_came),
		TEST(batches_of_several_entities_are_one_commit),
		TEST(nothing_to_commit_is_no_commit),
		TEST(rows_without_a_start_are_of_the_first_hour),
		TEST(the_statistics_follow),
		TEST(a_large_batch_is_several_blocks),
		TEST(a_full_disk_refuses_and_a_larger_one_goes_on),
		TEST(a_store_that_filled_its_disk_can_be_opened_again),
	};
	// Mounts end with the process.
	if (unshare(CLONE_NEWNS) == 0)
		(void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
