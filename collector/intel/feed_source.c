// SPDX-License-Identifier: Apache-2.0
#include "collector/intel/feed_source.h"

#include "lib/base/siphash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 1000 // of a directory

static int fail(int ret, char error[static FEED_ERROR_LEN], const char *path)
{
	snprintf(error, FEED_ERROR_LEN, "%.180s: %s", path, strerror(-ret));
	return ret;
}

static uint64_t hash_file(uint64_t before, const char *name, const struct stat *st)
{
	static const struct siphash_key key = {0x77656972, 0x66656564}; // only tells changes
	struct {
		uint64_t before, size, sec, nsec, inode, name;
	} what = {
		before,
		(uint64_t)st->st_size,
		(uint64_t)st->st_mtim.tv_sec,
		(uint64_t)st->st_mtim.tv_nsec,
		st->st_ino,
		siphash(&key, name, strlen(name)),
	};
	return siphash(&key, &what, sizeof(what));
}

// Appends a file's bytes, at most `max` in all.
static int append_file(int dir, const char *name, size_t max, struct feed_bytes *b)
{
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int ret = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
	if (ret == 0 && !S_ISREG(st.st_mode))
		ret = -EINVAL;
	if (ret == 0 && ((uint64_t)st.st_size > max || max - (size_t)st.st_size < b->len))
		ret = -EFBIG;
	char *data = ret == 0 ? realloc(b->data, b->len + (size_t)st.st_size + 2) : NULL;
	if (ret == 0 && !data)
		ret = -ENOMEM;
	if (data) {
		b->data = data;
		size_t end = b->len + (size_t)st.st_size;
		ssize_t n = 1;
		while (b->len < end && (n = read(fd, data + b->len, end - b->len)) > 0)
			b->len += (size_t)n;
		if (n < 0)
			ret = -errno;
		else if (b->len && data[b->len - 1] != '\n')
			data[b->len++] = '\n'; // the next file begins a line
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

static int is_visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

// Reads (or, without b, only marks) all files of a directory in order of their names.
static int walk(const char *path, size_t max, uint64_t *ret_mark, struct feed_bytes *b)
{
	struct dirent **names;
	uint64_t mark = 1;
	int ret = 0, dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = dir < 0 ? -1 : scandir(path, &names, is_visible, alphasort);
	if (n < 0)
		ret = -errno;
	for (int i = 0; i < n; i++) {
		struct stat st;
		if (ret == 0 && i < FILES_MAX && fstatat(dir, names[i]->d_name, &st, 0) == 0 &&
		    S_ISREG(st.st_mode)) {
			mark = hash_file(mark, names[i]->d_name, &st);
			ret = b ? append_file(dir, names[i]->d_name, max, b) : 0;
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	if (dir >= 0)
		close(dir);
	*ret_mark = mark;
	return ret;
}

static int read_files(
	const struct feed_def *d,
	struct feed_mark *mark,
	struct feed_bytes *b,
	char error[static FEED_ERROR_LEN]
)
{
	struct stat st;
	uint64_t now = 0;
	if (stat(d->location, &st) < 0)
		return fail(-errno, error, d->location);
	bool is_dir = S_ISDIR(st.st_mode);
	int ret = is_dir ? walk(d->location, d->max_len, &now, NULL) : 0;
	if (!is_dir)
		now = hash_file(1, d->location, &st);
	if (ret == 0 && now == mark->files)
		return 0;
	if (ret == 0)
		ret = is_dir ? walk(d->location, d->max_len, &now, b)
			     : append_file(AT_FDCWD, d->location, d->max_len, b);
	if (ret < 0) {
		free(b->data);
		*b = (struct feed_bytes){};
		return fail(ret, error, d->location);
	}
	mark->files = now;
	return 1;
}

int feed_source_read(
	const struct feed_def *d,
	struct feed_mark *mark,
	struct feed_bytes *ret_bytes,
	char error[static FEED_ERROR_LEN]
)
{
	*ret_bytes = (struct feed_bytes){};
	if (!feed_def_is_url(d))
		return read_files(d, mark, ret_bytes, error);
	struct fetch_options o = {
		.url = d->location,
		.tag = mark->tag,
		.ca_file = d->ca_file,
		.max_len = d->max_len,
		.timeout_ns = d->timeout_ns,
		.allow_private = d->allow_private,
	};
	struct fetch_result r;
	int ret = fetch(&o, &r, error);
	if (ret < 0 || !r.is_modified)
		return ret;
	*ret_bytes = (struct feed_bytes){r.data, r.len};
	memcpy(mark->tag, r.tag, sizeof(mark->tag));
	return 1;
}

static int copy_path(const char *dir, const char *name, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s.feed", dir, name);
	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int feed_copy_read(const char *dir, const char *name, struct feed_bytes *ret_bytes)
{
	char path[PATH_MAX];
	struct feed_bytes b = {};
	int ret = copy_path(dir, name, path);
	if (ret == 0)
		ret = append_file(AT_FDCWD, path, SIZE_MAX / 2, &b);
	if (ret < 0)
		free(b.data);
	else
		*ret_bytes = b;
	return ret;
}

// Written aside and renamed: there is always a whole one.
int feed_copy_write(const char *dir, const char *name, const struct feed_bytes *b)
{
	char path[PATH_MAX], aside[PATH_MAX + 8];
	int ret = copy_path(dir, name, path);
	if (ret < 0)
		return ret;
	snprintf(aside, sizeof(aside), "%s.new", path);
	int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	size_t done = 0;
	while (ret == 0 && done < b->len) {
		ssize_t n = write(fd, b->data + done, b->len - done);
		if (n < 0)
			ret = -errno;
		else
			done += (size_t)n;
	}
	if (ret == 0 && fsync(fd) < 0)
		ret = -errno;
	close(fd);
	if (ret == 0 && rename(aside, path) < 0)
		ret = -errno;
	if (ret < 0)
		unlink(aside);
	return ret;
}

void feed_copy_del(const char *dir, const char *name)
{
	char path[PATH_MAX];
	if (copy_path(dir, name, path) == 0)
		unlink(path);
}
