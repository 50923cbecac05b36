// SPDX-License-Identifier: Apache-2.0
#pragma once

// Live streams: one thread looks at the store once a second and writes to each stream what is new
// for it. A stream ends with its token or its user, and is cut when its reader does not keep up.
// Thread: start and stop control; the rest any.

#include <stdint.h>

struct app;
struct live;

struct live_counts {
	uint64_t open, opened, refused, cut;
};

[[nodiscard]] int live_start(struct app *app, struct live **ret_live);

// Ends all streams and the thread; new ones are refused from then on.
void live_stop(struct live *l);
void live_free(struct live *l);

// All 0 when `l` is NULL.
struct live_counts live_counts(struct live *l);
