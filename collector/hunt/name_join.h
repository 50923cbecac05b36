// SPDX-License-Identifier: Apache-2.0
#pragma once

// New indicators of names beside the names of an hour: both sorted backwards, so that a name and
// those below it are one run, and a walk over the shorter side finds what they have in common.
// Thread: hunter.

#include "collector/hunt/ids.h"
#include "collector/store/name_table.h"

struct sought_name {
	size_t off;  // in the text: backwards, with a dot behind it
	uint8_t len; // without that dot
	bool is_exact;
};

struct name_quarry {
	struct sought_name *items; // rising
	char *text;
	size_t n;
};

// Of the names among the indicators whose id is in `ids`. 0, or -ENOMEM.
[[nodiscard]] int
name_quarry_init(struct name_quarry *q, const struct intel_db *db, const struct ids *ids);
void name_quarry_fini(struct name_quarry *q);

// Whether any name of the hour is sought; w is where the walk is done. 1, 0, -ENOENT: the hour has
// no names stored, or -EIO.
[[nodiscard]] int name_quarry_join(
	const struct name_quarry *q,
	struct name_walk *w,
	struct store_view *v,
	uint16_t entity,
	uint32_t hour
);
