// SPDX-License-Identifier: Apache-2.0
#pragma once

// One file of an import: an nfdump file or a capture, to the collector.
// Thread: any one at a time; may block.

#include "cli/decoder.h"
#include "cli/inputs.h"
#include "cli/outlet.h"
#include "cli/progress.h"
#include "cli/raw.h"
#include "cli/tally.h"

struct importer {
	struct outlet *outlet;	 // of records
	struct decoder *decoder; // of captures; NULL: their datagrams are sent as they are
	struct raw *raw;	 // then by this
	struct tally tally;
	struct progress progress;
	uint64_t n_files, n_bad_files;
	uint64_t n_read;      // records read or decoded
	uint64_t n_datagrams; // of NetFlow or IPFIX, in captures
	uint64_t done, size;  // bytes of the files before, of all
};

// Takes a decoded record: the decoder's sink.
[[nodiscard]] int importer_record(void *importer, const struct record *r);

// Reads the file. 0, also when it was damaged (words are on stderr, it is counted); or -errno when
// the collector is lost or memory is short.
[[nodiscard]] int importer_file(struct importer *im, const struct input *input);
