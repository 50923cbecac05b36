// SPDX-License-Identifier: Apache-2.0
#pragma once

// Flow records out of an nfdump 1.7 file (layout 2; all its compressions). Nothing in the file is
// believed: a block or record that contradicts itself is counted and passed over, and what stands
// behind it is read as far as its place is known.
//
//   ret = nfdump_reader_open(fd, &reader, &what);
//   while ((ret = nfdump_reader_next(reader, &record)) > 0)
//           use(&record);
// Thread: any one at a time.

#include "lib/nfdump/codec.h"
#include "lib/nfdump/record.h"

#define NFDUMP_IDENT_LEN 128 // with the final NUL

struct nfdump_reader;

// What was met on the way.
struct nfdump_counts {
	uint64_t flows;		 // records handed out
	uint64_t bad_blocks;	 // damaged: none, or only the first, of their records were read
	uint64_t bad_records;	 // a length or number in them cannot be
	uint64_t array_blocks;	 // of names and the like
	uint64_t other_records;	 // exporters, samplers, names
	uint64_t missing_blocks; // the file ends before them
	uint64_t left[NFDUMP_N_ELEMENTS]; // elements the record has no place for; 0: unknown ones
};

struct nfdump_head {
	enum nfdump_codec codec;
	uint32_t version; // of the writer, 0x01070100 is 1.7.1
	uint64_t created; // seconds since 1970
	uint32_t n_blocks;
	bool is_open; // never finished: no count of blocks, no appendix
};

// Reads the header. The descriptor stays the caller's and is read by position. 0, or -errno with
// the reason in *ret_what: -EINVAL when it is no such file.
[[nodiscard]] int
nfdump_reader_open(int fd, struct nfdump_reader **ret_reader, const char **ret_what);
void nfdump_reader_close(struct nfdump_reader *r);

// The next flow record: 1; 0: no more; -errno: the file cannot be read, or memory is short.
[[nodiscard]] int nfdump_reader_next(struct nfdump_reader *r, struct record *ret_record);

const struct nfdump_counts *nfdump_reader_counts(const struct nfdump_reader *r);
const struct nfdump_head *nfdump_reader_head(const struct nfdump_reader *r);

// Bytes of the file that were read so far.
uint64_t nfdump_reader_place(const struct nfdump_reader *r);
