// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the control socket can do: one handler per command, in one table.
// Thread: control; several at once.

#include "collector/audit.h"
#include "collector/commit.h"
#include "collector/hunt/hunter.h"
#include "collector/intel/feeds.h"
#include "collector/ledger.h"
#include "collector/sealer.h"
#include "collector/store/store.h"
#include "lib/base/config.h"
#include "lib/base/control_server.h"

#include <pthread.h>

struct ingest;

struct commands_context {
	struct store *store;
	struct ledger *ledger;
	struct commit *commit;
	struct sealer *sealer;
	struct intel_current *intel;
	struct feeds *feeds;
	struct hunter *hunter;
	const struct config_map *entities; // configured, beside the built-in ones
	uint64_t started_ns;		   // clock_mono_ns() at start
	struct ingest *ingest;		   // NULL while it does not run
	pthread_mutex_t ingest_lock;	   // of that pointer
	struct audit audit;
	pthread_mutex_t users_lock; // held from looking a user up to storing or removing it
};

// Ended by a NULL name; every handler's ctx is a struct commands_context.
extern const struct control_command commands[];
