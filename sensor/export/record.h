// SPDX-License-Identifier: Apache-2.0
#pragma once

// A flow as what leaves: its record when it ended, or the word of a hit while it goes on. Ends are
// put back into the order of the conversation.
// Thread: exporter.

#include "lib/ipfix/encode_hit.h"
#include "sensor/flow/flow.h"
#include "sensor/flow/more.h"
#include "sensor/inspect/note.h"

// Where the texts of a record lie.
struct record_texts {
	struct names_result names;
	char answers[RECORD_STR_MAX];
};

// `note` may be NULL. The record's texts point into `texts`.
void record_of_flow(
	const struct flow *f,
	const struct note *note,
	struct record_texts *texts,
	struct record *ret_record
);

// What a flow has that does not fit its key and counters.
void record_put_more(const struct flow_more *m, struct record *r);

// The word of a hit; its texts point into the note and into `texts`.
void hit_of_flow(
	const struct flow *f,
	const struct note *note,
	struct record_texts *texts,
	struct ipfix_hit *ret_hit
);
