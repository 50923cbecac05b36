// SPDX-License-Identifier: Apache-2.0
#pragma once

// A walk over the addresses of an hour's hosts, in rising order, a part at a time, with leaps.
// Hours sealed before there was an index are read from their table of hosts, whose parts begin the
// same. Thread: the view's own; nothing else may read the view between two calls.

#include "collector/store/table.h"
#include "collector/store/view.h"

struct store_index {
	struct store_view *view;
	enum key_kind kind;
	uint16_t entity;
	uint32_t hour;
	struct table_index part; // where the walk is
};

// Prepares a walk; nothing is read of the parts. 0, or -EIO.
[[nodiscard]] int
store_index_open(struct store_index *x, struct store_view *v, uint16_t entity, uint32_t hour);

// The part in which the address would stand, or else the first one: 1 with it in x->part; 0: the
// hour has none; -EIO: damaged; -ENOMEM.
[[nodiscard]] int store_index_seek(struct store_index *x, const struct addr *a);

// The part after it: 1, 0 at the end, or -errno.
[[nodiscard]] int store_index_next(struct store_index *x);
