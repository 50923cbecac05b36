// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hunting: whenever the indicators change, everything stored is searched for what the new ones
// would have matched, newest hours first. A hunt is a document in the store (DOC_HUNT) that tells
// its progress; it goes on where it was after a restart, and may be cancelled. What it finds is
// set, not added, so that hunting twice changes nothing.
// Thread: start, stop: control; changed: feeds; commands: any.

#include "collector/intel/current.h"
#include "collector/store/store.h"
#include "lib/intel/database.h"

#include <jansson.h>

struct hunter;

struct hunter_options {
	struct store *store;
	unsigned thread;     // of the hunter at each database
	unsigned n_matchers; // numbers a database needs for everybody that matches
	const char *dir;     // of the file that says what has been hunted for; made when absent
};

[[nodiscard]] int hunter_start(const struct hunter_options *options, struct hunter **ret_hunter);
void hunter_stop(struct hunter *h);

// The indicators have changed: hunts for what is new in `db` (which gets a reference). Of several
// changes that come while a hunt is under way the last is what is hunted for next.
void hunter_changed(struct hunter *h, struct intel_db *db);

// Commands: the answer, or NULL with the reason in `error`.
json_t *hunter_list(struct hunter *h, char error[static 256]);
// A hunt by hand: for what a feed's text or one value names, alone, in traffic from `since_ns` on;
// it waits its turn, and goes on after a restart. `what`: its name.
json_t *hunter_hunt(
	struct hunter *h,
	const char *content,
	const char *what,
	uint64_t since_ns,
	char error[static 256]
);
// Ends the hunt under way, or one that waits.
json_t *hunter_cancel(struct hunter *h, const char *id, char error[static 256]);
