// SPDX-License-Identifier: Apache-2.0
#pragma once

// The store as the API holds it: opened when it first exists, refreshed before each view, reopened
// when it was lost. Any answer is at most SOURCE_MAX_AGE_NS behind the collector, and not behind it
// at all in what concerns credentials; a store that
// cannot be refreshed gives no view at all, since a view of the past would honour ended tokens.
// Thread: any that may block; a view belongs to the thread that opened it.

#include "collector/store/read.h"

#define SOURCE_MAX_AGE_NS (200 * NS_PER_MSEC)

struct source;

// 0, or -ENOMEM. The store need not exist yet.
[[nodiscard]] int source_create(const char *dir, const char *scratch, struct source **ret_source);
void source_free(struct source *s);

// A fresh view, to be given back with source_release. 0; or -errno with the reason, for the log and
// not for clients, in `error`.
[[nodiscard]] int source_view(
	struct source *s, struct store_view **ret_view, char error[static STORE_READ_ERROR_LEN]
);
void source_release(struct source *s, struct store_view *v);
