// SPDX-License-Identifier: Apache-2.0

// A pcap or pcapng file.

#include "sensor/packet/capture.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK_LEN_MIN 12 // of pcapng; pcap's packet headers are longer

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capture_info info;
	const char *what = NULL;
	int fd = memfd_create("capture", MFD_CLOEXEC);
	if (fd < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	int ret = capture_scan(fd, &info, &what);
	if (ret == 0)
		assert(info.n_packets <= size / BLOCK_LEN_MIN);
	else
		assert(ret == -EINVAL && what);
	close(fd);
	return 0;
}
