// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/stores.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define WAL_BLOCK 32768 // of RocksDB's log format
#define WAL_HEAD 7	// of a record: checksum 4, length 2, type 1

// A store with sealed rows in files, and commits in the journal, made once; and its copy, to be
// damaged.
struct fixture {
	struct stores stores; // of the copy
	char original[64];
	uint32_t n_sealed, n_rows;
	char wal[32]; // the journal's only file
	uint8_t *bytes;
	size_t len;
};

static size_t read_file(const char *path, uint8_t **ret_bytes)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	*ret_bytes = malloc((size_t)st.st_size + 1);
	assert_int_equal(read(fd, *ret_bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	return (size_t)st.st_size;
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

// The number of files of a folder whose name ends so, and the last one's name.
static int find_files(const char *dir, const char *end, char ret_name[static 32])
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;
	while (d && (e = readdir(d))) {
		size_t len = strlen(e->d_name), end_len = strlen(end);
		if (e->d_name[0] == '.' || len < end_len || len >= 32 ||
		    strcmp(e->d_name + len - end_len, end) != 0)
			continue;
		memcpy(ret_name, e->d_name, len + 1);
		n++;
	}
	if (d)
		closedir(d);
	return n;
}

static void copy_dir(const char *from, const char *to)
{
	DIR *d = opendir(from);
	struct dirent *e;
	assert_non_null(d);
	assert_int_equal(mkdir(to, 0750), 0);
	while ((e = readdir(d))) {
		char source[512], target[512];
		uint8_t *bytes;
		if (e->d_name[0] == '.')
			continue;
		snprintf(source, sizeof(source), "%s/%s", from, e->d_name);
		snprintf(target, sizeof(target), "%s/%s", to, e->d_name);
		if (e->d_type == DT_DIR) {
			copy_dir(source, target);
			continue;
		}
		size_t len = read_file(source, &bytes);
		write_file(target, bytes, len);
		free(bytes);
	}
	closedir(d);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct stores *s = &f->stores;
	char path[160];
	rows_dir(s->dir);
	stores_open(s);
	for (int i = 0; i < 3; i++)
		stores_commit(s, 0, 2, 100);
	stores_seal(s);
	f->n_sealed = s->next_serial;
	stores_close(s);
	stores_open(s); // what was in the journal goes to files
	for (int i = 0; i < 25; i++)
		stores_commit(s, 0, 2, 1 + (uint32_t)rows_below(120));
	f->n_rows = s->next_serial;
	stores_close(s);
	snprintf(path, sizeof(path), "%s/db", s->dir);
	assert_int_equal(find_files(path, ".log", f->wal), 1);
	snprintf(path, sizeof(path), "%s/db/%s", s->dir, f->wal);
	f->len = read_file(path, &f->bytes);
	assert_true(f->len > 2 * WAL_BLOCK);
	memcpy(f->original, s->dir, sizeof(f->original));
	snprintf(s->dir, sizeof(s->dir), "%.60s.c", f->original);
	snprintf(s->scratch, sizeof(s->scratch), "%.60s.r", f->original);
	*state = f;
	return 0;
}

static void remove_copy(struct fixture *f)
{
	stores_close(&f->stores);
	rows_dir_remove(f->stores.dir);
	rows_dir_remove(f->stores.scratch);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	remove_copy(f);
	rows_dir_remove(f->original);
	free(f->bytes);
	free(f);
	return 0;
}

// A new copy whose journal has the given bytes.
static void copy(struct fixture *f, const uint8_t *bytes, size_t len)
{
	char path[160];
	remove_copy(f);
	copy_dir(f->original, f->stores.dir);
	snprintf(path, sizeof(path), "%s/db/%s", f->stores.dir, f->wal);
	write_file(path, bytes, len);
	f->stores.next_serial = f->n_rows;
}

// That rows 0 to n - 1 are there: n.
static uint32_t count_rows(struct fixture *f)
{
	struct serials s = {0};
	assert_int_equal(serials_scan(&s, stores_view(&f->stores), 0), 0);
	uint32_t n = serials_assert_prefix(&s);
	serials_fini(&s);
	return n;
}

// How many rows the words say are lost.
static uint64_t said_lost(const struct fixture *f)
{
	const char *words = strstr(f->stores.error, "lost ");
	unsigned long long commits = 0, rows = 0;
	if (!words ||
	    sscanf(words, "lost %llu commits with %llu acknowledged rows", &commits, &rows) != 2)
		return 0;
	assert_true(commits > 0);
	return rows;
}

static int n_set_aside(const struct fixture *f, char ret_name[static 32])
{
	char path[160];
	snprintf(path, sizeof(path), "%s/lost+found", f->stores.dir);
	return find_files(path, "", ret_name);
}

// That the journal as it was is kept, and the words say where.
static void assert_set_aside(const struct fixture *f, const uint8_t *bytes, size_t len)
{
	char name[32], path[160];
	uint8_t *kept;
	assert_int_equal(n_set_aside(f, name), 1);
	snprintf(path, sizeof(path), "%s/lost+found/%s", f->stores.dir, name);
	assert_non_null(strstr(f->stores.error, path));
	snprintf(path, sizeof(path), "%s/lost+found/%s/%s", f->stores.dir, name, f->wal);
	assert_int_equal(read_file(path, &kept), len);
	assert_memory_equal(kept, bytes, len);
	free(kept);
}

// What was found is told once, and what comes after it is held as ever.
static void assert_goes_on(struct fixture *f, uint32_t n)
{
	struct stores *s = &f->stores;
	char name[32];
	s->next_serial = n;
	stores_commit(s, 0, 2, 50);
	assert_int_equal(count_rows(f), s->next_serial);
	stores_close(s);
	stores_open(s);
	assert_string_equal(s->error, "");
	assert_int_equal(count_rows(f), s->next_serial);
	assert_int_equal(n_set_aside(f, name), 1);
}

static void check_damaged(struct fixture *f, const uint8_t *bytes, size_t len)
{
	copy(f, bytes, len);
	stores_open(&f->stores);
	uint32_t n = count_rows(f);
	assert_true(n >= f->n_sealed && n < f->n_rows);
	assert_int_equal(said_lost(f), f->n_rows - n);
	assert_set_aside(f, bytes, len);
}

static void flip(struct fixture *f, size_t at)
{
	uint8_t bit = (uint8_t)(1 << rows_below(8));
	f->bytes[at] ^= bit;
	check_damaged(f, f->bytes, f->len);
	f->bytes[at] ^= bit;
}

static void a_turned_bit_is_found_and_the_loss_told_to_the_row(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 5; i++)
		flip(f, rows_below(f->len));
	assert_goes_on(f, count_rows(f));
}

// With the first record nothing of the journal can be used; the damage must not stay either.
static void a_journal_damaged_at_its_start_keeps_no_reader_out(void **state)
{
	struct fixture *f = *state;
	for (size_t at = 0; at < 120; at += 60)
		flip(f, at);
	assert_int_equal(count_rows(f), f->n_sealed);
	assert_goes_on(f, f->n_sealed);
}

#define HEADS_MAX 1024

// Where the records of a file in RocksDB's log format begin (WAL and MANIFEST): how many.
static size_t find_heads(const uint8_t *bytes, size_t len, size_t heads[static HEADS_MAX])
{
	size_t n = 0;
	for (size_t at = 0; at + WAL_HEAD <= len && n < HEADS_MAX;) {
		size_t left = WAL_BLOCK - at % WAL_BLOCK;
		if (left < WAL_HEAD) {
			at += left;
			continue;
		}
		heads[n++] = at;
		at += WAL_HEAD + bytes[at + 4] + bytes[at + 5] * 256u;
	}
	return n;
}

// A length that points beyond the file looks like a record cut short by a crash.
static void a_turned_bit_in_a_length_is_not_taken_for_a_torn_end(void **state)
{
	struct fixture *f = *state;
	size_t heads[HEADS_MAX], n = find_heads(f->bytes, f->len, heads);
	for (size_t i = 0; i < 2; i++) {
		f->bytes[heads[n - 1 - i] + 5] ^= 0x40;
		check_damaged(f, f->bytes, f->len);
		f->bytes[heads[n - 1 - i] + 5] ^= 0x40;
	}
	assert_goes_on(f, count_rows(f));
}

static void a_journal_that_was_cut_is_read_up_to_the_cut(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 2; i++)
		check_damaged(f, f->bytes, rows_below(f->len - 1));
	assert_goes_on(f, count_rows(f));
}

static void a_journal_that_is_gone_is_missed(void **state)
{
	struct fixture *f = *state;
	char path[160], name[32];
	copy(f, f->bytes, f->len);
	snprintf(path, sizeof(path), "%s/db/%s", f->stores.dir, f->wal);
	assert_int_equal(unlink(path), 0);
	stores_open(&f->stores);
	assert_int_equal(count_rows(f), f->n_sealed);
	assert_int_equal(said_lost(f), f->n_rows - f->n_sealed);
	assert_int_equal(n_set_aside(f, name), 0);
}

static void a_sound_journal_is_not_set_aside(void **state)
{
	struct fixture *f = *state;
	char name[32];
	copy(f, f->bytes, f->len);
	stores_open(&f->stores);
	assert_string_equal(f->stores.error, "");
	assert_int_equal(count_rows(f), f->n_rows);
	assert_int_equal(n_set_aside(f, name), 0);
}

// The path and bytes of a file of the copy's database by the start of its name.
static size_t
read_db_file(const struct fixture *f, const char *start, char path[static 160], uint8_t **ret_bytes)
{
	char dir[80];
	struct dirent *e;
	snprintf(dir, sizeof(dir), "%s/db", f->stores.dir);
	DIR *d = opendir(dir);
	assert_non_null(d);
	while ((e = readdir(d)) && strncmp(e->d_name, start, strlen(start)) != 0)
		;
	assert_non_null(e);
	snprintf(path, 160, "%s/%.64s", dir, e->d_name);
	closedir(d);
	return read_file(path, ret_bytes);
}

// Damage elsewhere is for people to look at. Starting again and again must not fill the disk.
static void damage_outside_of_the_journal_is_refused_and_leaves_no_copies(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 2; i++) {
		char path[160], name[32];
		uint8_t *bytes;
		copy(f, f->bytes, f->len);
		size_t len = read_db_file(f, i ? "MANIFEST-" : "CURRENT", path, &bytes);
		bytes[i ? 20 : len - 1] ^= 1;
		write_file(path, bytes, len);
		free(bytes);
		for (int k = 0; k < 3; k++) {
			assert_int_equal(stores_try_open(&f->stores), -EUCLEAN);
			assert_non_null(strstr(f->stores.error, "Corruption"));
			assert_int_equal(n_set_aside(f, name), 0);
		}
	}
}

static uint32_t count_any_rows(struct fixture *f)
{
	struct serials s = {0};
	assert_int_equal(serials_scan(&s, stores_view(&f->stores), 0), 0);
	assert_false(s.twice);
	uint32_t n = s.n;
	serials_fini(&s);
	return n;
}

// RocksDB takes what follows for the torn end of its list of files, and forgets the files.
static void rows_of_forgotten_files_are_missed(void **state)
{
	struct fixture *f = *state;
	size_t heads[HEADS_MAX], n_heads = 2;
	int n_missed = 0;
	for (size_t i = 1; i < n_heads; i++) {
		char path[160], words[64];
		uint8_t *bytes;
		copy(f, f->bytes, f->len);
		size_t len = read_db_file(f, "MANIFEST-", path, &bytes);
		n_heads = find_heads(bytes, len, heads);
		memset(bytes + heads[i], 0x55, len - heads[i]);
		write_file(path, bytes, len);
		free(bytes);
		int ret = stores_try_open(&f->stores);
		assert_true(ret == 0 || ret == -EUCLEAN); // when nothing was left of the list
		uint32_t n = ret < 0 ? f->n_rows : count_any_rows(f);
		if (n == f->n_rows)
			continue;
		n_missed++;
		snprintf(
			words,
			sizeof(words),
			"%u rows that were in the database are missing",
			f->n_rows - n
		);
		assert_non_null(strstr(f->stores.error, words));
		assert_set_aside(f, f->bytes, f->len);
		stores_close(&f->stores);
		stores_open(&f->stores);
		assert_string_equal(f->stores.error, "");
	}
	assert_true(n_missed > 0);
}

static void a_second_writer_is_refused_and_disturbs_nothing(void **state)
{
	struct fixture *f = *state;
	struct stores second = {0};
	char name[32];
	copy(f, f->bytes, f->len);
	stores_open(&f->stores);
	stores_commit(&f->stores, 0, 1, 10);
	memcpy(second.dir, f->stores.dir, sizeof(second.dir));
	assert_int_equal(stores_try_open(&second), -EBUSY);
	assert_non_null(strstr(second.error, "one writer"));
	assert_int_equal(n_set_aside(f, name), 0);
	stores_commit(&f->stores, 0, 1, 10);
	assert_int_equal(count_rows(f), f->n_rows + 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turned_bit_is_found_and_the_loss_told_to_the_row),
		cmocka_unit_test(a_journal_damaged_at_its_start_keeps_no_reader_out),
		cmocka_unit_test(a_turned_bit_in_a_length_is_not_taken_for_a_torn_end),
		cmocka_unit_test(a_journal_that_was_cut_is_read_up_to_the_cut),
		cmocka_unit_test(a_journal_that_is_gone_is_missed),
		cmocka_unit_test(a_sound_journal_is_not_set_aside),
		cmocka_unit_test(damage_outside_of_the_journal_is_refused_and_leaves_no_copies),
		cmocka_unit_test(rows_of_forgotten_files_are_missed),
		cmocka_unit_test(a_second_writer_is_refused_and_disturbs_nothing),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
