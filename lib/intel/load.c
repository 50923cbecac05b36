// SPDX-License-Identifier: Apache-2.0
#include "lib/intel/load.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void intel_name_of_path(const char *path, char name[static INTEL_FEED_NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/');
	size_t n = 0;
	for (const char *p = slash ? slash + 1 : path; *p && n < INTEL_FEED_NAME_MAX; p++)
		name[n++] = strchr("abcdefghijklmnopqrstuvwxyz0123456789_-.", *p) ? *p : '_';
	name[n] = '\0';
	if (*name == '.')
		*name = '_';
}

static int read_file(const char *path, char **ret_data, size_t *ret_len)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int ret = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
	if (ret == 0 && !S_ISREG(st.st_mode))
		ret = -EINVAL;
	if (ret == 0 && (uint64_t)st.st_size > INTEL_FILE_MAX)
		ret = -EFBIG;
	char *data = ret == 0 ? malloc((size_t)st.st_size + 1) : NULL;
	size_t len = 0;
	if (ret == 0 && !data)
		ret = -ENOMEM;
	while (ret == 0 && len < (size_t)st.st_size) {
		ssize_t n = read(fd, data + len, (size_t)st.st_size - len);
		if (n <= 0) { // shorter than it was: somebody writes it
			ret = n < 0 ? -errno : -EAGAIN;
			break;
		}
		len += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	if (ret < 0) {
		free(data);
		return ret;
	}
	*ret_data = data;
	*ret_len = len;
	return 0;
}

static int load_list(
	const char *path,
	struct intel_list **ret_list,
	struct feed_report *ret_report,
	char error[static INTEL_ERROR_LEN]
)
{
	char name[INTEL_FEED_NAME_MAX + 1], *data = NULL;
	struct feed_options o = {.name = name};
	size_t len = 0;
	intel_name_of_path(path, name);
	int ret = read_file(path, &data, &len);
	if (ret < 0) {
		snprintf(error, INTEL_ERROR_LEN, "%.200s: %s", path, strerror(-ret));
		return ret;
	}
	ret = feed_parse(&o, data, len, clock_now_ns(), ret_list, ret_report);
	free(data);
	if (ret == -EINVAL && ret_report->format)
		snprintf(
			error,
			INTEL_ERROR_LEN,
			"%.120s: not one line can be used; line %u: %s",
			path,
			ret_report->rejects[0].line,
			ret_report->n_rejects ? ret_report->rejects[0].why : "nothing to match"
		);
	else if (ret == -EINVAL)
		snprintf(error, INTEL_ERROR_LEN, "%.200s: not a format known", path);
	else if (ret < 0)
		snprintf(error, INTEL_ERROR_LEN, "%.200s: %s", path, strerror(-ret));
	return ret;
}

int intel_load_files(
	const char *const *paths,
	size_t n,
	const struct intel_options *options,
	intel_load_report report,
	void *ctx,
	struct intel_db **ret_db,
	char error[static INTEL_ERROR_LEN]
)
{
	struct intel_list **lists = calloc(n + 1, sizeof(*lists));
	int ret = 0;
	size_t got = 0;
	if (!lists) {
		snprintf(error, INTEL_ERROR_LEN, "out of memory");
		return -ENOMEM;
	}
	for (; got < n; got++) {
		struct feed_report r = {};
		ret = load_list(paths[got], &lists[got], &r, error);
		if (ret < 0)
			break;
		if (report)
			report(ctx, paths[got], &r);
	}
	if (ret == 0)
		ret = intel_db_create(lists, n, options, ret_db, error);
	while (got > 0)
		intel_list_put(lists[--got]);
	free(lists);
	return ret;
}
