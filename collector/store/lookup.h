// SPDX-License-Identifier: Apache-2.0
#pragma once

// What can be told of an hour without its rows: the ports in its tables, and whether any sealed
// block of it has a column (its hosts: index.h). Rows still in the journal are in none of it.
// Thread: the view's own.

#include "collector/store/read.h"

// True (in *ret) when one of the hour's ports is set in the bitmap.
[[nodiscard]] int store_view_any_port(
	struct store_view *v, uint16_t entity, uint32_t hour, const uint64_t ports[1024], bool *ret
);

// The columns that any sealed block of the hour has, as RECORD_BIT()s.
[[nodiscard]] int
store_view_fields(struct store_view *v, uint16_t entity, uint32_t hour, uint64_t *ret_fields);

// A view of the writer's own database. NULL without memory.
struct store;
struct store_view *store_view_of(struct store *s);
