// SPDX-License-Identifier: Apache-2.0
#pragma once

// The threat intelligence of the sensor: files of indicators, compiled to the database that all
// workers match with. A reload compiles beside the one in use and swaps it; the old one goes once
// every worker has begun another turn (RCU by quiescent states), so that none waits and none ever
// sees half of one. When anything is wrong with the files the old one stays.
// The files are read again when they change.
// Thread: create, free, reload: control; the rest: workers.

#include "lib/base/config.h"
#include "lib/intel/database.h"

#include <rte_rcu_qsbr.h>

#include <stdatomic.h>

struct sensor_intel {
	_Atomic(struct intel_db *) db;
	struct rte_rcu_qsbr *qsbr;
	struct sensor_intel_loader *loader;
};

struct sensor_intel_options {
	const struct config_list *files;
	const struct config_list *own; // networks that are never a hit
	const char *cache_dir;	       // "": none
	unsigned n_workers;
};

// Loads the files. 0, or -errno, logged: -EINVAL for what a file or setting says.
[[nodiscard]] int
sensor_intel_create(const struct sensor_intel_options *o, struct sensor_intel **ret_intel);
void sensor_intel_free(struct sensor_intel *i); // the workers have ended; NULL is fine

// Loads the files again, beside everything else; logged.
void sensor_intel_reload(struct sensor_intel *i);

// The database until the worker's next sensor_intel_pass().
static inline const struct intel_db *sensor_intel_get(struct sensor_intel *i)
{
	return atomic_load_explicit(&i->db, memory_order_acquire);
}

// The worker holds no database now.
static inline void sensor_intel_pass(struct sensor_intel *i, unsigned worker)
{
	rte_rcu_qsbr_quiescent(i->qsbr, worker);
}

// A worker's first and last words.
static inline void sensor_intel_enter(struct sensor_intel *i, unsigned worker)
{
	rte_rcu_qsbr_thread_online(i->qsbr, worker);
}

static inline void sensor_intel_leave(struct sensor_intel *i, unsigned worker)
{
	rte_rcu_qsbr_thread_offline(i->qsbr, worker);
}
