// SPDX-License-Identifier: Apache-2.0
#include "collector/store/salvage.h"

#include "collector/store/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_STEP ((size_t)64 << 20)

static int copy_file(int from_dir, int to_dir, const char *name)
{
	int ret = 0;
	int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	ssize_t n = 1;
	if (from < 0 || to < 0)
		ret = -errno;
	while (ret == 0 && n > 0) {
		n = sendfile(to, from, NULL, COPY_STEP);
		if (n < 0)
			ret = -errno;
	}
	if (ret == 0 && fsync(to) < 0)
		ret = -errno;
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return ret;
}

static bool is_wal(const char *name)
{
	size_t len = strlen(name);
	return len > 4 && strcmp(name + len - 4, ".log") == 0;
}

static int copy_wals(const char *from_path, const char *to_path)
{
	struct dirent *e;
	int ret = 0;
	DIR *from = opendir(from_path);
	int to = open(to_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!from || to < 0)
		ret = -errno;
	while (ret == 0 && (e = readdir(from))) {
		if (is_wal(e->d_name))
			ret = copy_file(dirfd(from), to, e->d_name);
	}
	if (from)
		closedir(from);
	if (to >= 0)
		close(to);
	return ret;
}

// Copies the WAL to a new folder dir/lost+found/TIME, whose path is written to ret_path.
static int set_aside(const char *dir, const char *db_dir, char ret_path[static PATH_MAX])
{
	char stamp[32], path[PATH_MAX];
	clock_format(clock_now_ns(), "%Y%m%dT%H%M%SZ", stamp, sizeof(stamp));
	snprintf(path, sizeof(path), "%s/lost+found", dir);
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return -errno;
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "%s/lost+found/%s.%d", dir, stamp, i);
		if (mkdir(path, 0750) == 0) {
			memcpy(ret_path, path, sizeof(path));
			return copy_wals(db_dir, path);
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static int explain(int ret, const char *dir, const char *words, char error[static STORE_ERROR_LEN])
{
	if (ret == -EBUSY)
		return store_fail(
			ret,
			error,
			"%s: in use by another weir-collector; a store has one writer",
			dir
		);
	return store_fail(ret, error, "%s: %.300s", dir, words);
}

int salvage_open(
	const char *dir, int64_t cache_len, struct db **ret_db, char error[static STORE_ERROR_LEN]
)
{
	char db_dir[PATH_MAX], aside[PATH_MAX], words[DB_ERROR_LEN] = "", again[DB_ERROR_LEN] = "";
	snprintf(db_dir, sizeof(db_dir), "%s/db", dir);
	int ret = db_open(db_dir, cache_len, DB_WAL_STRICT, ret_db, words);
	if (ret == 0)
		return 0;
	if (ret != -EUCLEAN)
		return explain(ret, dir, words, error);
	ret = set_aside(dir, db_dir, aside);
	if (ret < 0)
		return store_fail(
			ret,
			error,
			"%s: damaged (%.200s), and its journal cannot be copied: %s",
			dir,
			words,
			strerror(-ret)
		);
	ret = db_open(db_dir, cache_len, DB_WAL_SALVAGE, ret_db, again);
	if (ret < 0)
		return explain(ret, dir, again, error);
	(void)store_fail(0, error, "journal damaged (%.120s), kept in %.160s", words, aside);
	return 0;
}
