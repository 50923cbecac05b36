// SPDX-License-Identifier: Apache-2.0
#include "collector/store/salvage.h"

#include "collector/store/key.h"
#include "collector/store/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_STEP ((size_t)64 << 20)
#define PENDING "opening"

static int copy_file(int from_dir, int to_dir, const char *name)
{
	int ret = 0;
	int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	ssize_t n = 1;
	if (from < 0 || to < 0)
		ret = -errno;
	while (ret == 0 && n > 0) {
		n = sendfile(to, from, NULL, COPY_STEP);
		if (n < 0)
			ret = -errno;
	}
	if (ret == 0 && fsync(to) < 0)
		ret = -errno;
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return ret;
}

// What is linked does not change any more: RocksDB only reads the WALs it finds, and starts
// another.
static int link_or_copy(int from_dir, int to_dir, const char *name)
{
	if (linkat(from_dir, name, to_dir, name, 0) == 0 || errno == EEXIST)
		return 0;
	return copy_file(from_dir, to_dir, name);
}

static bool is_wal(const char *name)
{
	size_t len = strlen(name);
	return len > 4 && strcmp(name + len - 4, ".log") == 0;
}

static int link_wals(DIR *from, int to)
{
	struct dirent *e;
	int ret = 0;
	while (ret == 0 && (e = readdir(from))) {
		if (is_wal(e->d_name))
			ret = link_or_copy(dirfd(from), to, e->d_name);
	}
	return ret;
}

// Links the WALs to dir/lost+found/opening, whose path goes to ret_path. 0, or -errno.
static int set_aside(const char *dir, const char *db_dir, char ret_path[static PATH_MAX])
{
	DIR *from = opendir(db_dir);
	if (!from)
		return errno == ENOENT ? 0 : -errno; // a new store
	snprintf(ret_path, PATH_MAX, "%s/lost+found", dir);
	bool made = mkdir(ret_path, 0750) == 0 || errno == EEXIST;
	snprintf(ret_path, PATH_MAX, "%s/lost+found/" PENDING, dir);
	made = made && (mkdir(ret_path, 0750) == 0 || errno == EEXIST);
	int to = made ? open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int ret = to < 0 ? -errno : link_wals(from, to);
	closedir(from);
	if (to >= 0)
		close(to);
	return ret;
}

void salvage_drop(struct salvage *s)
{
	DIR *d = s->aside[0] ? opendir(s->aside) : NULL;
	struct dirent *e;
	if (!d)
		return;
	while ((e = readdir(d))) {
		if (is_wal(e->d_name))
			unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	// Each stays when there is something else in it.
	rmdir(s->aside);
	*strrchr(s->aside, '/') = 0;
	rmdir(s->aside);
	s->aside[0] = 0;
}

void salvage_keep(struct salvage *s, char error[static STORE_ERROR_LEN])
{
	char stamp[32], path[PATH_MAX];
	size_t len = strlen(s->aside);
	if (len == 0 || rmdir(s->aside) == 0 || errno == ENOENT)
		return; // there was no journal
	clock_format(clock_now_ns(), "%Y%m%dT%H%M%SZ", stamp, sizeof(stamp));
	for (int i = 0; i < 100; i++) {
		int parent_len = (int)(len - strlen(PENDING));
		snprintf(path, sizeof(path), "%.*s%s.%d", parent_len, s->aside, stamp, i);
		if (rename(s->aside, path) == 0) {
			memcpy(s->aside, path, sizeof(path));
			break;
		}
	}
	store_say(error, "the journal as it was is kept in %.200s", s->aside);
	s->aside[0] = 0;
}

static int explain(int ret, const char *dir, const char *words, char error[static STORE_ERROR_LEN])
{
	if (ret == -EBUSY)
		return store_fail(
			ret,
			error,
			"%s: in use by another weir-collector; a store has one writer",
			dir
		);
	return store_fail(ret, error, "%s: %.300s", dir, words);
}

// Opens up to the damage, and once more. The write, if only of nothing, makes the second opening
// leave the damaged WAL behind: it could stay else, and no reader gets past it.
static int open_damaged(
	const char *db_dir, int64_t cache_len, struct db **ret_db, char words[static DB_ERROR_LEN]
)
{
	struct key key = key_name(KEY_META, "salvage");
	struct db_batch *nothing = db_batch_create();
	struct db *db;
	int ret = nothing ? db_open(db_dir, cache_len, DB_WAL_SALVAGE, &db, words) : -ENOMEM;
	if (ret == 0) {
		db_batch_del(nothing, key_slice(&key));
		ret = db_write(db, nothing, true, words);
		db_close(db);
	}
	db_batch_free(nothing);
	return ret < 0 ? ret : db_open(db_dir, cache_len, DB_WAL_STRICT, ret_db, words);
}

int salvage_open(
	const char *dir,
	int64_t cache_len,
	struct db **ret_db,
	struct salvage *ret_salvage,
	char error[static STORE_ERROR_LEN]
)
{
	char db_dir[PATH_MAX], words[DB_ERROR_LEN] = "", again[DB_ERROR_LEN] = "";
	struct salvage *s = ret_salvage;
	*s = (struct salvage){0};
	snprintf(db_dir, sizeof(db_dir), "%s/db", dir);
	int aside = set_aside(dir, db_dir, s->aside);
	int ret = db_open(db_dir, cache_len, DB_WAL_STRICT, ret_db, words);
	if (ret == -EUCLEAN && aside < 0) {
		salvage_drop(s);
		return store_fail(
			ret,
			error,
			"%s: damaged (%.200s), and its journal cannot be kept: %s",
			dir,
			words,
			strerror(-aside)
		);
	}
	if (ret == -EUCLEAN) {
		s->damaged = true;
		ret = open_damaged(db_dir, cache_len, ret_db, again);
	}
	if (ret < 0) {
		salvage_drop(s);
		return explain(ret, dir, again[0] ? again : words, error);
	}
	if (s->damaged)
		store_say(error, "journal damaged (%.120s)", words);
	return 0;
}
