// SPDX-License-Identifier: Apache-2.0
#include "collector/keeper.h"

#include "collector/ingest/ingest.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct keeper {
	struct ingest *ingest;
	char path[PATH_MAX], fresh[PATH_MAX];
	uint64_t interval_ns;
	uint64_t written; // hash of what was
	uint8_t *room;
	struct log_limit limit;
	pthread_t thread;
	pthread_mutex_t lock; // of stop
	pthread_cond_t wake;
	bool stop;
};

static const struct siphash_key hash_key = {1, 0};

static int write_all(int fd, const uint8_t *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

// The file is the old one or the new one whenever the machine stops.
static int replace(struct keeper *k, size_t len)
{
	int fd = open(k->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	int ret = write_all(fd, k->room, len);
	if (ret == 0 && fsync(fd) < 0)
		ret = -errno;
	if (close(fd) < 0 && ret == 0)
		ret = -errno;
	if (ret == 0 && rename(k->fresh, k->path) < 0)
		ret = -errno;
	if (ret < 0)
		unlink(k->fresh);
	return ret;
}

static void save(struct keeper *k)
{
	struct wbuf w = wbuf_of(k->room, KEPT_LEN_MAX);
	uint64_t suppressed;
	ingest_keep(k->ingest, &w);
	uint64_t hash = siphash(&hash_key, k->room, wbuf_len(&w));
	if (hash == k->written)
		return;
	int ret = replace(k, wbuf_len(&w));
	if (ret == 0)
		k->written = hash;
	else if (log_limit_ok(&k->limit, 1, &suppressed))
		log_errno(ret, "templates cannot be kept in %s", k->path);
}

// Sleeps for the interval; false when it is time to end.
static bool wait_turn(struct keeper *k)
{
	uint64_t at = clock_mono_ns() + k->interval_ns;
	struct timespec until = {
		.tv_sec = (time_t)(at / NS_PER_SEC), .tv_nsec = (long)(at % NS_PER_SEC)};
	pthread_mutex_lock(&k->lock);
	while (!k->stop && pthread_cond_timedwait(&k->wake, &k->lock, &until) == 0)
		;
	bool go_on = !k->stop;
	pthread_mutex_unlock(&k->lock);
	return go_on;
}

static void *keeper_main(void *arg)
{
	struct keeper *k = arg;
	while (wait_turn(k))
		save(k);
	return NULL;
}

static int read_file(const char *path, uint8_t **ret_bytes, size_t *ret_len)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int ret = fstat(fd, &st) < 0 ? -errno : 0;
	if (ret == 0 && (!S_ISREG(st.st_mode) || (size_t)st.st_size > KEPT_LEN_MAX))
		ret = -EINVAL;
	uint8_t *bytes = ret == 0 ? malloc((size_t)st.st_size + 1) : NULL;
	ssize_t n = bytes ? read(fd, bytes, (size_t)st.st_size) : -1;
	close(fd);
	if (n < 0) {
		free(bytes);
		return ret < 0 ? ret : bytes ? -EIO : -ENOMEM;
	}
	*ret_bytes = bytes;
	*ret_len = (size_t)n;
	return 0;
}

void keeper_load(
	const char *store_dir,
	struct kept_table *ret_kept,
	struct ledger *ledger,
	const char **ret_words
)
{
	char path[PATH_MAX];
	uint8_t *bytes = NULL;
	size_t len = 0;
	*ret_kept = (struct kept_table){};
	*ret_words = NULL;
	snprintf(path, sizeof(path), "%s/templates", store_dir);
	int ret = read_file(path, &bytes, &len);
	if (ret == 0)
		ret = kept_init(ret_kept, bytes, len);
	free(bytes);
	ledger_add(ledger, LEDGER_kept_damaged, ret_kept->n_damaged);
	if (ret < 0 && ret != -ENOENT)
		*ret_words = "the file cannot be read; exporters are waited for";
	else if (ret_kept->n_damaged)
		*ret_words = "entries are damaged; their exporters are waited for";
}

int keeper_start(
	const char *store_dir,
	struct ingest *ingest,
	uint64_t interval_ns,
	struct keeper **ret_keeper
)
{
	struct keeper *k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	*k = (struct keeper){.ingest = ingest, .interval_ns = interval_ns};
	snprintf(k->path, sizeof(k->path), "%s/templates", store_dir);
	snprintf(k->fresh, sizeof(k->fresh), "%s/templates.new", store_dir);
	k->room = malloc(KEPT_LEN_MAX);
	if (!k->room) {
		free(k);
		return -ENOMEM;
	}
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->wake, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&k->lock, NULL);
	int ret = -pthread_create(&k->thread, NULL, keeper_main, k);
	if (ret < 0) {
		free(k->room);
		free(k);
		return ret;
	}
	*ret_keeper = k;
	return 0;
}

void keeper_stop(struct keeper *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	save(k);
	pthread_cond_destroy(&k->wake);
	pthread_mutex_destroy(&k->lock);
	free(k->room);
	free(k);
}
