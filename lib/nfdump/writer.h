// SPDX-License-Identifier: Apache-2.0
#pragma once

// Flow records into an nfdump 1.7 file (layout 2), as nfcapd 1.7.1 writes it: readable by nfdump,
// NfSen and all that reads their files.
// Thread: any one at a time.

#include "lib/nfdump/codec.h"
#include "lib/record/record.h"

struct nfdump_writer;

// Begins a file at the start of an empty one. The descriptor stays the caller's. `ident` is the
// name that nfdump -I shows. 0, or -errno.
[[nodiscard]] int nfdump_writer_open(
	int fd, enum nfdump_codec codec, const char *ident, struct nfdump_writer **ret_writer
);

// 0, or -errno: the file is not whole.
[[nodiscard]] int nfdump_writer_add(struct nfdump_writer *w, const struct record *r);

// Writes what is left, the sums and the header. 0, or -errno. Ends the writer either way.
[[nodiscard]] int nfdump_writer_close(struct nfdump_writer *w);

// Ends the writer and leaves the file as it is: not whole.
void nfdump_writer_abandon(struct nfdump_writer *w);
