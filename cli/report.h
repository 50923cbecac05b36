// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a command did, in numbers, on standard output: {"sent": 3, …, "skipped": {"why": 1}} as
// JSON, or rows of kind, name and value. Thread: control.

#include "cli/output.h"
#include "cli/tally.h"

#include <stdint.h>

#define REPORT_MAX 24

struct report {
	enum output_format format;
	const struct tally *tally; // its groups become objects; NULL: none
	size_t n;
	struct {
		const char *name;
		uint64_t value;
	} values[REPORT_MAX];
};

void report_add(struct report *r, const char *name, uint64_t value);
void report_print(const struct report *r);
