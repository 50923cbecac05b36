// SPDX-License-Identifier: Apache-2.0
#include "api/query/source.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_NS (500 * NS_PER_MSEC)

struct source {
	char *dir, *scratch;
	// Held for reading as long as a view is out; for writing while the reader is replaced.
	pthread_rwlock_t lock;
	struct store_reader *reader; // NULL: none yet, or lost
	uint64_t tried_ns;
	int why; // of the last failure
	char error[STORE_READ_ERROR_LEN];
};

int source_create(const char *dir, const char *scratch, struct source **ret_source)
{
	struct source *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->dir = strdup(dir);
	s->scratch = strdup(scratch);
	if (!s->dir || !s->scratch) {
		free(s->dir);
		free(s->scratch);
		free(s);
		return -ENOMEM;
	}
	pthread_rwlock_init(&s->lock, NULL);
	s->why = -ENOENT;
	*ret_source = s;
	return 0;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	if (s->reader)
		store_reader_close(s->reader);
	pthread_rwlock_destroy(&s->lock);
	free(s->dir);
	free(s->scratch);
	free(s);
}

// Opens the reader unless that was just tried. `lost` is the reader that failed its caller, if any:
// another thread may have replaced it already.
static void reopen(struct source *s, const struct store_reader *lost)
{
	pthread_rwlock_wrlock(&s->lock);
	uint64_t now = clock_mono_ns();
	if (s->reader == lost && (s->tried_ns == 0 || now - s->tried_ns >= RETRY_NS)) {
		if (s->reader)
			store_reader_close(s->reader);
		s->reader = NULL;
		s->tried_ns = now;
		s->error[0] = '\0';
		s->why = store_reader_open(s->dir, s->scratch, &s->reader, s->error);
	}
	pthread_rwlock_unlock(&s->lock);
}

// Leaves the lock held for reading on success.
static int try_view(struct source *s, struct store_view **ret_view, struct store_reader **ret_used)
{
	int ret;
	pthread_rwlock_rdlock(&s->lock);
	*ret_used = s->reader;
	if (s->reader) {
		ret = store_reader_refresh(s->reader, SOURCE_MAX_AGE_NS);
		if (ret == 0 && !(*ret_view = store_view_open(s->reader)))
			ret = -ENOMEM;
		if (ret == 0)
			return 0;
	} else {
		ret = s->why < 0 ? s->why : -ENOENT;
	}
	pthread_rwlock_unlock(&s->lock);
	return ret;
}

int source_view(
	struct source *s, struct store_view **ret_view, char error[static STORE_READ_ERROR_LEN]
)
{
	struct store_reader *used = NULL;
	int ret = try_view(s, ret_view, &used);
	if (ret < 0) {
		reopen(s, used);
		ret = try_view(s, ret_view, &used);
	}
	if (ret < 0) {
		pthread_rwlock_rdlock(&s->lock);
		snprintf(error, STORE_READ_ERROR_LEN, "%s", *s->error ? s->error : strerror(-ret));
		pthread_rwlock_unlock(&s->lock);
	}
	return ret;
}

void source_release(struct source *s, struct store_view *v)
{
	store_view_close(v);
	pthread_rwlock_unlock(&s->lock);
}
