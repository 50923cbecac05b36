// SPDX-License-Identifier: Apache-2.0
#include "collector/store/read.h"

#include "collector/store/changes.h"
#include "collector/store/view.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_TRIES 10
#define OPEN_PAUSE_USEC 20000

struct store_reader {
	struct db *db;
	// Held to catch up and to open a view: the two iterators of a view see one state.
	pthread_mutex_t state;
	uint64_t caught_up_ns; // on the monotonic clock
	int changes_fd;
	uint64_t changes; // as of the last catch-up
	uint64_t n_caught_up;
};

// The writer may replace files while they are being opened; that is over at the next try.
static int
open_patiently(const char *dir, const char *scratch, struct db **ret_db, char words[DB_ERROR_LEN])
{
	int ret = -EIO;
	for (int i = 0; i < OPEN_TRIES; i++) {
		ret = db_open_secondary(dir, scratch, ret_db, words);
		if (ret == 0 || ret == -EACCES || ret == -ENOMEM)
			break;
		usleep(OPEN_PAUSE_USEC);
	}
	return ret == -ENOENT ? -EIO : ret;
}

int store_reader_open(
	const char *dir,
	const char *scratch,
	struct store_reader **ret_reader,
	char error[static STORE_READ_ERROR_LEN]
)
{
	char path[PATH_MAX], words[DB_ERROR_LEN] = "";
	snprintf(path, sizeof(path), "%s/db/CURRENT", dir);
	if (access(path, R_OK) < 0) {
		int ret = -errno;
		snprintf(
			error,
			STORE_READ_ERROR_LEN,
			"%.200s: no store here: %s",
			dir,
			strerror(-ret)
		);
		return ret;
	}
	if (mkdir(scratch, 0750) < 0 && errno != EEXIST) {
		int ret = -errno;
		snprintf(error, STORE_READ_ERROR_LEN, "%.200s: %s", scratch, strerror(-ret));
		return ret;
	}
	struct store_reader *r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/db", dir);
	int ret = open_patiently(path, scratch, &r->db, words);
	if (ret < 0) {
		snprintf(error, STORE_READ_ERROR_LEN, "%.100s: %s", dir, words);
		free(r);
		return ret;
	}
	pthread_mutex_init(&r->state, NULL);
	r->changes_fd = changes_open(dir, false);
	r->caught_up_ns = clock_mono_ns();
	*ret_reader = r;
	return 0;
}

void store_reader_close(struct store_reader *r)
{
	if (!r)
		return;
	db_close(r->db);
	if (r->changes_fd >= 0)
		close(r->changes_fd);
	pthread_mutex_destroy(&r->state);
	free(r);
}

int store_reader_refresh(struct store_reader *r, uint64_t max_age_ns)
{
	char words[DB_ERROR_LEN];
	int ret = 0;
	pthread_mutex_lock(&r->state);
	uint64_t now_ns = clock_mono_ns();
	uint64_t changes = changes_read(r->changes_fd);
	if (changes_is_gone(r->changes_fd)) // RocksDB itself would go on with what it has open
		ret = -ESTALE;
	else if (now_ns - r->caught_up_ns >= max_age_ns || changes != r->changes) {
		ret = db_catch_up(r->db, words);
		r->n_caught_up++; // or did in part
		if (ret == 0) {
			r->caught_up_ns = now_ns;
			r->changes = changes;
		}
	}
	pthread_mutex_unlock(&r->state);
	return ret;
}

// With the lock held.
static struct store_view *open_view(struct store_reader *r)
{
	struct store_view *v = view_open(r->db, false);
	if (v) {
		v->reader = r;
		v->n_caught_up = r->n_caught_up;
	}
	return v;
}

struct store_view *store_view_open(struct store_reader *r)
{
	pthread_mutex_lock(&r->state);
	struct store_view *v = open_view(r);
	pthread_mutex_unlock(&r->state);
	return v;
}

struct store_view *store_view_twin(const struct store_view *v)
{
	struct store_reader *r = v->reader;
	struct store_view *twin = NULL;
	if (!r)
		return NULL;
	pthread_mutex_lock(&r->state);
	if (r->n_caught_up == v->n_caught_up)
		twin = open_view(r);
	pthread_mutex_unlock(&r->state);
	return twin;
}
