// SPDX-License-Identifier: Apache-2.0
#include "collector/store/backup.h"

#include "collector/store/rescue.h"
#include "collector/store/witness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_LEN 65536

static int copy_bytes(int from, int to)
{
	char bytes[COPY_LEN];
	ssize_t n;
	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)n) != n)
			return errno ? -errno : -EIO;
	if (n < 0)
		return -errno;
	return fsync(to) < 0 ? -errno : 0;
}

// A file of one folder to another; one that is not there is no fault.
static int copy_file(const char *from_dir, const char *to_dir, const char *name)
{
	char from[PATH_MAX], to[PATH_MAX];
	snprintf(from, sizeof(from), "%s/%s", from_dir, name);
	snprintf(to, sizeof(to), "%s/%s", to_dir, name);
	int in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return errno == ENOENT ? 0 : -errno;
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	int ret = out < 0 ? -errno : copy_bytes(in, out);
	close(in);
	if (out >= 0 && close(out) < 0 && ret == 0)
		ret = -errno;
	return ret;
}

// What was acknowledged is not copied: it would be ahead of the database's copy, or behind.
int store_backup(struct store *s, const char *dir, char error[static STORE_ERROR_LEN])
{
	char path[PATH_MAX], words[DB_ERROR_LEN];
	if (mkdir(dir, 0750) < 0)
		return store_fail(-errno, error, "%.300s: %s", dir, strerror(errno));
	snprintf(path, sizeof(path), "%s/db", dir);
	int ret = db_checkpoint(s->db, path, words);
	if (ret < 0) {
		rmdir(dir); // RocksDB has cleared away what it had made
		return store_fail(ret, error, "backup: %s", words);
	}
	ret = copy_file(s->dir, dir, "templates");
	return ret < 0 ? store_fail(ret, error, "%.300s/templates: %s", dir, strerror(-ret)) : 0;
}

// The files of a folder that are picked, to another that is made; there are none below it that
// matter.
static int copy_files(const char *from, const char *to, bool (*is_picked)(const struct dirent *e))
{
	if (mkdir(to, 0750) < 0)
		return -errno;
	DIR *d = opendir(from);
	struct dirent *e;
	int ret = d ? 0 : -errno;
	while (d && ret == 0 && (e = readdir(d)))
		if (is_picked(e))
			ret = copy_file(from, to, e->d_name);
	if (d)
		closedir(d);
	return ret;
}

static bool is_file(const struct dirent *e)
{
	return e->d_type == DT_REG;
}

// The list of files, and which of its versions counts.
static bool is_list(const struct dirent *e)
{
	return strncmp(e->d_name, "MANIFEST-", 9) == 0 || strcmp(e->d_name, "CURRENT") == 0;
}

// The database gets its name when it is whole.
int store_restore(const char *backup, const char *dir, char error[static STORE_ERROR_LEN])
{
	char from[PATH_MAX], part[PATH_MAX], to[PATH_MAX];
	snprintf(from, sizeof(from), "%s/db", backup);
	snprintf(part, sizeof(part), "%s/db.part", dir);
	snprintf(to, sizeof(to), "%s/db", dir);
	if (access(from, R_OK) < 0)
		return store_fail(-errno, error, "%.300s: %s", from, strerror(errno));
	if (mkdir(dir, 0750) < 0 && errno != EEXIST)
		return store_fail(-errno, error, "%.300s: %s", dir, strerror(errno));
	if (access(to, F_OK) == 0)
		return store_fail(-EEXIST, error, "%.300s: there is a store already", dir);
	int ret = copy_files(from, part, is_file);
	if (ret == 0)
		ret = copy_file(backup, dir, "templates");
	if (ret == 0 && rename(part, to) < 0)
		ret = -errno;
	return ret < 0 ? store_fail(ret, error, "%.300s: %s", dir, strerror(-ret)) : 0;
}

int store_scrub(struct store *s, struct check *c, uint64_t bytes)
{
	return check_step(c, s->db, true, bytes);
}

// Not for a process that has the store open: closing the file gives its own lock up.
static bool is_locked(const char *dir)
{
	char path[PATH_MAX];
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	snprintf(path, sizeof(path), "%s/db/LOCK", dir);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool locked = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	close(fd);
	return locked;
}

// RocksDB keeps its log there.
static void remove_scratch(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(path);
}

static int check_all(struct db *db, struct store_condition *c)
{
	struct commit_mark mark, gone = {0};
	int ret = check_step(&c->check, db, false, UINT64_MAX);
	// A mark that is damaged is among what was found.
	if (ret == 0 && witness_mark_load(db, "commit", &mark) == 0 &&
	    witness_mark_load(db, "gone", &gone) == 0)
		c->rows_expected = mark.rows - gone.rows;
	return ret;
}

int store_condition(
	const char *dir, struct store_condition *ret_condition, char error[static STORE_ERROR_LEN]
)
{
	char path[PATH_MAX], scratch[] = "/tmp/weir-check-XXXXXX", words[DB_ERROR_LEN] = "";
	struct store_condition c = {.is_open = is_locked(dir)};
	struct db *db;
	snprintf(path, sizeof(path), "%s/db", dir);
	if (!mkdtemp(scratch))
		return store_fail(-errno, error, "/tmp: %s", strerror(errno));
	int ret = db_open_secondary(path, scratch, &db, words);
	if (ret == 0) {
		ret = check_all(db, &c);
		db_close(db);
	}
	remove_scratch(scratch);
	if (ret < 0)
		return store_fail(
			ret, error, "%.200s: %.250s", dir, *words ? words : strerror(-ret)
		);
	*ret_condition = c;
	return 0;
}

static void stamp_path(const char *dir, const char *ending, char ret_path[static PATH_MAX])
{
	char stamp[32];
	clock_format(clock_now_ns(), "%Y%m%dT%H%M%SZ", stamp, sizeof(stamp));
	snprintf(ret_path, PATH_MAX, "%.*s/lost+found/%s.%s", PATH_MAX - 64, dir, stamp, ending);
}

static int put_aside(const char *dir)
{
	char from[PATH_MAX], to[PATH_MAX];
	snprintf(from, sizeof(from), "%s/db", dir);
	snprintf(to, sizeof(to), "%s/lost+found", dir);
	if (mkdir(to, 0750) < 0 && errno != EEXIST)
		return -errno;
	stamp_path(dir, "list", to);
	return copy_files(from, to, is_list);
}

// Puts what can be read in the place of a database of which something cannot.
static int replace_damaged(const char *dir, struct db *db, char error[static STORE_ERROR_LEN])
{
	char path[PATH_MAX], part[PATH_MAX], aside[PATH_MAX], words[DB_ERROR_LEN] = "";
	struct rescue rescued;
	snprintf(path, sizeof(path), "%s/db", dir);
	snprintf(part, sizeof(part), "%s/db.rescued", dir);
	stamp_path(dir, "db", aside);
	int ret = rescue_copy(db, part, &rescued, words);
	if (ret == 0 && (rename(path, aside) < 0 || rename(part, path) < 0))
		ret = -errno;
	if (ret < 0)
		return store_fail(
			ret, error, "%.200s: %.250s", part, *words ? words : strerror(-ret)
		);
	return 0;
}

// Whether there is something that cannot be read; then it is replaced.
static int mend(const char *dir, char error[static STORE_ERROR_LEN])
{
	char path[PATH_MAX], scratch[] = "/tmp/weir-check-XXXXXX", words[DB_ERROR_LEN];
	struct check check = {};
	struct db *db;
	snprintf(path, sizeof(path), "%s/db", dir);
	if (!mkdtemp(scratch))
		return store_fail(-errno, error, "/tmp: %s", strerror(errno));
	int ret = db_open_secondary(path, scratch, &db, words);
	if (ret < 0) {
		remove_scratch(scratch);
		return store_fail(ret, error, "%.200s: %.250s", dir, words);
	}
	ret = check_step(&check, db, false, UINT64_MAX);
	if (ret == 0 && check.bad_blocks + check.bad_tables + check.gaps)
		ret = replace_damaged(dir, db, error);
	db_close(db);
	remove_scratch(scratch);
	return ret;
}

int store_repair(const char *dir, char error[static STORE_ERROR_LEN])
{
	char path[PATH_MAX], words[DB_ERROR_LEN];
	struct store_options options = {.dir = dir};
	struct store *s;
	if (is_locked(dir))
		return store_fail(-EBUSY, error, "%.300s: a collector has it open", dir);
	int ret = put_aside(dir);
	if (ret < 0)
		return store_fail(ret, error, "%.300s/lost+found: %s", dir, strerror(-ret));
	snprintf(path, sizeof(path), "%s/db", dir);
	ret = mend(dir, error);
	if (ret == -EUCLEAN) {
		ret = db_repair(path, words);
		if (ret < 0)
			return store_fail(ret, error, "%.200s: %.250s", dir, words);
		ret = mend(dir, error);
	}
	if (ret < 0)
		return ret;
	ret = store_open(&options, &s, error);
	if (ret == 0)
		store_close(s);
	return ret;
}
