// SPDX-License-Identifier: Apache-2.0

// Files of nfdump 1.7. Whatever comes of them can be written, and is the same when read again.

#include "lib/nfdump/reader.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What the records say, in one number.
static uint64_t sum_of(const struct record *r)
{
	uint64_t sum = r->packets + r->bytes + r->rev_bytes + r->sport + r->dport + r->vlan;
	return sum + r->in_if + r->src_as + r->proto + r->src.b[15] + r->dst.b[15] + r->icmp_type;
}

static void check_record(const struct record *r)
{
	static uint64_t left[NFDUMP_N_ELEMENTS];
	uint8_t bytes[NFDUMP_RECORD_MAX];
	struct nfdump_origin origin;
	struct record again;
	size_t len = nfdump_record_encode(r, 7, bytes);
	assert(nfdump_record_decode(bytes, len, &again, &origin, left) == 0);
	assert(sum_of(&again) == sum_of(r) && origin.exporter == 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nfdump_reader *reader;
	const char *what = NULL;
	struct record r;
	int fd = memfd_create("nfdump", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (nfdump_reader_open(fd, &reader, &what) == 0) {
		while (nfdump_reader_next(reader, &r) > 0)
			check_record(&r);
		assert(nfdump_reader_place(reader) <= size);
		nfdump_reader_close(reader);
	} else {
		assert(what);
	}
	close(fd);
	return 0;
}
