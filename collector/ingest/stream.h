// SPDX-License-Identifier: Apache-2.0
#pragma once

// IPFIX over TCP (RFC 7011 §10.4): the connections of one ingest thread. Each gathers bytes until a
// message is whole; a message is taken whole or not at all.
// Thread: the ingest thread that owns the table.

#include "collector/ingest/intake.h"

struct stream {
	struct stream *next, *prev;
	struct peer peer;
	int fd;
	uint64_t last_ns;
	unsigned n_malformed; // messages, the last ones in a row
	uint32_t len;	      // bytes gathered
	uint8_t data[65535];
};

struct stream_table {
	struct intake *intake;
	struct stream *first;
	uint32_t n, max;
	uint64_t idle_ns;
	uint64_t accepted; // numbers the connections
	bool is_starved;   // no descriptor, or no memory, for the connection that waits
};

// Takes the next connection that waits at the listening socket; NULL when none does. One too many,
// or of a stranger, is closed and counted: *ret_more says whether to ask again.
struct stream *
stream_accept(struct stream_table *t, int listen_fd, uint64_t now_ns, bool *ret_more);

// Reads what waits, a bounded amount at a time, and takes the whole messages in it. False: the
// connection has ended, for good or for bad, and the stream is gone.
bool stream_read(struct stream_table *t, struct stream *s, uint64_t now_ns);

// Closes connections that have been silent too long.
void stream_tick(struct stream_table *t, uint64_t now_ns);

// Closes all.
void stream_fini(struct stream_table *t);
