// SPDX-License-Identifier: Apache-2.0
#include "cli/slots.h"

#include "lib/base/clock.h"
#include "lib/nfdump/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS_MAX 60 // in an hour: a minute is the shortest

struct slot {
	int fd;
	struct nfdump_writer *writer; // NULL: no flow has come
};

struct slots {
	struct slots_options o;
	uint64_t hour_ns; // start of the hour whose files are open
	uint64_t n_files;
	struct slot slots[SLOTS_MAX];
};

static int fail(char error[static SLOTS_ERROR_LEN], const char *path, int ret)
{
	snprintf(error, SLOTS_ERROR_LEN, "%.400s: %s", path, strerror(-ret));
	return ret;
}

int slots_open(
	const struct slots_options *options,
	struct slots **ret_slots,
	char error[static SLOTS_ERROR_LEN]
)
{
	if (mkdir(options->dir, 0750) < 0 && errno != EEXIST)
		return fail(error, options->dir, -errno);
	struct slots *s = calloc(1, sizeof(*s));
	if (!s)
		return fail(error, options->dir, -ENOMEM);
	s->o = *options;
	*ret_slots = s;
	return 0;
}

// The slot's file, or what it is called until it is whole.
static void path_of(const struct slots *s, size_t i, bool is_whole, char path[static PATH_MAX])
{
	char name[32];
	clock_format(s->hour_ns + i * s->o.slot_ns, "nfcapd.%Y%m%d%H%M", name, sizeof(name));
	const char *form = is_whole ? "%s/%s" : "%s/.%s.part";
	snprintf(path, PATH_MAX, form, s->o.dir, name);
}

static int open_slot(struct slots *s, size_t i, char error[static SLOTS_ERROR_LEN])
{
	char path[PATH_MAX];
	path_of(s, i, true, path);
	if (access(path, F_OK) == 0)
		return fail(error, path, -EEXIST);
	path_of(s, i, false, path);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return fail(error, path, -errno);
	int ret = nfdump_writer_open(fd, s->o.codec, s->o.ident, &s->slots[i].writer);
	if (ret < 0) {
		close(fd);
		unlink(path);
		return fail(error, path, ret);
	}
	s->slots[i].fd = fd;
	return 0;
}

// Completes the file and gives it its name, which nobody else must have taken meanwhile.
static int close_slot(struct slots *s, size_t i, char error[static SLOTS_ERROR_LEN])
{
	char part[PATH_MAX], path[PATH_MAX];
	struct slot *slot = &s->slots[i];
	if (!slot->writer)
		return 0;
	path_of(s, i, false, part);
	path_of(s, i, true, path);
	int ret = nfdump_writer_close(slot->writer);
	slot->writer = NULL;
	if (ret == 0 && fsync(slot->fd) < 0)
		ret = -errno;
	close(slot->fd);
	if (ret == 0 && link(part, path) < 0)
		ret = -errno;
	unlink(part);
	if (ret < 0)
		return fail(error, path, ret);
	s->n_files++;
	return 0;
}

static int close_hour(struct slots *s, char error[static SLOTS_ERROR_LEN])
{
	int ret = 0;
	for (size_t i = 0; ret == 0 && i < SLOTS_MAX; i++)
		ret = close_slot(s, i, error);
	return ret;
}

int slots_add(struct slots *s, const struct record *r, char error[static SLOTS_ERROR_LEN])
{
	uint64_t hour_ns = r->start_ns / NS_PER_HOUR * NS_PER_HOUR;
	if (hour_ns != s->hour_ns) {
		int ret = close_hour(s, error);
		if (ret < 0)
			return ret;
		s->hour_ns = hour_ns;
	}
	size_t i = (r->start_ns - hour_ns) / s->o.slot_ns;
	int ret = s->slots[i].writer ? 0 : open_slot(s, i, error);
	if (ret < 0)
		return ret;
	ret = nfdump_writer_add(s->slots[i].writer, r);
	return ret < 0 ? fail(error, s->o.dir, ret) : 0;
}

int slots_close(struct slots *s, uint64_t *ret_files, char error[static SLOTS_ERROR_LEN])
{
	int ret = close_hour(s, error);
	*ret_files = s->n_files;
	slots_abandon(s);
	return ret;
}

void slots_abandon(struct slots *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		char path[PATH_MAX];
		if (!s->slots[i].writer)
			continue;
		nfdump_writer_abandon(s->slots[i].writer);
		close(s->slots[i].fd);
		path_of(s, i, false, path);
		unlink(path);
	}
	free(s);
}
