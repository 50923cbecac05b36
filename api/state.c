// SPDX-License-Identifier: Apache-2.0
#include "api/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(int ret, char error[static STATE_ERROR_LEN], const char *path)
{
	snprintf(error, STATE_ERROR_LEN, "%.380s: %s", path, strerror(-ret));
	return ret;
}

int state_open(const char *dir, char error[static STATE_ERROR_LEN])
{
	struct stat st;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return fail(-errno, error, dir);
	if (stat(dir, &st) < 0)
		return fail(-errno, error, dir);
	if (!S_ISDIR(st.st_mode))
		return fail(-ENOTDIR, error, dir);
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(
			error,
			STATE_ERROR_LEN,
			"%.200s: others may write to it: chmod 0700 %.200s",
			dir,
			dir
		);
		return -EPERM;
	}
	return 0;
}

static int check_mode(const struct stat *st, const char *path, char error[static STATE_ERROR_LEN])
{
	if (!S_ISREG(st->st_mode)) {
		snprintf(error, STATE_ERROR_LEN, "%.380s: not a file", path);
		return -EPERM;
	}
	if (st->st_mode & 077) {
		snprintf(
			error,
			STATE_ERROR_LEN,
			"%.200s: key can be read by others (mode %04o): chmod 0600 %.200s",
			path,
			(unsigned)st->st_mode & 07777,
			path
		);
		return -EPERM;
	}
	return 0;
}

int state_check_key(const char *path, char error[static STATE_ERROR_LEN])
{
	struct stat st;
	if (stat(path, &st) < 0)
		return fail(-errno, error, path);
	return check_mode(&st, path, error);
}

// A reader never sees half a key: it is written aside and linked into place; when another process
// was faster its key stands.
static int secret_make(const char *path, size_t len)
{
	char aside[PATH_MAX];
	unsigned char key[256];
	int ret = 0;

	if (len > sizeof(key) || getrandom(key, len, 0) != (ssize_t)len)
		return -EIO;
	if (snprintf(aside, sizeof(aside), "%s.XXXXXX", path) >= (int)sizeof(aside))
		return -ENAMETOOLONG;
	int fd = mkostemp(aside, O_CLOEXEC); // mode 0600
	if (fd < 0)
		return -errno;
	if (write(fd, key, len) != (ssize_t)len || fsync(fd) < 0)
		ret = -EIO;
	explicit_bzero(key, sizeof(key));
	close(fd);
	if (ret == 0 && link(aside, path) < 0 && errno != EEXIST)
		ret = -errno;
	unlink(aside);
	return ret;
}

int state_secret(
	const char *dir,
	const char *name,
	void *ret_key,
	size_t len,
	char error[static STATE_ERROR_LEN]
)
{
	char path[PATH_MAX];
	struct stat st;
	int ret;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return fail(-ENAMETOOLONG, error, dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		ret = secret_make(path, len);
		if (ret < 0)
			return fail(ret, error, path);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return fail(-errno, error, path);

	ret = fstat(fd, &st) < 0 ? fail(-errno, error, path) : check_mode(&st, path, error);
	if (ret == 0 && (st.st_size != (off_t)len || read(fd, ret_key, len) != (ssize_t)len)) {
		snprintf(error, STATE_ERROR_LEN, "%.380s: not a key of %zu bytes", path, len);
		ret = -EINVAL;
	}
	close(fd);
	return ret;
}
