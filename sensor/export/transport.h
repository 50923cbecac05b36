// SPDX-License-Identifier: Apache-2.0
#pragma once

// One collector to send messages to, over UDP or TCP. Sending may block, for a bounded time; a TCP
// connection that broke is taken up again after a pause that doubles up to TRANSPORT_PAUSE_MAX_NS.
// Thread: exporter.

#include "lib/base/endpoint.h"

#include <stdbool.h>
#include <stdint.h>

#define TRANSPORT_PAUSE_MIN_NS 100000000ull
#define TRANSPORT_PAUSE_MAX_NS 5000000000ull

enum transport_kind { TRANSPORT_UDP = 0, TRANSPORT_TCP = 1 };

struct transport {
	struct endpoint to;
	int fd;	   // -1: not connected
	int error; // why the last try failed, -errno
	uint64_t pause_ns;
	uint64_t next_try_ns; // monotonic
};

// "udp:HOST:PORT" or "tcp:HOST:PORT"; 0, -EINVAL or -EHOSTUNREACH.
[[nodiscard]] int transport_init(struct transport *t, const char *target);

// True when connected, now or still: a connection that the peer closed is none any more. Tries at
// most once per pause.
bool transport_connect(struct transport *t, uint64_t now_ns);

// Sends a whole message; 0, or -errno and the connection is closed (TCP).
[[nodiscard]] int transport_send(struct transport *t, const void *message, size_t len);

// Ends the connection; over TCP after the peer has read everything, or two seconds.
void transport_close(struct transport *t);
