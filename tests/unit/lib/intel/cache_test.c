// SPDX-License-Identifier: Apache-2.0

// Compiled databases on disk: what is damaged or another's is compiled anew, and nobody notices but
// by the time it takes.

#include "lib/intel/match.h"
#include "tests/unit/cmocka.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALUES 40ul
#define PATH_LEN 600 // of a folder, a slash and a name

static char dir[64];

static int set_up(void **)
{
	snprintf(dir, sizeof(dir), "/tmp/weir-cache-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *, int, struct FTW *)
{
	return remove(path);
}

static int tear_down(void **)
{
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

// VALUES addresses of one network, in one shard or several.
static struct intel_db *db_of(unsigned network, uint16_t score, size_t shard_values)
{
	struct intel_list *l = intel_list_create("feed");
	struct intel_options o = {.n_threads = 1, .cache_dir = dir, .shard_values = shard_values};
	struct intel_db *db = NULL;
	char error[INTEL_ERROR_LEN], name[INDICATOR_NAME_MAX + 1], text[32];
	for (unsigned v = 0; v < VALUES; v++) {
		struct indicator i = {.score = score};
		snprintf(text, sizeof(text), "203.0.%u.%u", network, v);
		assert_null(indicator_parse(text, strlen(text), &i, name));
		assert_int_equal(intel_list_add(l, &i, name), 0);
	}
	assert_int_equal(intel_db_create(&l, 1, &o, &db, error), 0);
	intel_list_put(l);
	return db;
}

// Uses the database once: it must answer for all of its addresses and no others.
static bool is_cached_and_right(unsigned network, uint16_t score, size_t shard_values)
{
	struct intel_db *db = db_of(network, score, shard_values);
	struct intel_query q[2 * VALUES] = {};
	struct intel_match m[2 * VALUES];
	struct intel_counters c = {};
	bool is_cached = intel_db_stats(db)->is_cached;
	for (unsigned v = 0; v < 2 * VALUES; v++) {
		q[v].has_flow = true;
		q[v].dst = addr_of_v4((uint8_t[]){203, 0, (uint8_t)network, (uint8_t)v});
		q[v].src = addr_of_v4((uint8_t[]){198, 51, 100, 1});
	}
	intel_match(db, 0, 1, q, 2 * VALUES, m, &c);
	for (unsigned v = 0; v < 2 * VALUES; v++)
		assert_int_equal(m[v].score, v < VALUES ? score : 0);
	assert_int_equal(c.scan_errors, 0);
	intel_db_put(db);
	return is_cached;
}

static unsigned files(char path[static PATH_LEN])
{
	unsigned n = 0;
	DIR *d = opendir(dir);
	const struct dirent *e;
	assert_non_null(d);
	while ((e = readdir(d)))
		if (strstr(e->d_name, ".hsdb")) {
			snprintf(path, PATH_LEN, "%s/%s", dir, e->d_name);
			n++;
		}
	closedir(d);
	return n;
}

static size_t slurp(const char *path, char **ret_data)
{
	struct stat st = {};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	*ret_data = malloc((size_t)st.st_size + 1);
	assert_int_equal(read(fd, *ret_data, (size_t)st.st_size), st.st_size);
	close(fd);
	return (size_t)st.st_size;
}

static void spill(const char *path, const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static void the_same_values_are_compiled_once(void **)
{
	char path[PATH_LEN];
	struct stat st;
	assert_false(is_cached_and_right(1, 700, 0));
	assert_true(is_cached_and_right(1, 700, 0));
	assert_true(is_cached_and_right(1, 300, 0)); // what is thought of them may differ
	assert_false(is_cached_and_right(2, 700, 0));
	assert_int_equal(files(path), 2);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void shards_are_kept_together(void **)
{
	char path[PATH_LEN];
	assert_false(is_cached_and_right(1, 700, 3));
	assert_true(is_cached_and_right(1, 700, 3));
	assert_int_equal(files(path), 1);
	assert_false(is_cached_and_right(1, 700, 0)); // not the shards that are wanted
	assert_true(is_cached_and_right(1, 700, 0));
}

static void damaged_files_are_made_anew(void **)
{
	char path[PATH_LEN], *data;
	assert_false(is_cached_and_right(1, 700, 7));
	assert_int_equal(files(path), 1);
	size_t len = slurp(path, &data);
	for (size_t cut = 0; cut < len; cut += cut < 160 ? 20 : len / 8) {
		spill(path, data, cut);
		assert_false(is_cached_and_right(1, 700, 7));
	}
	for (size_t at = 0; at < len; at += at < 160 ? 5 : len / 16) {
		data[at] ^= 0x20;
		spill(path, data, len);
		assert_false(is_cached_and_right(1, 700, 7));
		data[at] ^= 0x20;
	}
	spill(path, data, len + 1); // a byte too many
	assert_false(is_cached_and_right(1, 700, 7));
	assert_true(is_cached_and_right(1, 700, 7)); // it was written anew
	spill(path, data, len);
	assert_true(is_cached_and_right(1, 700, 7));
	free(data);
}

static void anothers_file_is_not_taken(void **)
{
	char one[PATH_LEN], two[PATH_LEN], *data;
	assert_false(is_cached_and_right(1, 700, 0));
	assert_int_equal(files(one), 1);
	size_t len = slurp(one, &data);
	assert_int_equal(unlink(one), 0);
	assert_false(is_cached_and_right(2, 700, 0));
	assert_int_equal(files(two), 1);
	spill(two, data, len); // sound, but of the other values
	assert_false(is_cached_and_right(2, 700, 0));
	assert_true(is_cached_and_right(2, 700, 0));
	free(data);
}

static void what_is_no_file_is_left_alone(void **)
{
	char path[PATH_LEN], target[PATH_LEN];
	assert_false(is_cached_and_right(1, 700, 0));
	assert_int_equal(files(path), 1);
	snprintf(target, sizeof(target), "%s/target", dir);
	assert_int_equal(rename(path, target), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_false(is_cached_and_right(1, 700, 0));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(is_cached_and_right(1, 700, 0));
	assert_false(is_cached_and_right(1, 700, 0));
}

static void a_folder_that_is_not_there_harms_nothing(void **)
{
	char real[sizeof(dir)];
	memcpy(real, dir, sizeof(dir));
	snprintf(dir, sizeof(dir), "/tmp/weir-cache-none/none");
	assert_false(is_cached_and_right(1, 700, 0));
	assert_false(is_cached_and_right(1, 700, 0));
	memcpy(dir, real, sizeof(dir));
}

static void only_the_newest_few_stay(void **)
{
	char path[PATH_LEN], other[PATH_LEN], fresh[PATH_LEN], stale[PATH_LEN];
	static const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	static const char digits[] = "0123456789abcdef0123456789abcdef";
	snprintf(other, sizeof(other), "%s/list.feed", dir);
	snprintf(fresh, sizeof(fresh), "%s/%s.hsdb.new", dir, digits);
	snprintf(stale, sizeof(stale), "%s/%s.hsdb.old", dir, digits);
	spill(other, "x", 1);
	spill(fresh, "x", 1);
	spill(stale, "x", 1);
	assert_int_equal(utimensat(AT_FDCWD, other, long_ago, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, stale, long_ago, 0), 0);
	for (unsigned network = 1; network <= 7; network++) {
		assert_false(is_cached_and_right(network, 700, 0));
		usleep(10000); // the clock of files is a coarse one
		if (network > 1) {
			assert_true(is_cached_and_right(1, 700, 0)); // used, so that it stays
			usleep(10000);
		}
	}
	assert_int_equal(files(path), 4 + 1);
	assert_int_equal(access(other, F_OK), 0);
	assert_int_equal(access(fresh, F_OK), 0);
	assert_int_equal(access(stale, F_OK), -1);
	assert_true(is_cached_and_right(1, 700, 0));
	assert_true(is_cached_and_right(7, 700, 0));
	assert_false(is_cached_and_right(2, 700, 0));
}

#define IN_A_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(the_same_values_are_compiled_once),
		IN_A_FOLDER(shards_are_kept_together),
		IN_A_FOLDER(damaged_files_are_made_anew),
		IN_A_FOLDER(anothers_file_is_not_taken),
		IN_A_FOLDER(what_is_no_file_is_left_alone),
		IN_A_FOLDER(a_folder_that_is_not_there_harms_nothing),
		IN_A_FOLDER(only_the_newest_few_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
