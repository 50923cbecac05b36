// SPDX-License-Identifier: Apache-2.0
#pragma once

// Settings to what ingest wants: addresses to listen on, prefixes, entities. Owns the arrays that
// the options point to.
// Thread: control.

#include "collector/config.h"
#include "collector/ingest/ingest.h"

struct ingest_setup {
	struct ingest_options options;
	struct endpoint listen[INGEST_LISTEN_MAX];
	struct ingest_entity *entities;
	struct prefix *allow, *trust, *sensors;
};

#define INGEST_SETUP_ERROR_LEN 256

// 0, or -EINVAL with the words in `error`. Entities get their numbers from the store.
[[nodiscard]] int ingest_setup_init(
	struct ingest_setup *setup,
	const struct collector_config *config,
	struct store *store,
	char error[static INGEST_SETUP_ERROR_LEN]
);
void ingest_setup_fini(struct ingest_setup *setup);
