// SPDX-License-Identifier: Apache-2.0
#pragma once

// The trail of changes: who changed what, when and from where. Entries are documents of the store,
// named by their time; they are only ever added, and the oldest beyond AUDIT_MAX removed.
// Thread: control; several at once.

#include "collector/store/store.h"

#include <jansson.h>

#include <pthread.h>

#define AUDIT_MAX 100000
#define AUDIT_LIST_DEFAULT 200

struct audit {
	struct store *store;
	pthread_mutex_t lock;
	uint64_t last_ns; // the last entry's name
	uint64_t n_added; // by this process
};

// Takes who asks for a change out of the arguments ("by": {"user": …, "address": …}, which the
// API and the command add): the caller's, may be NULL.
json_t *audit_take_by(json_t *args);

// Adds that `what` was done. What could be a secret among the arguments is left out. 0, or -errno.
[[nodiscard]] int
audit_add(struct audit *a, const char *what, const json_t *args, const json_t *by);

// The newest entries, newest first; NULL when they cannot be read.
json_t *audit_list(struct audit *a, size_t limit);
