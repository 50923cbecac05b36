// SPDX-License-Identifier: Apache-2.0
#pragma once

// How long a connection may live. libh2o 2.2.5 has no limit on writing, on slow request bodies over
// HTTP/2, on age or on the number of requests; once a second each connection is held against these.
// Thread: its event loop.

#include <stdbool.h>
#include <stdint.h>

#define LIFE_STALL_NS (30 * 1000000000ull)   // without any progress
#define LIFE_REQUEST_NS (60 * 1000000000ull) // of one request, all in all

struct life {
	uint64_t opened_ns;
	uint64_t done_ns;     // when the last request ended; at first opened_ns
	uint64_t oldest_ns;   // start of the oldest request under way; 0: none
	uint64_t acked_bytes; // of TCP, as last seen
	uint64_t acked_ns;    // when that last grew
	uint64_t n_requests;
	uint64_t n_streams; // under way, beside the requests: they last as long as bytes move
	uint64_t stream_ns; // start of the newest of them
};

struct life_limits {
	uint64_t max_age_ns;
	uint64_t max_requests;
};

// Whether the connection takes no more requests: it ends in an orderly way after those it has.
bool life_is_over(const struct life *l, const struct life_limits *limits, uint64_t now_ns);

// Whether it has to be cut: idle, or not getting anywhere.
bool life_is_stuck(const struct life *l, uint64_t now_ns);
