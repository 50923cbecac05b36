// SPDX-License-Identifier: Apache-2.0

// Captures, packet by packet, and the datagrams in their frames.

#include "cli/datagram.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_within(const struct pcapfile_packet *p, const struct datagram *d)
{
	return d->data >= p->data && d->data + d->len <= p->data + p->len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcapfile *f;
	struct pcapfile_packet p;
	struct datagram d;
	const char *what = NULL;
	int fd = memfd_create("capture", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	if (pcapfile_open(fd, &f, &what) == 0) {
		while (pcapfile_next(f, &p) > 0) {
			uint8_t any = 0;
			for (size_t i = 0; i < p.len; i++)
				any |= p.data[i];
			enum datagram_reason reason = datagram_parse(&p, &d);
			assert(reason != DATAGRAM_OK || lies_within(&p, &d));
			assert(datagram_reason_text(reason) || any);
		}
		assert(pcapfile_place(f) <= size);
		pcapfile_close(f);
	} else {
		assert(what);
	}
	close(fd);
	return 0;
}
