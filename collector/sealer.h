// SPDX-License-Identifier: Apache-2.0
#pragma once

// The thread that seals hours when they are over (collector/store/store.h, store_seal) and removes
// what is no longer kept (collector/store/retention.h), and that reads all that is stored, bit by
// bit, to find damage (collector/store/check.h): at once, then every few seconds, and on request,
// the running hour being sealed then too. Thread: control.

#include "collector/ledger.h"
#include "collector/store/backup.h"
#include "collector/store/retention.h"

struct sealer;

struct sealer_options {
	struct store *store;
	struct ledger *ledger; // counts what was removed
	uint64_t interval_ns;
	struct store_retention retention;
	uint64_t scrub; // bytes a turn that are read to find damage; 0: none
};

[[nodiscard]] int sealer_start(const struct sealer_options *options, struct sealer **ret_sealer);

// Seals every hour with rows in the journal, the running one too, and removes what is no longer
// kept, on the caller's thread (one turn at a time). Rows sealed, or -errno with the reason in
// `error`.
[[nodiscard]] int64_t sealer_seal_all(struct sealer *s, char error[static STORE_ERROR_LEN]);

void sealer_stop(struct sealer *s);
