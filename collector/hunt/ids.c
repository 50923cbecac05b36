// SPDX-License-Identifier: Apache-2.0
#include "collector/hunt/ids.h"

#include "collector/store/checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAGIC 0x3153444948544e55ull // "UNTHIDS1"

void ids_free(struct ids *s)
{
	free(s->v);
	*s = (struct ids){};
}

bool ids_has(const struct ids *s, uint64_t id)
{
	size_t low = 0, high = s->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->v[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->n && s->v[low] == id;
}

int ids_of(const struct intel_db *db, struct ids *ret)
{
	size_t n = intel_db_stats(db)->entries;
	struct ids s = {.v = malloc((n + 1) * sizeof(*s.v))};
	if (!s.v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct intel_entry e = intel_db_entry(db, i);
		// of one value the allow-list's comes first, and wins
		if (!e.indicator->is_allow && (s.n == 0 || s.v[s.n - 1] != e.id))
			s.v[s.n++] = e.id;
	}
	*ret = s;
	return 0;
}

int ids_new(const struct ids *now, const struct ids *before, struct ids *ret)
{
	struct ids s = {.v = malloc((now->n + 1) * sizeof(*s.v))};
	size_t k = 0;
	if (!s.v)
		return -ENOMEM;
	for (size_t i = 0; i < now->n; i++) {
		while (k < before->n && before->v[k] < now->v[i])
			k++;
		if (k == before->n || before->v[k] != now->v[i])
			s.v[s.n++] = now->v[i];
	}
	*ret = s;
	return 0;
}

uint64_t ids_hash(const struct ids *s)
{
	return checksum64(s->v, s->n * sizeof(*s->v));
}

struct head {
	uint64_t magic, n, sum;
};

int ids_load(const char *path, struct ids *ret)
{
	struct head h;
	struct stat st;
	struct ids s = {};
	int ret_code = 0, fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && fstat(fd, &st) == 0 && read(fd, &h, sizeof(h)) == sizeof(h) &&
		  h.magic == FILE_MAGIC && h.n <= SIZE_MAX / 16 &&
		  (uint64_t)st.st_size == sizeof(h) + h.n * sizeof(*s.v);
	if (ok) {
		s.n = h.n;
		s.v = malloc((s.n + 1) * sizeof(*s.v));
		ret_code = s.v ? 0 : -ENOMEM;
		ok = s.v && read(fd, s.v, s.n * sizeof(*s.v)) == (ssize_t)(s.n * sizeof(*s.v)) &&
		     ids_hash(&s) == h.sum;
	}
	if (fd >= 0)
		close(fd);
	if (!ok)
		ids_free(&s);
	if (ret_code == 0)
		*ret = s;
	return ret_code;
}

int ids_save(const char *path, const struct ids *s)
{
	char aside[PATH_MAX];
	struct head h = {FILE_MAGIC, s->n, ids_hash(s)};
	size_t len = s->n * sizeof(*s->v);
	if (snprintf(aside, sizeof(aside), "%s.new", path) >= (int)sizeof(aside))
		return -ENAMETOOLONG;
	int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	int ret = write(fd, &h, sizeof(h)) == sizeof(h) && write(fd, s->v, len) == (ssize_t)len &&
				  fsync(fd) == 0
			  ? 0
			  : -EIO;
	close(fd);
	if (ret == 0 && rename(aside, path) < 0)
		ret = -errno;
	if (ret < 0)
		unlink(aside);
	return ret;
}
