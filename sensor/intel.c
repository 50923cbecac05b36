// SPDX-License-Identifier: Apache-2.0
#include "sensor/intel.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/prefixes.h"
#include "lib/intel/load.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LOOK_SEC 5 // how often the files are looked at

struct sensor_intel_loader {
	struct sensor_intel_options options;
	struct prefix *own;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool is_asked, stop;
	uint64_t mark; // of the files when they were last read
};

// What the files look like, to tell whether they have changed.
static uint64_t mark_of(const struct sensor_intel_loader *l)
{
	uint64_t mark = 0;
	for (size_t n = 0; n < l->options.files->n; n++) {
		struct stat st;
		if (stat(l->options.files->items[n], &st) < 0)
			continue;
		uint64_t parts[] = {
			(uint64_t)st.st_mtim.tv_sec,
			(uint64_t)st.st_mtim.tv_nsec,
			(uint64_t)st.st_size,
			st.st_ino,
		};
		for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++)
			mark = (mark ^ parts[k]) * 0x9e3779b97f4a7c15 + n;
	}
	return mark;
}

static void report(void *, const char *path, const struct feed_report *r)
{
	if (r->rejected)
		log_warn(
			"%s: %" PRIu64 " of %" PRIu64 " lines are no indicators; line %u: %s",
			path,
			r->rejected,
			r->lines,
			r->rejects[0].line,
			r->rejects[0].why
		);
}

static struct intel_db *load(struct sensor_intel_loader *l, int *ret_error)
{
	struct intel_options o = {
		.own = l->own,
		.n_own = l->options.own->n,
		.n_threads = l->options.n_workers,
		.cache_dir = *l->options.cache_dir ? l->options.cache_dir : NULL,
	};
	char error[INTEL_ERROR_LEN];
	struct intel_db *db = NULL;
	l->mark = mark_of(l);
	int ret = intel_load_files(
		(const char *const *)l->options.files->items,
		l->options.files->n,
		&o,
		report,
		NULL,
		&db,
		error
	);
	*ret_error = ret;
	if (ret < 0) {
		log_err("intelligence: %s", error);
		return NULL;
	}
	const struct intel_stats *st = intel_db_stats(db);
	log_info(
		"intelligence: %zu indicators of %zu files, %s in %" PRIu64 " ms",
		st->values,
		l->options.files->n,
		st->is_cached ? "loaded" : "compiled",
		(uint64_t)(st->compile_ns / NS_PER_MSEC)
	);
	return db;
}

// Waits until no worker can still have what was replaced. They may be slow where they wait for the
// exporter: this thread sleeps meanwhile.
static void wait_for_workers(struct sensor_intel *i)
{
	const struct timespec pause = {.tv_nsec = NS_PER_MSEC};
	uint64_t token = rte_rcu_qsbr_start(i->qsbr);
	while (rte_rcu_qsbr_check(i->qsbr, token, false) == 0)
		nanosleep(&pause, NULL);
}

// Waits for a reload to be asked for, or for the files to change. Holds the lock.
static void wait_for_change(struct sensor_intel_loader *l)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LOOK_SEC;
	(void)pthread_cond_timedwait(&l->wake, &l->lock, &until);
	l->is_asked |= mark_of(l) != l->mark;
}

static void *run(void *arg)
{
	struct sensor_intel *i = arg;
	struct sensor_intel_loader *l = i->loader;
	int ret;
	pthread_mutex_lock(&l->lock);
	while (!l->stop) {
		if (!l->is_asked) {
			wait_for_change(l);
			continue;
		}
		l->is_asked = false;
		pthread_mutex_unlock(&l->lock);
		struct intel_db *db = load(l, &ret);
		if (db) {
			db = atomic_exchange_explicit(&i->db, db, memory_order_acq_rel);
			wait_for_workers(i);
			intel_db_put(db);
		} else {
			log_warn("intelligence: what was loaded before stays in use");
		}
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

static int make_qsbr(struct sensor_intel *i, unsigned n_workers)
{
	size_t size = rte_rcu_qsbr_get_memsize(n_workers);
	i->qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE));
	if (!i->qsbr)
		return -ENOMEM;
	int ret = rte_rcu_qsbr_init(i->qsbr, n_workers);
	for (unsigned w = 0; ret == 0 && w < n_workers; w++)
		ret = rte_rcu_qsbr_thread_register(i->qsbr, w);
	return ret == 0 ? 0 : -EINVAL;
}

int sensor_intel_create(const struct sensor_intel_options *o, struct sensor_intel **ret_intel)
{
	struct sensor_intel *i = calloc(1, sizeof(*i));
	struct sensor_intel_loader *l = calloc(1, sizeof(*l));
	struct intel_db *db = NULL;
	if (!i || !l) {
		free(i);
		free(l);
		return log_errno(-ENOMEM, "intelligence");
	}
	i->loader = l;
	l->options = *o;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->wake, NULL);
	l->own = prefixes_of(o->own);
	int ret = l->own ? 0 : -ENOMEM;
	if (ret == 0)
		ret = make_qsbr(i, o->n_workers);
	if (ret == 0)
		db = load(l, &ret);
	atomic_store(&i->db, db);
	if (ret == 0) {
		ret = -pthread_create(&l->thread, NULL, run, i);
		l->has_thread = ret == 0;
	}
	if (ret < 0) {
		sensor_intel_free(i);
		return ret;
	}
	*ret_intel = i;
	return 0;
}

void sensor_intel_reload(struct sensor_intel *i)
{
	pthread_mutex_lock(&i->loader->lock);
	i->loader->is_asked = true;
	pthread_cond_signal(&i->loader->wake);
	pthread_mutex_unlock(&i->loader->lock);
}

void sensor_intel_free(struct sensor_intel *i)
{
	if (!i)
		return;
	struct sensor_intel_loader *l = i->loader;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
	if (l->has_thread)
		pthread_join(l->thread, NULL);
	intel_db_put(atomic_load(&i->db));
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->wake);
	free(i->qsbr);
	free(l->own);
	free(l);
	free(i);
}
