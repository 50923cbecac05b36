// SPDX-License-Identifier: Apache-2.0
#pragma once

// Mends libh2o 2.2.5 from outside. Debian's package can be aborted by any HTTP/2 client (an assert
// in update_stream_output_window; fixed upstream in 2019, after 2.2.5) and has no defence against
// rapid reset (CVE-2023-44487), "made you reset" (CVE-2025-8671) and header bombs. The library is
// not linked with -Bsymbolic, so four of its exported functions are replaced by wrappers of the
// same name in our executable (tests/unit/api/http/shim_test.c proves that they are). Thread: event
// loops.

#include <stdbool.h>
#include <stddef.h>

struct st_h2o_conn_t;

#define SHIM_BUDGET 100	       // resets a connection may make more than it completes requests
#define SHIM_HEADERS_MAX 16384 // bytes of one header block
#define SHIM_BODY_TOO_LARGE "request entity is too large" // h2o's own words for HTTP/1

// What the shim keeps of a connection. The socket's on_close.data must point to it (it is the first
// member of what it points to), or be NULL.
struct shim_guard {
	int budget; // starts as SHIM_BUDGET
};

// Ends an HTTP/2 connection in an orderly way: GOAWAY, what is under way is finished.
void shim_goaway(struct st_h2o_conn_t *conn);

// Whether the wrappers are the ones that libh2o calls.
bool shim_works(void);

// The names of what is wrapped, NULL at the end.
extern const char *const shim_symbols[];
