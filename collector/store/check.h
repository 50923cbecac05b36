// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads everything that is stored and compares each value with its checksum: in one go by who looks
// after a store (weir doctor --store), a bit at a time by the collector, so that damage is found
// before somebody asks for what is damaged.
// Thread: one per struct check.

#include "collector/store/key.h"

#define CHECK_KEY_MAX 320 // longer than any key

struct check {
	// Where the next step goes on, and whether it has been everywhere.
	size_t at_len;
	uint8_t at[CHECK_KEY_MAX];
	bool is_done;

	uint64_t bytes;
	uint64_t blocks, rows; // that can be read, and what they hold
	uint64_t tables;       // and small values
	uint64_t bad_blocks, bad_rows;
	uint64_t bad_tables;
	uint64_t gaps;	    // stretches of keys that cannot be read: nobody knows what was there
	char first_bad[64]; // "" or the first thing that is damaged, in words

	uint32_t streak; // of gaps: how far the next one leaps
};

// Goes on for about so many bytes; UINT64_MAX: to the end. 0, or -ENOMEM. `writable`: of a database
// that is being written.
[[nodiscard]] int check_step(struct check *c, struct db *db, bool writable, uint64_t bytes);
