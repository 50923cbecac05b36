// SPDX-License-Identifier: Apache-2.0
#pragma once

// One collector to send messages to, over UDP, TCP, TLS or a Unix stream. Sending may block, for a
// bounded time; a connection that broke is taken up again after a pause that doubles up to
// TRANSPORT_PAUSE_MAX_NS.
// Thread: exporter.

#include "lib/base/endpoint.h"

#include <stdbool.h>
#include <stdint.h>

#define TARGETS_MAX 8 // collectors at the same time
#define TRANSPORT_PAUSE_MIN_NS 100000000ull
#define TRANSPORT_PAUSE_MAX_NS 5000000000ull

enum transport_kind { TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_UNIX };

// PEM files, "": none. The collector must be one that `ca` vouches for, by the name or address it
// is reached by; without it, one of those that the system trusts.
struct transport_tls {
	const char *ca, *cert, *key;
};

struct tls;

struct transport {
	struct endpoint to; // sa may be a Unix address
	struct tls *tls;    // NULL: no TLS
	int fd;		    // -1: not connected
	int error;	    // why the last try failed, -errno
	uint64_t pause_ns;
	uint64_t next_try_ns; // monotonic
};

// "udp|tcp|tls:HOST:PORT" or "unix:PATH", after "v5+" or "v9+" if it is to be NetFlow; `tls` may be
// NULL for the others. 0, -EINVAL, -EHOSTUNREACH, or why the files of `tls` cannot be used.
[[nodiscard]] int
transport_init(struct transport *t, const char *target, const struct transport_tls *tls);

// The same of the form alone; *ret_version becomes 5, 9 or 10.
[[nodiscard]] int
transport_parse(const char *target, struct endpoint *ret_to, uint16_t *ret_version);

// Whether messages may be lost on the way, and templates have to be sent again and again.
static inline bool transport_is_datagrams(const struct transport *t)
{
	return t->to.kind == TRANSPORT_UDP;
}

// True when connected, now or still: a connection that the peer closed is none any more. Tries at
// most once per pause.
bool transport_connect(struct transport *t, uint64_t now_ns);

// Sends a whole message; 0, or -errno and the connection is closed (all but UDP).
[[nodiscard]] int transport_send(struct transport *t, const void *message, size_t len);

// Ends the connection; all but UDP after the peer has read everything, or two seconds.
void transport_close(struct transport *t);

// Gives what transport_init took.
void transport_fini(struct transport *t);
