// SPDX-License-Identifier: Apache-2.0
#include "api/http/quota.h"

#include "collector/store/model.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define USERS_MAX 256 // at a time: as many as there can be workers

struct user {
	char api_id[STORE_API_ID_LEN + 1];
	unsigned n;
};

struct quota {
	pthread_mutex_t lock;
	unsigned max_each;
	struct user users[USERS_MAX];
};

struct quota *quota_create(unsigned max_each)
{
	struct quota *q = calloc(1, sizeof(*q));
	if (!q)
		return NULL;
	pthread_mutex_init(&q->lock, NULL);
	q->max_each = max_each;
	return q;
}

void quota_free(struct quota *q)
{
	if (!q)
		return;
	pthread_mutex_destroy(&q->lock);
	free(q);
}

// The user's entry, else a free one, else NULL.
static struct user *find(struct quota *q, const char *api_id)
{
	struct user *free_one = NULL;
	for (int i = 0; i < USERS_MAX; i++) {
		struct user *u = &q->users[i];
		if (u->n && strcmp(u->api_id, api_id) == 0)
			return u;
		if (!u->n && !free_one)
			free_one = u;
	}
	return free_one;
}

int quota_begin(struct quota *q, const char *api_id)
{
	pthread_mutex_lock(&q->lock);
	struct user *u = find(q, api_id);
	int ret = u && u->n < q->max_each ? 0 : -EDQUOT;
	if (ret == 0) {
		if (!u->n++)
			strncpy(u->api_id, api_id, sizeof(u->api_id) - 1);
	}
	pthread_mutex_unlock(&q->lock);
	return ret;
}

void quota_end(struct quota *q, const char *api_id)
{
	pthread_mutex_lock(&q->lock);
	struct user *u = find(q, api_id);
	if (u && u->n)
		u->n--;
	pthread_mutex_unlock(&q->lock);
}
