// SPDX-License-Identifier: Apache-2.0
#pragma once

// The collector's intake with a committer of its own, which looks at the rows and forgets them: for
// the targets whose input is what exporters send. Such an input is a list of pieces, each with two
// bytes in front: four flags and twelve bits of length.

#include "collector/ingest/intake.h"

struct piece {
	bool is_second; // from the second exporter, or on the second connection
	bool is_mended; // version and length are put right
	bool is_later;	// a quarter of an hour after the one before
	uint8_t *p;	// malloc'd: as much memory as bytes, so that a read too far is seen
	size_t len;
};

// The next piece, to be freed; false at the end.
bool piece_next(struct buf *input, uint16_t version, struct piece *ret_piece);

struct commit {
	uint64_t n_rows;
};

struct fuzz_intake {
	struct ingest_options o;
	struct ledger ledger;
	struct commit commit;
	struct ingest_entity entities[2]; // one of each exporter
	struct prefix trust;		  // the second may say whom its records are from
	struct intake in;
};

// Small caps, so that each is reached; `o` may be changed between _options and _start.
void fuzz_intake_options(struct fuzz_intake *f);
void fuzz_intake_start(struct fuzz_intake *f);

// Ends it. Every record must be accounted for, every byte of the budget given back.
void fuzz_intake_stop(struct fuzz_intake *f);

// Runs the pieces through as datagrams of that version.
void fuzz_datagrams(const uint8_t *data, size_t size, uint16_t version);
