// SPDX-License-Identifier: Apache-2.0
#pragma once

// A walk over the headers of a pcap or pcapng file, before it is replayed: net_pcap does not tell
// the end of a file from a pause, so the number of whole packets is counted here, and a file that
// cannot be replayed is refused in words. Reads the file once, through a buffer.
// Thread: control.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_info {
	uint64_t n_packets; // whole ones
	bool truncated;	    // the file ends within a packet
	bool nanoseconds;   // finer times than the replay keeps
};

// 0, or -errno (cannot be read) or -EINVAL (cannot be replayed), the reason in `what`.
[[nodiscard]] int capture_scan(int fd, struct capture_info *ret_info, const char **ret_what);
