// SPDX-License-Identifier: Apache-2.0
#include "collector/sealer.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct sealer {
	struct store *store;
	uint64_t interval_ns;
	pthread_t thread;
	pthread_mutex_t seal_lock; // one seal at a time
	pthread_mutex_t lock;	   // guards stop
	pthread_cond_t wake;
	bool stop;
};

// Sleeps for the interval; false when it is time to end.
static bool wait_turn(struct sealer *s)
{
	uint64_t at = clock_mono_ns() + s->interval_ns;
	struct timespec until = {
		.tv_sec = (time_t)(at / NS_PER_SEC), .tv_nsec = (long)(at % NS_PER_SEC)};
	pthread_mutex_lock(&s->lock);
	while (!s->stop && pthread_cond_timedwait(&s->wake, &s->lock, &until) == 0)
		;
	bool go_on = !s->stop;
	pthread_mutex_unlock(&s->lock);
	return go_on;
}

static int64_t seal(struct sealer *s, bool all, char error[static STORE_ERROR_LEN])
{
	pthread_mutex_lock(&s->seal_lock);
	int64_t rows = store_seal(s->store, clock_now_ns(), all, error);
	pthread_mutex_unlock(&s->seal_lock);
	return rows;
}

static void *sealer_main(void *arg)
{
	struct sealer *s = arg;
	struct log_limit limit = {};
	uint64_t suppressed;
	while (wait_turn(s)) {
		char error[STORE_ERROR_LEN] = "";
		int64_t rows = seal(s, false, error);
		if (rows > 0)
			log_info("sealed %lld records", (long long)rows);
		else if (rows < 0 && log_limit_ok(&limit, 3, &suppressed))
			log_err("sealing failed: %s", error);
	}
	return NULL;
}

int sealer_start(struct store *store, uint64_t interval_ns, struct sealer **ret_sealer)
{
	struct sealer *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->store = store;
	s->interval_ns = interval_ns;
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->seal_lock, NULL);
	int ret = pthread_create(&s->thread, NULL, sealer_main, s);
	if (ret != 0) {
		free(s);
		return -ret;
	}
	*ret_sealer = s;
	return 0;
}

int64_t sealer_seal_all(struct sealer *s, char error[static STORE_ERROR_LEN])
{
	return seal(s, true, error);
}

void sealer_stop(struct sealer *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->seal_lock);
	free(s);
}
