// SPDX-License-Identifier: Apache-2.0
#pragma once

// What has arrived since a moment: the journal's blocks in the order of their commits, told apart
// by numbers that are never used twice. Rows that were sealed in the meantime are not among them.
// Thread: the view's.

#include "collector/store/read.h"

struct store_tail;

// The number behind that of the entity's newest journal block; 0: it has none. -EIO: damaged.
[[nodiscard]] int store_view_arrived(struct store_view *v, uint16_t entity, uint64_t *ret_next);

// The entity's blocks with numbers from `from` on; `fields` are the columns wanted. When there are
// more than rows_max rows the oldest are passed over. 0, or -errno.
[[nodiscard]] int store_tail_open(
	struct store_view *v,
	uint16_t entity,
	uint64_t from,
	uint64_t fields,
	uint64_t rows_max,
	struct store_tail **ret_tail
);

// How many rows were passed over.
uint64_t store_tail_skipped(const struct store_tail *t);

// The next block: 1 with its number and rows, which stay the tail's and are good until the next
// call; 0: no more; -EIO: it is damaged, the walk may go on; -ENOMEM.
[[nodiscard]] int
store_tail_next(struct store_tail *t, uint64_t *ret_number, const struct record_batch **ret_batch);
void store_tail_close(struct store_tail *t);
