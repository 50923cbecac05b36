// SPDX-License-Identifier: Apache-2.0
#pragma once

// Worker threads behind a bounded queue. A task is embedded in what its owner made; pushing gives
// it away until run() is called. Thread: pool_push from any.

#include <stdbool.h>

struct task {
	void (*run)(struct task *t);
	struct task *next; // the pool's
};

struct pool;

// `cap` tasks may wait. 0, or -errno.
[[nodiscard]] int pool_start(unsigned n_threads, unsigned cap, struct pool **ret_pool);

// Runs what still waits, then ends the threads.
void pool_stop(struct pool *p);

// False when the queue is full: the task stays the caller's.
[[nodiscard]] bool pool_push(struct pool *p, struct task *t);
