// SPDX-License-Identifier: Apache-2.0
#pragma once

// Intelligence as the collector runs it: the database in use, the gate batches pass, the feeds and
// the hunter, from the settings.
// Thread: control.

#include "collector/config.h"
#include "collector/hunt/hunter.h"
#include "collector/intel/feeds.h"
#include "collector/intel/gate.h"

#define INTEL_SETUP_ERROR_LEN FEED_ERROR_LEN

struct intel_setup {
	struct intel_current *current;
	struct gate *gate;
	struct hunter *hunter;
	struct feeds *feeds;
	struct prefix *own;
	char *dir;
	unsigned n_matchers; // numbers at a database: the gate's, then the hunter's
};

// Everything in use when it returns. 0, or -errno with the reason in `error` (what was started
// before stays for intel_setup_stop).
[[nodiscard]] int intel_setup_start(
	struct intel_setup *s,
	const struct collector_config *config,
	struct store *store,
	struct ledger *ledger,
	char error[static INTEL_SETUP_ERROR_LEN]
);

// Ends what could wait for records to be committed, before the committer ends.
void intel_setup_quiet(struct intel_setup *s);

// The rest, after the committer has ended.
void intel_setup_stop(struct intel_setup *s);
