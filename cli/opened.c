// SPDX-License-Identifier: Apache-2.0
#include "cli/opened.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct opened {
	char scratch[PATH_MAX];
	struct store_reader *reader;
	struct store_view *view;
	uint16_t entity;
};

static int remove_entry(const char *path, const struct stat *, int, struct FTW *)
{
	return remove(path);
}

static int make_scratch(struct opened *o, char error[static OPENED_ERROR_LEN])
{
	const char *tmp = getenv("TMPDIR");
	snprintf(o->scratch, sizeof(o->scratch), "%s/weir-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (mkdtemp(o->scratch))
		return 0;
	int ret = -errno;
	snprintf(error, OPENED_ERROR_LEN, "%.200s: %s", o->scratch, strerror(-ret));
	o->scratch[0] = '\0';
	return ret;
}

static int open_view(
	struct opened *o, const char *dir, const char *entity, char error[static OPENED_ERROR_LEN]
)
{
	int ret = make_scratch(o, error);
	if (ret == 0)
		ret = store_reader_open(dir, o->scratch, &o->reader, error);
	if (ret < 0)
		return ret;
	o->view = store_view_open(o->reader);
	if (!o->view) {
		snprintf(error, OPENED_ERROR_LEN, "%.200s: %s", dir, strerror(ENOMEM));
		return -ENOMEM;
	}
	ret = store_view_entity(o->view, entity);
	if (ret < 0)
		snprintf(error, OPENED_ERROR_LEN, "%.200s: no entity %.64s", dir, entity);
	else
		o->entity = (uint16_t)ret;
	return ret < 0 ? ret : 0;
}

int opened_open(
	const char *dir,
	const char *entity,
	struct opened **ret_opened,
	char error[static OPENED_ERROR_LEN]
)
{
	struct opened *o = calloc(1, sizeof(*o));
	if (!o) {
		snprintf(error, OPENED_ERROR_LEN, "out of memory");
		return -ENOMEM;
	}
	int ret = open_view(o, dir, entity, error);
	if (ret < 0) {
		opened_close(o);
		return ret;
	}
	*ret_opened = o;
	return 0;
}

void opened_close(struct opened *o)
{
	if (!o)
		return;
	store_view_close(o->view);
	store_reader_close(o->reader);
	if (*o->scratch)
		nftw(o->scratch, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(o);
}

struct store_view *opened_view(const struct opened *o)
{
	return o->view;
}

uint16_t opened_entity(const struct opened *o)
{
	return o->entity;
}
