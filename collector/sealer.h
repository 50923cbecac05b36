// SPDX-License-Identifier: Apache-2.0
#pragma once

// The thread that seals hours when they are over (collector/store/store.h, store_seal), looking
// every few seconds, and on request the running hour too.
// Thread: control.

#include "collector/store/store.h"

struct sealer;

[[nodiscard]] int
sealer_start(struct store *store, uint64_t interval_ns, struct sealer **ret_sealer);

// Seals every hour with rows in the journal, the running one too, on the caller's thread (one seal
// at a time). Rows sealed, or -errno with the reason in `error`.
[[nodiscard]] int64_t sealer_seal_all(struct sealer *s, char error[static STORE_ERROR_LEN]);

void sealer_stop(struct sealer *s);
