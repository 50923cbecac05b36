// SPDX-License-Identifier: Apache-2.0
#pragma once

// One hunt on its way over the whole store: every entity, each from the newest hour to the oldest.
// The hits of an hour are stored before its place is told, so that a hunt that goes on elsewhere
// has missed nothing.
// Thread: hunter.

#include "collector/hunt/hunt_doc.h"

// 0, -ECANCELED when *cancel became true, or -errno; progress and counts are in the hunt.
[[nodiscard]] int
journey_run(struct store *s, unsigned thread, struct hunt *x, const _Atomic bool *cancel);
