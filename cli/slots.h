// SPDX-License-Identifier: Apache-2.0
#pragma once

// Flows into a folder of nfdump files, one per slot of time, named as nfcapd names them
// (nfcapd.YYYYMMDDHHmm, UTC). A file appears under its name once it is whole; one that is there
// already is not touched.
// Thread: any one at a time.

#include "lib/nfdump/codec.h"
#include "lib/record/record.h"

#define SLOTS_ERROR_LEN 512

struct slots;

struct slots_options {
	const char *dir; // made when absent
	enum nfdump_codec codec;
	uint64_t slot_ns; // a divisor of an hour
	const char *ident;
};

// 0, or -errno with the words in `error`.
[[nodiscard]] int slots_open(
	const struct slots_options *options,
	struct slots **ret_slots,
	char error[static SLOTS_ERROR_LEN]
);

// Adds a flow to the file of its start. Flows may come in any order within an hour; once one of a
// later hour comes, the files of the earlier are ended. 0, or -errno with the words in `error`.
[[nodiscard]] int
slots_add(struct slots *s, const struct record *r, char error[static SLOTS_ERROR_LEN]);

// Ends the files that are open. 0 with the number of all files written, or -errno.
[[nodiscard]] int
slots_close(struct slots *s, uint64_t *ret_files, char error[static SLOTS_ERROR_LEN]);

// Removes the files that are not whole.
void slots_abandon(struct slots *s);
