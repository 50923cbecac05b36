// SPDX-License-Identifier: Apache-2.0
#include "api/http/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	struct task *head, **tail;
	unsigned n_waiting, cap;
	bool stopping;
	unsigned n_threads;
	pthread_t threads[];
};

static void *pool_main(void *arg)
{
	struct pool *p = arg;
	for (;;) {
		pthread_mutex_lock(&p->lock);
		while (!p->head && !p->stopping)
			pthread_cond_wait(&p->ready, &p->lock);
		struct task *t = p->head;
		if (t) {
			p->head = t->next;
			if (!p->head)
				p->tail = &p->head;
			p->n_waiting--;
		}
		pthread_mutex_unlock(&p->lock);
		if (!t)
			return NULL;
		t->run(t);
	}
}

int pool_start(unsigned n_threads, unsigned cap, struct pool **ret_pool)
{
	struct pool *p = calloc(1, sizeof(*p) + n_threads * sizeof(p->threads[0]));
	if (!p)
		return -ENOMEM;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->ready, NULL);
	p->tail = &p->head;
	p->cap = cap;
	for (; p->n_threads < n_threads; p->n_threads++) {
		int ret = -pthread_create(&p->threads[p->n_threads], NULL, pool_main, p);
		if (ret < 0) {
			pool_stop(p);
			return ret;
		}
	}
	*ret_pool = p;
	return 0;
}

void pool_stop(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->ready);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->ready);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

bool pool_push(struct pool *p, struct task *t)
{
	pthread_mutex_lock(&p->lock);
	bool room = p->n_waiting < p->cap && !p->stopping;
	if (room) {
		t->next = NULL;
		*p->tail = t;
		p->tail = &t->next;
		p->n_waiting++;
		pthread_cond_signal(&p->ready);
	}
	pthread_mutex_unlock(&p->lock);
	return room;
}
