// SPDX-License-Identifier: Apache-2.0
#include "collector/intel/current.h"

#include <pthread.h>
#include <stdlib.h>

struct intel_current {
	pthread_mutex_t lock;
	struct intel_db *db;
};

struct intel_current *intel_current_create(void)
{
	struct intel_current *c = calloc(1, sizeof(*c));
	if (c)
		pthread_mutex_init(&c->lock, NULL);
	return c;
}

void intel_current_free(struct intel_current *c)
{
	if (!c)
		return;
	intel_db_put(c->db);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

struct intel_db *intel_current_get(struct intel_current *c)
{
	pthread_mutex_lock(&c->lock);
	struct intel_db *db = c->db ? intel_db_get(c->db) : NULL;
	pthread_mutex_unlock(&c->lock);
	return db;
}

void intel_current_set(struct intel_current *c, struct intel_db *db)
{
	pthread_mutex_lock(&c->lock);
	struct intel_db *old = c->db;
	c->db = db;
	pthread_mutex_unlock(&c->lock);
	intel_db_put(old);
}
