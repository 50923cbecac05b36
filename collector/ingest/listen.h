// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sockets: UDP ones read many datagrams a call, with the kernel's own count of what it dropped
// for want of room; TCP ones listen. All non-blocking, all SO_REUSEPORT.
// Thread: opened by control, used by one ingest thread.

#include "lib/base/endpoint.h"

#include <stdint.h>

#define LISTEN_BURST 64
#define LISTEN_DATAGRAM_MAX 65535

// Opens and binds; the socket, or -errno. *ret_rcvbuf gets what the kernel granted. *sa becomes the
// address bound, so that the next thread's socket finds the port the first one got.
[[nodiscard]] int listen_udp(struct sockaddr_storage *sa, int rcvbuf, int *ret_rcvbuf);
[[nodiscard]] int listen_tcp(struct sockaddr_storage *sa);

struct listen_datagram {
	const uint8_t *data;
	size_t len;
	struct sockaddr_storage *from;
};

// Room for one burst.
struct listen_burst;
struct listen_burst *listen_burst_create(void);
void listen_burst_free(struct listen_burst *b);

// Reads what waits, up to LISTEN_BURST datagrams; their number, 0 when none waits.
unsigned listen_read(int fd, struct listen_burst *b);

// Datagram i of the last read.
struct listen_datagram listen_datagram(struct listen_burst *b, unsigned i);

// Datagrams the kernel has dropped on the socket since it was opened.
uint32_t listen_drops(int fd);
