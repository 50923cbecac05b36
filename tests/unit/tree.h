// SPDX-License-Identifier: Apache-2.0
#pragma once

// A false machine: a folder under /tmp with the files of /sys and /proc that a test wants. The
// tests of the doctor read it in the place of the real one.

#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree {
	char root[64];
};

static inline void tree_init(struct tree *t)
{
	strcpy(t->root, "/tmp/weir-tree-XXXXXX");
	assert_non_null(mkdtemp(t->root));
}

static inline int tree_remove(const char *path, const struct stat *, int, struct FTW *)
{
	return remove(path);
}

static inline void tree_fini(struct tree *t)
{
	assert_int_equal(nftw(t->root, tree_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

// The whole path of one in the tree, with all folders above it made.
static inline void tree_path(const struct tree *t, const char *path, char full[static PATH_MAX])
{
	snprintf(full, PATH_MAX, "%s%s", t->root, path);
	for (char *p = full + strlen(t->root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
		*p = '/';
	}
}

static inline void tree_file(const struct tree *t, const char *path, const char *text)
{
	char full[PATH_MAX];
	tree_path(t, path, full);
	FILE *f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void tree_dir(const struct tree *t, const char *path)
{
	char full[PATH_MAX];
	tree_path(t, path, full);
	assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
}

static inline void tree_link(const struct tree *t, const char *path, const char *target)
{
	char full[PATH_MAX];
	tree_path(t, path, full);
	(void)unlink(full);
	assert_int_equal(symlink(target, full), 0);
}

static inline void tree_del(const struct tree *t, const char *path)
{
	char full[PATH_MAX];
	tree_path(t, path, full);
	assert_int_equal(nftw(full, tree_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

// A pool of 2 MiB hugepages, of the machine (node -1) or of one node.
static inline void
tree_hugepages(const struct tree *t, int node, unsigned kib, unsigned total, unsigned n_free)
{
	char dir[128], path[192], text[32];
	if (node < 0)
		snprintf(dir, sizeof(dir), "/sys/kernel/mm/hugepages/hugepages-%ukB", kib);
	else
		snprintf(
			dir,
			sizeof(dir),
			"/sys/devices/system/node/node%d/hugepages/hugepages-%ukB",
			node,
			kib
		);
	snprintf(path, sizeof(path), "%s/nr_hugepages", dir);
	snprintf(text, sizeof(text), "%u\n", total);
	tree_file(t, path, text);
	snprintf(path, sizeof(path), "%s/free_hugepages", dir);
	snprintf(text, sizeof(text), "%u\n", n_free);
	tree_file(t, path, text);
}
