// SPDX-License-Identifier: Apache-2.0
#pragma once

// The packets of a pcap or pcapng file, one after the other. A capture that is cut or damaged gives
// its packets up to there.
// Thread: any one at a time.

#include <stddef.h>
#include <stdint.h>

enum pcapfile_link { // https://www.tcpdump.org/linktypes.html
	LINK_ETHERNET = 1,
	LINK_RAW_BSD = 12, // LINKTYPE_RAW where DLT_RAW was written as it is
	LINK_RAW = 101,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
};

struct pcapfile_packet {
	const uint8_t *data; // until the next call
	size_t len;
	size_t wire_len;  // more than len: cut by the capture
	uint64_t time_ns; // 0: none was kept
	uint16_t link;	  // enum pcapfile_link, or another
};

struct pcapfile;

// The descriptor stays the caller's. 0, or -errno with the reason in *ret_what: -EINVAL when it is
// no capture.
[[nodiscard]] int pcapfile_open(int fd, struct pcapfile **ret_file, const char **ret_what);
void pcapfile_close(struct pcapfile *f);

// The next packet: 1; 0: no more; -EBADMSG: cut or damaged here; or another -errno.
[[nodiscard]] int pcapfile_next(struct pcapfile *f, struct pcapfile_packet *ret_packet);

// Bytes of the file that were read so far.
uint64_t pcapfile_place(const struct pcapfile *f);
