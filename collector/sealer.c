// SPDX-License-Identifier: Apache-2.0
#include "collector/sealer.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct sealer {
	struct sealer_options o;
	struct check check; // how far reading has come
	pthread_t thread;
	pthread_mutex_t seal_lock; // one seal at a time
	pthread_mutex_t lock;	   // guards stop
	pthread_cond_t wake;
	bool stop;
};

// Sleeps for the interval; false when it is time to end.
static bool wait_turn(struct sealer *s)
{
	uint64_t at = clock_mono_ns() + s->o.interval_ns;
	struct timespec until = {
		.tv_sec = (time_t)(at / NS_PER_SEC), .tv_nsec = (long)(at % NS_PER_SEC)};
	pthread_mutex_lock(&s->lock);
	while (!s->stop && pthread_cond_timedwait(&s->wake, &s->lock, &until) == 0)
		;
	bool go_on = !s->stop;
	pthread_mutex_unlock(&s->lock);
	return go_on;
}

static int retain(struct sealer *s, char error[static STORE_ERROR_LEN])
{
	struct store_expired gone;
	char until[32];
	int ret = store_retain(s->o.store, &s->o.retention, clock_now_ns(), &gone, error);
	ledger_add(s->o.ledger, LEDGER_expired, gone.rows);
	ledger_add(s->o.ledger, LEDGER_expired_hours, gone.hours);
	if (gone.before_hour) {
		uint64_t ns = store_hour_start(gone.before_hour);
		log_info(
			"retention removed %u hours with %llu records, all before %s",
			gone.hours,
			(unsigned long long)gone.rows,
			clock_format(ns, "%Y-%m-%dT%H:%M:%SZ", until, sizeof(until))
		);
	}
	return ret;
}

// Room first: sealing needs some.
static int64_t seal(struct sealer *s, bool all, char error[static STORE_ERROR_LEN])
{
	char why[STORE_ERROR_LEN] = "";
	pthread_mutex_lock(&s->seal_lock);
	int ret = retain(s, why);
	int64_t rows = store_seal(s->o.store, clock_now_ns(), all, error);
	if (all && ret == 0 && rows > 0) // what was just sealed may be too much
		ret = retain(s, why);
	pthread_mutex_unlock(&s->seal_lock);
	if (rows < 0 || ret == 0)
		return rows;
	memcpy(error, why, sizeof(why));
	return ret;
}

static void scrub(struct sealer *s)
{
	struct check was = s->check;
	if (s->o.scrub == 0 || store_scrub(s->o.store, &s->check, s->o.scrub) < 0)
		return; // without memory: the next turn goes on
	struct check *c = &s->check;
	uint64_t bad = c->bad_blocks + c->bad_tables + c->gaps;
	ledger_add(s->o.ledger, LEDGER_scrub_bytes, c->bytes - was.bytes);
	ledger_add(s->o.ledger, LEDGER_scrub_bad, bad - was.bad_blocks - was.bad_tables - was.gaps);
	ledger_add(s->o.ledger, LEDGER_scrub_bad_rows, c->bad_rows - was.bad_rows);
	if (*c->first_bad && !*was.first_bad)
		log_err("the store is damaged: %s cannot be read; weir doctor --store tells all",
			c->first_bad);
	if (!c->is_done)
		return;
	ledger_add(s->o.ledger, LEDGER_scrub_rounds, 1);
	*c = (struct check){};
}

static void say(int64_t ret, const char *what, const char *why, struct log_limit *limit)
{
	uint64_t suppressed;
	if (ret < 0 && log_limit_ok(limit, 3, &suppressed))
		log_err("%s failed: %s", what, why);
}

// What the limits demand is removed before anything comes in.
static void *sealer_main(void *arg)
{
	struct sealer *s = arg;
	struct log_limit limit = {};
	char error[STORE_ERROR_LEN] = "";
	pthread_mutex_lock(&s->seal_lock);
	say(retain(s, error), "retention", error, &limit);
	pthread_mutex_unlock(&s->seal_lock);
	while (wait_turn(s)) {
		error[0] = 0;
		int64_t rows = seal(s, false, error);
		if (rows > 0)
			log_info("sealed %lld records", (long long)rows);
		say(rows, "sealing", error, &limit);
		scrub(s);
	}
	return NULL;
}

int sealer_start(const struct sealer_options *options, struct sealer **ret_sealer)
{
	struct sealer *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->o = *options;
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
