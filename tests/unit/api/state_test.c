// SPDX-License-Identifier: Apache-2.0
#include "api/state.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define KEY_LEN 32

static char dir[64], path[80], error[STATE_ERROR_LEN];

static int set_up(void **)
{
	rows_dir(dir);
	snprintf(path, sizeof(path), "%s/jwt.key", dir);
	strcpy(error, "");
	return 0;
}

static int tear_down(void **)
{
	rows_dir_remove(dir);
	return 0;
}

static mode_t mode_of(const char *file)
{
	struct stat st;
	assert_int_equal(stat(file, &st), 0);
	return st.st_mode & 07777;
}

static void write_key(const char *file, size_t len, mode_t mode)
{
	static const char bytes[300];
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static unsigned n_files(void)
{
	unsigned n = 0;
	DIR *d = opendir(dir);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void a_folder_is_made_for_its_owner_alone(void **)
{
	char made[80];
	snprintf(made, sizeof(made), "%s/api", dir);
	mode_t mask = umask(0);
	assert_int_equal(state_open(made, error), 0);
	umask(mask);
	assert_int_equal(mode_of(made), 0700);
	assert_int_equal(state_open(made, error), 0); // and is there the next time
	assert_string_equal(error, "");
}

static void a_folder_that_others_may_write_to_is_refused(void **)
{
	static const mode_t bad[] = {0770, 0720, 0707, 0702, 0777, 01777};
	static const mode_t good[] = {0700, 0750, 0755};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod(dir, bad[i]), 0);
		assert_int_equal(state_open(dir, error), -EPERM);
		assert_non_null(strstr(error, dir));
		assert_non_null(strstr(error, "chmod 0700")); // what would mend it
		assert_int_equal(mode_of(dir), bad[i]);	      // which is not ours to do
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(chmod(dir, good[i]), 0);
		assert_int_equal(state_open(dir, error), 0);
	}
}

static void what_is_no_folder_is_said_so(void **)
{
	write_key(path, 1, 0600);
	assert_int_equal(state_open(path, error), -ENOTDIR);
	assert_non_null(strstr(error, path));
	assert_int_equal(state_open("/no/such/folder", error), -ENOENT);
	assert_non_null(strstr(error, "/no/such/folder"));
}

static void a_secret_is_made_once_and_stays(void **)
{
	uint8_t first[KEY_LEN] = {}, second[KEY_LEN] = {}, zero[KEY_LEN] = {};
	mode_t mask = umask(0);
	assert_int_equal(state_secret(dir, "jwt.key", first, KEY_LEN, error), 0);
	umask(mask);
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(n_files(), 1); // nothing is left beside it
	assert_memory_not_equal(first, zero, KEY_LEN);
	assert_int_equal(state_secret(dir, "jwt.key", second, KEY_LEN, error), 0);
	assert_memory_equal(first, second, KEY_LEN);
	assert_int_equal(state_secret(dir, "other.key", second, KEY_LEN, error), 0);
	assert_memory_not_equal(first, second, KEY_LEN);
}

// 0 when only the owner may read it; the mode is not mended but refused.
static void a_key_that_others_can_read_is_refused(void **)
{
	uint8_t key[KEY_LEN], before[KEY_LEN];
	memset(key, 0x55, sizeof(key));
	memcpy(before, key, sizeof(key));
	for (mode_t mode = 0400; mode <= 0777; mode++) {
		int want = mode & 077 ? -EPERM : 0;
		write_key(path, KEY_LEN, mode);
		assert_int_equal(state_check_key(path, error), want);
		if (want == 0 || mode % 8 > 4)
			continue;
		assert_int_equal(state_secret(dir, "jwt.key", key, KEY_LEN, error), -EPERM);
		assert_memory_equal(key, before, sizeof(key));
		assert_non_null(strstr(error, path));
		assert_non_null(strstr(error, "chmod 0600"));
		assert_int_equal(mode_of(path), mode);
	}
	write_key(path, KEY_LEN, 0600);
	assert_int_equal(state_secret(dir, "jwt.key", key, KEY_LEN, error), 0);
	write_key(path, KEY_LEN, 0400);
	assert_int_equal(state_secret(dir, "jwt.key", key, KEY_LEN, error), 0);
}

static void a_secret_of_another_length_is_no_secret(void **)
{
	static const size_t lens[] = {0, 1, KEY_LEN - 1, KEY_LEN + 1, 300};
	uint8_t key[KEY_LEN], before[KEY_LEN];
	memset(key, 0x55, sizeof(key));
	memcpy(before, key, sizeof(key));
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		write_key(path, lens[i], 0600);
		assert_int_equal(state_secret(dir, "jwt.key", key, KEY_LEN, error), -EINVAL);
		assert_non_null(strstr(error, "32 bytes"));
		assert_memory_equal(key, before, sizeof(key));
	}
}

static void what_is_no_file_is_no_key(void **)
{
	uint8_t key[KEY_LEN];
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(state_secret(dir, "jwt.key", key, KEY_LEN, error), -EPERM);
	assert_int_equal(state_check_key(path, error), -EPERM);
	assert_non_null(strstr(error, "not a file"));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(state_check_key(path, error), -ENOENT);
	assert_non_null(strstr(error, path));
}

static void a_link_to_nowhere_makes_no_key_there(void **)
{
	uint8_t key[KEY_LEN];
	char target[80];
	snprintf(target, sizeof(target), "%s/target", dir);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(state_secret(dir, "jwt.key", key, KEY_LEN, error), -ENOENT);
	assert_int_equal(access(target, F_OK), -1);
	assert_int_equal(n_files(), 1);
}

// In a container each start may have the same process number, which a name made of it has too.
static void what_a_crash_left_behind_is_in_nobodys_way(void **)
{
	uint8_t key[KEY_LEN];
	char aside[100];
	snprintf(aside, sizeof(aside), "%s.%d", path, (int)getpid());
	write_key(aside, 5, 0600);
	assert_int_equal(state_secret(dir, "jwt.key", key, KEY_LEN, error), 0);
	assert_int_equal(mode_of(path), 0600);
}

static void without_its_folder_there_is_no_secret(void **)
{
	uint8_t key[KEY_LEN];
	char long_dir[5000];
	assert_int_equal(state_secret("/no/such", "jwt.key", key, KEY_LEN, error), -ENOENT);
	assert_non_null(strstr(error, "/no/such/jwt.key"));
	memset(long_dir, 'd', sizeof(long_dir));
	long_dir[sizeof(long_dir) - 1] = '\0';
	assert_int_equal(state_secret(long_dir, "jwt.key", key, KEY_LEN, error), -ENAMETOOLONG);
	assert_int_not_equal(state_open(long_dir, error), 0);
}

// All that start at once get one key.
static void processes_that_start_at_once_agree(void **)
{
	enum { N = 8 };
	uint8_t keys[N][KEY_LEN];
	int fds[2], status;
	assert_int_equal(pipe(fds), 0);
	for (int i = 0; i < N; i++) {
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			int ret = state_secret(dir, "jwt.key", keys[0], KEY_LEN, error);
			_exit(ret == 0 && write(fds[1], keys[0], KEY_LEN) == KEY_LEN ? 0 : 1);
		}
	}
	for (int i = 0; i < N; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	for (int i = 0; i < N; i++) {
		assert_int_equal(read(fds[0], keys[i], KEY_LEN), KEY_LEN);
		assert_memory_equal(keys[i], keys[0], KEY_LEN);
	}
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(n_files(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_folder_is_made_for_its_owner_alone),
		TEST(a_folder_that_others_may_write_to_is_refused),
		TEST(what_is_no_folder_is_said_so),
		TEST(a_secret_is_made_once_and_stays),
		TEST(a_key_that_others_can_read_is_refused),
		TEST(a_secret_of_another_length_is_no_secret),
		TEST(what_is_no_file_is_no_key),
		TEST(a_link_to_nowhere_makes_no_key_there),
		TEST(what_a_crash_left_behind_is_in_nobodys_way),
		TEST(without_its_folder_there_is_no_secret),
		TEST(processes_that_start_at_once_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
