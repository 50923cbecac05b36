// SPDX-License-Identifier: Apache-2.0
#include "collector/store/changes.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int changes_open(const char *dir, bool is_writer)
{
	char path[PATH_MAX];
	int flags = is_writer ? O_RDWR | O_CREAT : O_RDONLY;
	if (snprintf(path, sizeof(path), "%s/changes", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	int fd = open(path, flags | O_CLOEXEC, 0640);
	return fd < 0 ? -errno : fd;
}

uint64_t changes_read(int fd)
{
	uint64_t n = 0;
	return fd >= 0 && pread(fd, &n, sizeof(n), 0) == sizeof(n) ? le64toh(n) : 0;
}

bool changes_is_gone(int fd)
{
	struct stat st;
	return fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink == 0;
}

// A write of eight bytes that fails leaves readers to their usual age.
void changes_bump(int fd)
{
	uint64_t n = htole64(changes_read(fd) + 1);
	ssize_t written = pwrite(fd, &n, sizeof(n), 0);
	(void)written;
}
