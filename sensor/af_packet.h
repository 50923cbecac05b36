// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the kernel dropped before net_af_packet could take it: DPDK 22.11's driver does not ask, so
// its sockets, which are this process's, are asked here.
// Thread: control.

#include <stdint.h>

#define AF_PACKET_SOCKETS_MAX 64

struct af_packet {
	unsigned n;
	int fds[AF_PACKET_SOCKETS_MAX];
	uint64_t drops; // so far
};

// The packet sockets the process has open, but for those in `except` (may be NULL).
void af_packet_find(struct af_packet *ret_sockets, const struct af_packet *except);

// All drops of them since they were opened. The kernel's count begins anew with each question.
uint64_t af_packet_drops(struct af_packet *a);
