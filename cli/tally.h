// SPDX-License-Identifier: Apache-2.0
#pragma once

// Named counts for a report: how many of what were passed over, and why.
// Thread: any one at a time.

#include <stddef.h>
#include <stdint.h>

#define TALLY_MAX 128

struct tally_entry {
	const char *group, *name; // must outlive the tally
	uint64_t n;
};

struct tally {
	size_t n;
	struct tally_entry entries[TALLY_MAX];
};

// Adds to the count of that name, which appears once it is more than 0.
void tally_add(struct tally *t, const char *group, const char *name, uint64_t n);

// The sum over a group.
uint64_t tally_sum(const struct tally *t, const char *group);
