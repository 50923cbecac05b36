// SPDX-License-Identifier: Apache-2.0
#pragma once

// A pass seals the journal blocks of one hour of an entity, up to a bound of rows and new hosts.
// Columns of the new sealed blocks are written as they are made and mean nothing until the last
// write: it adds, at once and synced, the blocks' summaries and the hour's new tables and deletes
// exactly the journal blocks that went in. A crash before it leaves the journal as it was; columns
// without a summary are cleared by the next pass.
// Thread: sealer.

#include "collector/store/gather.h"
#include "collector/store/names.h"
#include "collector/store/state.h"
#include "collector/store/view.h"

struct seal_pass {
	struct store *store;
	uint16_t entity;
	uint32_t hour;
	struct store_view *view;
	struct table_hour table; // as it will be stored
	struct rollup *rollup;	 // stored tables and what was added
	struct names names;	 // likewise
	bool has_names;		 // the names are all of the hour; else none are stored
	struct column_coder coder;
	struct record_batch *block; // a journal block
	struct record_batch *rows;  // gathered from several
	struct db_batch *columns, *last;
	struct bytes value;
	uint64_t n_rows; // sealed by this pass
	uint64_t damaged_blocks, damaged_rows;
	uint64_t first, end; // journal blocks to be deleted: [first, end), empty when equal
	bool more;	     // the bound was met: another pass is needed
};

// 0 when done (see the counters), or -errno; words for some failures in `error`.
[[nodiscard]] int seal_pass_run(struct seal_pass *p, char error[static STORE_ERROR_LEN]);

// Encodes the gathered rows into sealed blocks and empties them.
[[nodiscard]] int seal_write_blocks(struct seal_pass *p, char error[static STORE_ERROR_LEN]);

// Adds the hour's tables to the last write.
[[nodiscard]] int seal_put_tables(struct seal_pass *p);
