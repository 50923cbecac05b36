// SPDX-License-Identifier: Apache-2.0
#pragma once

// One live stream, from inside: what it wants and how far it has come. Part of live.c; apart from
// it only for size.
// Thread: the worker that makes it, then the live thread's.

#include "api/http/app.h"
#include "api/query/cell.h"
#include "api/query/filter.h"

enum live_event {
	LIVE_KPI = 1,
	LIVE_HITS = 2,
	LIVE_FLOWS = 4,
};

struct live_sub {
	struct live_sub *next;
	struct stream *stream;
	struct auth_claims claims;
	char entity[STORE_NAME_MAX + 1];
	unsigned events; // enum live_event
	uint16_t min_score;
	struct filter *filter;
	struct cell_columns columns;
	uint64_t flow_at;	// number of the next journal block to tell of
	uint64_t part, part_at; // a block told of in part, and the row to go on at (0: none)
	uint64_t hit_at;	// number of the last hit that was told of
	uint64_t said_ns;	// clock_mono_ns of the last words
};

void live_sub_free(struct live_sub *s);

// What arrived of an entity since the look before, the same for all its streams.
struct live_pulse {
	bool is_used, is_fresh; // fresh: of this look
	uint16_t entity;
	uint64_t at; // number of the next journal block
	uint64_t now_ns, took_ns;
	uint64_t flows, packets, bytes, denied;
};

// Brings the pulse up to the view. 0, or -errno.
[[nodiscard]] int live_pulse_take(struct live_pulse *p, struct store_view *v, uint64_t now_ns);

// Writes what is new for the stream to `out`; `pulse` NULL: the entity holds nothing yet. 0, or
// -errno.
[[nodiscard]] int
live_sub_tell(struct live_sub *s, struct store_view *v, const struct live_pulse *pulse, FILE *out);
