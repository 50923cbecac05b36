// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where flows go: one collector, or several, each with an exporter, a queue and drops of its own,
// so that one that is away or slow costs the others nothing. To several a thread deals the flows
// out of the workers' rings: to all of them, or each flow to one by its key's hash, always the
// same. Thread: start, stop, hurry: control; counters: any that may block, one at a time.

#include "lib/base/config.h"
#include "sensor/export/exporter.h"

struct targets;

struct targets_options {
	// As for one; its target is not looked at. What waits for a target that is away stays in
	// the sources' rings if it is the only one, else in a ring for each of them.
	struct exporter_options exporter;
	const struct config_list *targets; // at most TARGETS_MAX
	bool one_each;			   // a flow goes to one of them; else to all
	uint32_t ring;			   // flows that may wait for a target, per source
	bool can_wait; // rings that are full hold the sources up (a file is read)
};

// In flows, or copies of them: of what came out of the sources' rings, `copies` each.
struct targets_counters {
	unsigned n;
	unsigned copies; // that are made of a flow
	struct exporter_counters of[TARGETS_MAX];
	uint64_t full[TARGETS_MAX]; // flows that found the target's ring full
};

// 0, or -errno with the target it is about in *ret_which ("": none).
[[nodiscard]] int targets_start(
	const struct targets_options *o, struct targets **ret_targets, const char **ret_which
);

// False when one of them did not answer in wait_ns: its counters stay.
bool targets_counters(struct targets *t, uint64_t wait_ns, struct targets_counters *ret_counters);

// As exporter_hurry and exporter_stop.
void targets_hurry(struct targets *t);
void targets_stop(struct targets *t, struct targets_counters *ret_counters);
