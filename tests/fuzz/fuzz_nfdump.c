// SPDX-License-Identifier: Apache-2.0

// Files of nfdump 1.7: whatever they hold, what comes of them can be written and read again.

#include "lib/nfdump/reader.h"
#include "lib/nfdump/writer.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define RECORDS_MAX 256 // a small block can hold many

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The sum over what the records say: equal before and after.
static uint64_t sum_of(const struct record *r)
{
	uint64_t sum = r->packets + r->bytes + r->rev_bytes + r->sport + r->dport + r->vlan;
	return sum + r->in_if + r->src_as + r->proto + r->src.b[15] + r->dst.b[15] + r->icmp_type;
}

static uint64_t read_file(int fd, struct nfdump_writer *w, uint64_t *ret_sum)
{
	struct nfdump_reader *reader;
	const char *what = NULL;
	struct record r;
	uint64_t n = 0;
	if (nfdump_reader_open(fd, &reader, &what) < 0) {
		assert(what);
		return 0;
	}
	while (n < RECORDS_MAX && nfdump_reader_next(reader, &r) > 0) {
		n++;
		*ret_sum += sum_of(&r);
		if (w && nfdump_writer_add(w, &r) < 0)
			abort();
	}
	nfdump_reader_close(reader);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int from = memfd_create("from", MFD_CLOEXEC), to = memfd_create("to", MFD_CLOEXEC);
	uint64_t sum = 0, sum_again = 0;
	struct nfdump_writer *w;
	if (from < 0 || to < 0 || write(from, data, size) != (ssize_t)size)
		abort();
	if (nfdump_writer_open(to, NFDUMP_LZ4, "fuzz", &w) < 0)
		abort();
	uint64_t n = read_file(from, w, &sum);
	if (nfdump_writer_close(w) < 0)
		abort();
	assert(read_file(to, NULL, &sum_again) == n && sum == sum_again);
	close(from);
	close(to);
	return 0;
}
