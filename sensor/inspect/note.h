// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a flow has beside (sensor/flow/extra.h), as bytes: what named it, which indicator it
// matched, and, in the word of a hit, how that indicator is explained.
// Thread: worker (put), exporter (get).

#include "lib/record/record.h"
#include "sensor/flow/extra.h"
#include "sensor/names/result.h"

enum note_text {
	NOTE_VALUE,
	NOTE_FEED,
	NOTE_CATEGORY,
	NOTE_DESCRIPTION,
	NOTE_REFERENCE,
	NOTE_N_TEXTS
};

struct note {
	uint64_t indicator; // 0: none
	uint16_t score;
	uint8_t matched; // enum intel_where
	uint16_t names_len;
	const uint8_t *names; // names_pack()
	// Of the word of a hit only.
	uint8_t type; // enum indicator_type; INDICATOR_NONE: the rest is not there
	uint8_t severity, confidence;
	struct record_str texts[NOTE_N_TEXTS]; // at most RECORD_STR_MAX each
};

// The number of bytes, 0 when they would not fit.
size_t note_put(const struct note *n, uint8_t to[FLOW_EXTRA_MAX]);

// The note's pointers go into p. False: these are no such bytes.
[[nodiscard]] bool note_get(const uint8_t *p, size_t len, struct note *ret_note);
