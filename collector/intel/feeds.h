// SPDX-License-Identifier: Apache-2.0
#pragma once

// The feeds of the collector: one thread looks after all of them, on their schedules. What is good
// replaces the feed's list and is kept as its last good copy; what cannot be fetched or read, or
// has shrunk below the feed's share, is refused and reported, and the last good one stays. When a
// list has changed, a new database is built beside the one in use and swapped in; then whoever
// hunts is told.
// Thread: start, stop: control; the rest any.

#include "collector/intel/current.h"
#include "collector/intel/feed_def.h"
#include "collector/store/store.h"
#include "lib/base/config.h"

struct feeds;

struct feeds_options {
	struct store *store;
	struct intel_current *current;
	const char *dir; // of last good copies and compiled databases; made when absent
	const struct config_map *feeds;	 // of the settings: NAME: [LOCATION, key=value, …]
	const struct config_list *files; // of the command line: files as they are
	const struct prefix *own;
	size_t n_own;
	unsigned n_threads; // that match
	// After each swap, on the feeds' thread; may be NULL.
	void (*on_change)(void *ctx, struct intel_db *db);
	void *ctx;
};

// Last good copies are in use when this returns. 0, or -errno with the reason in `error`.
[[nodiscard]] int feeds_start(
	const struct feeds_options *options,
	struct feeds **ret_feeds,
	char error[static FEED_ERROR_LEN]
);
void feeds_stop(struct feeds *f);

// Commands: the answer, or NULL with the reason in `error`.
json_t *feeds_list(struct feeds *f);
json_t *feeds_add(struct feeds *f, const char *name, const json_t *def, char error[static 256]);
json_t *feeds_remove(struct feeds *f, const char *name, char error[static 256]);
// Looks at a feed (NULL: all) now; `force`: takes it even when it has shrunk.
json_t *feeds_refresh(struct feeds *f, const char *name, bool force, char error[static 256]);

// Single values, kept in the store: the allow-list, and our own indicators.
json_t *feeds_value_add(
	struct feeds *f,
	bool is_allow,
	const char *value,
	const json_t *more,
	char error[static 256]
);
json_t *
feeds_value_remove(struct feeds *f, bool is_allow, const char *value, char error[static 256]);
json_t *feeds_value_list(struct feeds *f, bool is_allow, char error[static 256]);
