// SPDX-License-Identifier: Apache-2.0
#include "api/http/stream.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_NS (50 * NS_PER_MSEC) // between looks at whether to stop

struct stream {
	pthread_mutex_t lock;
	pthread_cond_t room;
	unsigned n_owners;
	char *text; // STREAM_CAP bytes, or NULL while nothing waits
	size_t len;
	uint64_t n_taken;
	enum stream_state state;
	bool is_closed, wants_wake;
	void (*wake)(void *ctx);
	void *ctx;
};

struct stream *stream_create(void)
{
	struct stream *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->room, &attr);
	pthread_condattr_destroy(&attr);
	s->n_owners = 2;
	return s;
}

void stream_release(struct stream *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	unsigned left = --s->n_owners;
	pthread_mutex_unlock(&s->lock);
	if (left)
		return;
	pthread_cond_destroy(&s->room);
	pthread_mutex_destroy(&s->lock);
	free(s->text);
	free(s);
}

static void wake(struct stream *s)
{
	if (!s->wants_wake || s->is_closed || !s->wake)
		return;
	s->wants_wake = false;
	s->wake(s->ctx);
}

static int push(struct stream *s, const char *text, size_t len)
{
	if (s->is_closed)
		return -EPIPE;
	if (len > STREAM_CAP - s->len)
		return -ENOBUFS;
	if (!s->text && !(s->text = malloc(STREAM_CAP)))
		return -ENOBUFS;
	memcpy(s->text + s->len, text, len);
	s->len += len;
	wake(s);
	return 0;
}

int stream_push(struct stream *s, const char *text, size_t len)
{
	pthread_mutex_lock(&s->lock);
	int ret = push(s, text, len);
	pthread_mutex_unlock(&s->lock);
	return ret;
}

// Waits a little for the reader to take something.
static void wait(struct stream *s)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)WAIT_NS;
	if (until.tv_nsec >= (long)NS_PER_SEC) {
		until.tv_sec++;
		until.tv_nsec -= (long)NS_PER_SEC;
	}
	pthread_cond_timedwait(&s->room, &s->lock, &until);
}

int stream_write(
	struct stream *s,
	const char *text,
	size_t len,
	uint64_t stall_ns,
	const struct query_stop *stop
)
{
	uint64_t since = clock_mono_ns();
	int ret;
	pthread_mutex_lock(&s->lock);
	uint64_t n_taken = s->n_taken;
	while ((ret = push(s, text, len)) == -ENOBUFS) {
		wait(s);
		if (s->n_taken != n_taken) {
			n_taken = s->n_taken;
			since = clock_mono_ns();
		}
		int stopped = query_stopped(stop);
		if (stopped < 0)
			ret = stopped;
		else if (clock_mono_ns() - since >= stall_ns)
			ret = -ETIMEDOUT;
		if (ret != -ENOBUFS)
			break;
	}
	pthread_mutex_unlock(&s->lock);
	return ret;
}

void stream_end(struct stream *s, bool ok)
{
	pthread_mutex_lock(&s->lock);
	if (s->state == STREAM_OPEN)
		s->state = ok ? STREAM_DONE : STREAM_BROKEN;
	wake(s);
	pthread_mutex_unlock(&s->lock);
}

bool stream_is_closed(struct stream *s)
{
	pthread_mutex_lock(&s->lock);
	bool closed = s->is_closed;
	pthread_mutex_unlock(&s->lock);
	return closed;
}

void stream_watch(struct stream *s, void (*on_wake)(void *ctx), void *ctx)
{
	pthread_mutex_lock(&s->lock);
	s->wake = on_wake;
	s->ctx = ctx;
	pthread_mutex_unlock(&s->lock);
}

enum stream_state stream_take(struct stream *s, char **ret_text, size_t *ret_len)
{
	pthread_mutex_lock(&s->lock);
	*ret_text = s->text;
	*ret_len = s->len;
	s->n_taken += s->len;
	s->text = NULL;
	s->len = 0;
	enum stream_state state = s->state;
	s->wants_wake = !*ret_text && state == STREAM_OPEN;
	pthread_cond_signal(&s->room);
	pthread_mutex_unlock(&s->lock);
	return state;
}

void stream_close(struct stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->is_closed = true;
	pthread_cond_signal(&s->room);
	pthread_mutex_unlock(&s->lock);
}
