// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of struct feeds, for the files that share it.
// Thread: everything under the lock, but for what the feeds' thread alone uses.

#include "collector/intel/feed_source.h"
#include "collector/intel/feeds.h"

#include <pthread.h>

#define FEEDS_MAX 256

struct feed {
	struct feed_def def;
	struct feed_mark mark; // of the last good copy
	struct intel_list *list;
	struct feed_report report; // of the last good copy
	uint64_t tried_ns, ok_ns;  // wall clock; 0: never
	uint64_t due_ns;	   // monotonic
	uint64_t n_refused;
	bool is_asked;		    // to be looked at now
	bool is_forced;		    // the next look takes it whatever its size
	char error[FEED_ERROR_LEN]; // of the last look; "": it was good
};

struct feeds {
	struct feeds_options options;
	char *dir;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct feed *feeds[FEEDS_MAX];
	unsigned n_feeds;
	struct intel_list *allow, *local; // single values
	bool values_changed;
	bool stop;
	uint64_t builds;
	uint64_t built_ns; // wall clock, of the database in use
	char build_error[INTEL_ERROR_LEN];
};

// Under the lock: the feed, or NULL.
struct feed *feed_find(struct feeds *f, const char *name);

// What is known of a feed, for clients and for the store.
json_t *feed_status_json(const struct feed *feed);

// Reads the stored single values into fresh lists. 0, or -errno.
[[nodiscard]] int feed_values_load(struct feeds *f);
