// SPDX-License-Identifier: Apache-2.0
#pragma once

// How far a long command has come: one line on standard error, when that is a terminal and the work
// has taken more than a second; else nothing.
// Thread: the one that works.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_LINE_LEN 256

struct progress {
	const char *verb; // "importing"
	const char *unit; // of the items: "flows"
	uint64_t total;	  // of what progress_update is told as done; 0: not known
	uint64_t begin_ns, drawn_ns;
	bool is_terminal;
	bool is_drawn;
};

void progress_begin(struct progress *p, const char *verb, const char *unit, uint64_t total);

// `done` of the total, `items` so far. Cheap: call it for every few thousand items.
void progress_update(struct progress *p, uint64_t done, uint64_t items);

// Wipes the line.
void progress_end(struct progress *p);

struct progress_state {
	uint64_t elapsed_ns, done, items;
};

// The line for a terminal of so many columns; returns `line`.
const char *progress_format(
	const struct progress *p,
	const struct progress_state *at,
	unsigned columns,
	char line[static PROGRESS_LINE_LEN]
);

// "950", "1.2 k", "34.5 M": a count for people; returns `text`.
const char *progress_count(uint64_t n, char text[static 16]);

// From now on Ctrl-C and SIGTERM do not end the process but make progress_stopped() true, so that
// nothing half done is left behind.
void progress_catch(void);
bool progress_stopped(void);
