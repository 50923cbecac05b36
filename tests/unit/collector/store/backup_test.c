// SPDX-License-Identifier: Apache-2.0
#include "collector/store/backup.h"
#include "tests/unit/collector/store/stores.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static void fill(struct stores *f)
{
	stores_commit(f, 0, 3, 1500);
	stores_seal(f);
	stores_commit(f, 0, 3, 500);
}

static struct store_condition condition(struct stores *f)
{
	struct store_condition c;
	if (store_condition(f->dir, &c, f->error) < 0)
		fail_msg("%s", f->error);
	return c;
}

static void assert_sound(const struct check *c)
{
	assert_int_equal(c->bad_blocks + c->bad_tables + c->gaps + c->bad_rows, 0);
	assert_string_equal(c->first_bad, "");
}

static uint64_t total(struct stores *f)
{
	struct store_stats stats;
	store_stats(f->store, &stats);
	return stats.total_rows;
}

static void all_that_is_stored_is_read(void **state)
{
	struct stores *f = *state;
	fill(f);
	struct store_condition c = condition(f); // while it is open
	assert_sound(&c.check);
	assert_true(c.check.is_done);
	assert_int_equal(c.rows_expected, 2000);
	assert_int_equal(c.check.rows, 2000);
	assert_true(c.check.blocks >= 6 && c.check.tables > 3 && c.check.bytes > 10000);
}

static void small_steps_come_to_the_same(void **state)
{
	struct stores *f = *state;
	struct check whole = {}, steps = {};
	unsigned n = 0;
	fill(f);
	assert_int_equal(store_scrub(f->store, &whole, UINT64_MAX), 0);
	for (; !steps.is_done && n < 10000; n++)
		assert_int_equal(store_scrub(f->store, &steps, 8000), 0);
	assert_true(n > 5);
	assert_int_equal(steps.bytes, whole.bytes);
	assert_int_equal(steps.rows, 2000);
	assert_int_equal(steps.blocks, whole.blocks);
	assert_int_equal(steps.tables, whole.tables);
}

// The first key of the kind.
static struct key first_key(struct stores *f, enum key_kind kind)
{
	char path[80], error[DB_ERROR_LEN];
	struct key start = key_hour(kind, 0, 0), key = {0};
	struct db *db;
	snprintf(path, sizeof(path), "%s/db", f->dir);
	assert_int_equal(db_open(path, 64 << 20, DB_WAL_STRICT, &db, error), 0);
	struct db_iter *it = db_iter_open(db, NULL, false);
	assert_true(db_iter_seek(it, key_slice(&start)));
	struct slice found = db_iter_key(it);
	assert_int_equal(*(const char *)found.p, kind);
	memcpy(key.b, found.p, found.len);
	key.len = found.len;
	db_iter_close(it);
	db_close(db);
	return key;
}

static void damaged_values_are_found_with_their_rows(void **state)
{
	static const char kinds[] = {KEY_JOURNAL, KEY_COLUMN, KEY_ADDRS};
	struct stores *f = *state;
	struct check was = {};
	fill(f);
	stores_close(f);
	for (size_t i = 0; i < sizeof(kinds); i++) {
		struct key key = first_key(f, (enum key_kind)kinds[i]);
		stores_damage(f, &key);
		struct store_condition c = condition(f);
		bool is_block = i < 2;
		assert_int_equal(c.check.bad_blocks, was.bad_blocks + is_block);
		assert_int_equal(c.check.bad_tables, was.bad_tables + !is_block);
		assert_int_equal(c.check.rows + c.check.bad_rows, 2000);
		assert_true(!is_block || c.check.bad_rows > was.bad_rows);
		assert_string_not_equal(c.check.first_bad, "");
		assert_int_equal(c.rows_expected, 2000);
		was = c.check;
	}
}

static void find_file(struct stores *f, const char *start, const char *ending, char path[200])
{
	char dir[80];
	size_t largest = 0;
	struct dirent *e;
	snprintf(dir, sizeof(dir), "%s/db", f->dir);
	DIR *d = opendir(dir);
	while ((e = readdir(d))) {
		char one[400];
		size_t n = strlen(e->d_name), m = strlen(ending);
		struct stat st;
		snprintf(one, sizeof(one), "%s/%s", dir, e->d_name);
		if (strncmp(e->d_name, start, strlen(start)) == 0 && n >= m &&
		    strcmp(e->d_name + n - m, ending) == 0 && stat(one, &st) == 0 &&
		    (size_t)st.st_size > largest) {
			largest = (size_t)st.st_size;
			snprintf(path, 200, "%.199s", one);
		}
	}
	closedir(d);
	assert_true(largest > 0);
}

static void flip(const char *path, double where)
{
	struct stat st;
	uint8_t byte;
	int fd = open(path, O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	off_t at = (off_t)((double)st.st_size * where);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x20;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void a_flipped_byte_in_a_file_costs_what_it_held(void **state)
{
	struct stores *f = *state;
	char path[200];
	fill(f);
	stores_close(f);
	stores_open(f); // what was in the WAL is in a file now
	stores_close(f);
	find_file(f, "0", ".sst", path);
	flip(path, 0.3);
	struct store_condition c = condition(f);
	assert_int_equal(c.rows_expected, 2000);
	assert_true(c.check.rows < 2000 && c.check.rows > 0); // the rest is served
	assert_true(c.check.bad_blocks + c.check.bad_tables + c.check.gaps > 0);
	assert_string_not_equal(c.check.first_bad, "");

	// what can be read is taken over, and written to again
	if (store_repair(f->dir, f->error) < 0)
		fail_msg("%s", f->error);
	struct store_condition mended = condition(f);
	assert_int_equal(mended.check.gaps, 0);
	assert_true(mended.check.rows >= c.check.rows);
	stores_open(f);
	stores_commit(f, 0, 3, 10);
	stores_seal(f);
}

static void a_damaged_list_of_files_is_made_anew(void **state)
{
	struct stores *f = *state;
	char path[200];
	struct store_condition c;
	fill(f);
	stores_close(f);
	find_file(f, "MANIFEST-", "", path);
	flip(path, 0.4);
	assert_true(store_condition(f->dir, &c, f->error) < 0);
	assert_true(stores_try_open(f) < 0);
	f->store = NULL;
	if (store_repair(f->dir, f->error) < 0)
		fail_msg("%s", f->error);
	assert_null(strstr(f->error, "lost"));
	assert_null(strstr(f->error, "missing"));
	c = condition(f);
	assert_sound(&c.check);
	assert_int_equal(c.check.rows, 2000);
	stores_open(f);
	assert_int_equal(total(f), 2000);
	stores_commit(f, 0, 3, 10);
	assert_int_equal(total(f), 2010);
}

static void a_backup_is_a_store_as_it_was(void **state)
{
	struct stores *f = *state;
	char dir[80];
	fill(f);
	snprintf(dir, sizeof(dir), "%s.backup", f->dir);
	if (store_backup(f->store, dir, f->error) < 0)
		fail_msg("%s", f->error);
	stores_commit(f, 0, 3, 100); // is not in it
	stores_seal(f);

	struct stores copy = {.options.block_rows = 700};
	snprintf(copy.dir, sizeof(copy.dir), "%.55s.backup", f->dir);
	struct store_condition c = condition(&copy);
	assert_sound(&c.check);
	assert_int_equal(c.check.rows, 2000);
	stores_open(&copy);
	assert_string_equal(copy.error, ""); // nothing is missing
	assert_int_equal(total(&copy), 2000);
	copy.next_serial = 5000;
	stores_commit(&copy, 0, 3, 7);
	stores_seal(&copy);
	stores_close(&copy);
	assert_int_equal(total(f), 2100);

	assert_int_equal(store_backup(f->store, dir, f->error), -EEXIST);
	rows_dir_remove(dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stores_set_up, stores_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_that_is_stored_is_read),
		TEST(small_steps_come_to_the_same),
		TEST(damaged_values_are_found_with_their_rows),
		TEST(a_flipped_byte_in_a_file_costs_what_it_held),
		TEST(a_damaged_list_of_files_is_made_anew),
		TEST(a_backup_is_a_store_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
