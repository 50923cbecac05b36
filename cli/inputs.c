// SPDX-License-Identifier: Apache-2.0
#include "cli/inputs.h"

#include <byteswap.h>
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CURRENT "nfcapd.current" // is being written

static int add(struct inputs *in, const char *path, const struct stat *st, bool is_found)
{
	struct input *files = reallocarray(in->files, in->n + 1, sizeof(*files));
	if (!files)
		return -ENOMEM;
	in->files = files;
	files[in->n] = (struct input){
		.path = strdup(path),
		.size = (uint64_t)st->st_size,
		.is_found = is_found,
	};
	if (!files[in->n].path)
		return -ENOMEM;
	in->size += files[in->n++].size;
	return 0;
}

static int by_name(const FTSENT **left, const FTSENT **right)
{
	return strcmp((*left)->fts_name, (*right)->fts_name);
}

static bool is_left_out(const char *name)
{
	return name[0] == '.' || strncmp(name, CURRENT, strlen(CURRENT)) == 0;
}

static int walk(struct inputs *in, char *dir)
{
	char *roots[] = {dir, NULL};
	int ret = 0;
	FTS *fts = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	if (!fts)
		return -errno;
	for (FTSENT *e; ret == 0 && (e = fts_read(fts));) {
		if (e->fts_info == FTS_F && !is_left_out(e->fts_name))
			ret = add(in, e->fts_path, e->fts_statp, true);
		else if (e->fts_info == FTS_D && e->fts_level > 0 && is_left_out(e->fts_name))
			fts_set(fts, e, FTS_SKIP);
		else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR)
			ret = -e->fts_errno;
	}
	fts_close(fts);
	return ret;
}

int inputs_list(char *const *paths, size_t n, struct inputs *ret_inputs, const char **ret_path)
{
	struct inputs in = {};
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		int ret = stat(paths[i], &st) < 0 ? -errno : 0;
		if (ret == 0)
			ret = S_ISDIR(st.st_mode) ? walk(&in, paths[i])
						  : add(&in, paths[i], &st, false);
		if (ret < 0) {
			*ret_path = paths[i];
			inputs_free(&in);
			return ret;
		}
	}
	*ret_inputs = in;
	return 0;
}

void inputs_free(struct inputs *in)
{
	for (size_t i = 0; i < in->n; i++)
		free(in->files[i].path);
	free(in->files);
	*in = (struct inputs){};
}

enum input_kind input_kind_of(int fd)
{
	static const uint32_t captures[] = {0xa1b2c3d4, 0xa1b23c4d, 0x0a0d0d0a};
	uint32_t magic = 0;
	if (pread(fd, &magic, sizeof(magic), 0) != sizeof(magic))
		return INPUT_UNKNOWN;
	for (size_t i = 0; i < sizeof(captures) / sizeof(captures[0]); i++) {
		if (magic == captures[i] || magic == bswap_32(captures[i]))
			return INPUT_CAPTURE;
	}
	uint16_t half = (uint16_t)magic;
	return half == 0xa50c || half == bswap_16(0xa50c) ? INPUT_NFDUMP : INPUT_UNKNOWN;
}
