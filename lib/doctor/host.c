// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/host.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int path_format(char path[static PATH_MAX], const char *root, const char *fmt, va_list ap)
{
	int n = snprintf(path, PATH_MAX, "%s", root);
	if (n < 0 || n >= PATH_MAX)
		return -ENAMETOOLONG;
	int m = vsnprintf(path + n, PATH_MAX - (size_t)n, fmt, ap);
	return m < 0 || m >= PATH_MAX - n ? -ENAMETOOLONG : 0;
}

static int read_path(const char *path, char *ret_text, size_t len)
{
	ret_text[0] = '\0';
	FILE *f = fopen(path, "re");
	if (!f)
		return -errno;
	errno = 0;
	size_t n = fread(ret_text, 1, len - 1, f);
	int ret = ferror(f) ? (errno ? -errno : -EIO) : 0; // EINVAL: carrier of a link that is down
	fclose(f);
	if (ret < 0)
		n = 0;
	if (n > 0 && ret_text[n - 1] == '\n')
		n--;
	ret_text[n] = '\0';
	return ret;
}

int host_read(const char *root, char *ret_text, size_t len, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	va_start(ap, fmt);
	int ret = path_format(path, root, fmt, ap);
	va_end(ap);
	ret_text[0] = '\0';
	return ret < 0 ? ret : read_path(path, ret_text, len);
}

int host_number(const char *root, int64_t *ret_number, const char *fmt, ...)
{
	char path[PATH_MAX], text[64], *end;
	va_list ap;
	va_start(ap, fmt);
	int ret = path_format(path, root, fmt, ap);
	va_end(ap);
	if (ret == 0)
		ret = read_path(path, text, sizeof(text));
	if (ret < 0)
		return ret;
	errno = 0;
	long long n = strtoll(text, &end, 0);
	if (end == text || errno)
		return -EINVAL;
	*ret_number = n;
	return 0;
}

int host_cpus(const char *root, struct cpulist *ret_list, const char *fmt, ...)
{
	char path[PATH_MAX], text[HOST_TEXT_LEN];
	va_list ap;
	va_start(ap, fmt);
	int ret = path_format(path, root, fmt, ap);
	va_end(ap);
	ret_list->n = 0;
	if (ret == 0)
		ret = read_path(path, text, sizeof(text));
	return ret < 0 ? ret : cpulist_parse(text, ret_list);
}

static int read_link(const char *path, char *ret_target, size_t len)
{
	ssize_t n = readlink(path, ret_target, len);
	int ret = n < 0 ? -errno : (size_t)n == len ? -ENAMETOOLONG : 0;
	ret_target[ret < 0 ? 0 : n] = '\0';
	return ret;
}

int host_target(const char *root, char *ret_target, size_t len, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	va_start(ap, fmt);
	int ret = path_format(path, root, fmt, ap);
	va_end(ap);
	ret_target[0] = '\0';
	return ret < 0 ? ret : read_link(path, ret_target, len);
}

int host_link(const char *root, char *ret_name, size_t len, const char *fmt, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	va_list ap;
	va_start(ap, fmt);
	int ret = path_format(path, root, fmt, ap);
	va_end(ap);
	ret_name[0] = '\0';
	if (ret == 0)
		ret = read_link(path, target, sizeof(target));
	if (ret < 0)
		return ret;
	const char *slash = strrchr(target, '/'), *name = slash ? slash + 1 : target;
	if (strlen(name) >= len)
		return -ENAMETOOLONG;
	strcpy(ret_name, name);
	return 0;
}

bool host_exists(const char *root, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	va_start(ap, fmt);
	int ret = path_format(path, root, fmt, ap);
	va_end(ap);
	return ret == 0 && access(path, F_OK) == 0;
}

DIR *host_opendir(const char *root, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	va_start(ap, fmt);
	int ret = path_format(path, root, fmt, ap);
	va_end(ap);
	return ret == 0 ? opendir(path) : NULL;
}

FILE *host_fopen(const char *root, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	va_start(ap, fmt);
	int ret = path_format(path, root, fmt, ap);
	va_end(ap);
	return ret == 0 ? fopen(path, "re") : NULL;
}

struct dirent *host_readdir(DIR *dir)
{
	struct dirent *entry = NULL;
	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			break;
	return entry;
}

void host_field(const char *text, const char *name, char *ret_value, size_t len)
{
	size_t n = strlen(name);
	ret_value[0] = '\0';
	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, name, n) != 0)
			continue;
		const char *value = text + n + strspn(text + n, " \t");
		if (*value != ':')
			continue;
		value += 1 + strspn(value + 1, " \t");
		snprintf(ret_value, len, "%.*s", (int)strcspn(value, "\n"), value);
		return;
	}
}
