// SPDX-License-Identifier: Apache-2.0
#pragma once

// A request and its response as handlers see them: plain memory, no HTTP library. The request is a
// copy that outlives the connection it came from, so that a worker never touches what the event
// loop owns.
// Thread: one at a time: event loop, then worker, then event loop.

#include "api/http/stream.h"
#include "api/query/stop.h"
#include "lib/base/addr.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

#define REQUEST_BODY_MAX 65536

struct request {
	const char *method; // as sent
	const char *path;   // decoded by nobody, without the query
	const char *query;
	size_t query_len;
	const char *authorization, *cookie, *content_type, *accept; // NULL when absent
	const char *last_event_id;				    // likewise
	const char *body;
	size_t body_len;
	struct addr peer;
	bool is_forwarded; // a proxy says that it speaks for somebody else
	struct query_stop stop;
};

struct response {
	bool is_native; // errors in the form of RFC 9457, not in that of the compatible routes
	int status;
	const char *content_type; // static text
	const char *allow;	  // of 405, else NULL
	unsigned retry_after_sec; // of 429 and 503, else 0
	char next_cursor[48];	  // of the next page; "": there is none
	char *body;		  // malloc'd; NULL: none
	size_t body_len;
	// Instead of a body: the reader's end of one that is written while it is sent.
	struct stream *stream;
	bool is_live; // it is written in step with the world, not with its reader
	void (*start)(struct response *r); // by response_start, once; NULL: nobody to send it
};

// Sends the status and headers and what comes out of r->stream from now on; the response is the
// event loop's from here.
void response_start(struct response *r);

void response_fini(struct response *r);

// {"status": true, "result": …}; takes `result` over, NULL means there was no memory for it.
void response_ok(struct response *r, json_t *result);

// {"status": false, "errorMessage": "…"}, or a problem document.
__attribute__((format(printf, 3, 4))) void
response_error(struct response *r, int status, const char *fmt, ...);

// A problem at a place of a parameter's value: with "parameter" and "column" beside the rest. Of
// native routes only.
void response_fault(struct response *r, const char *parameter, unsigned column, const char *what);

// A body of another kind; takes `body` over, which came from malloc.
void response_body(struct response *r, const char *content_type, char *body, size_t len);

// A document of another form; takes `doc` over.
void response_json(struct response *r, int status, json_t *doc);

// Whether a body is said to be JSON; one of no type is up to us (RFC 9110 §8.3).
bool message_is_json(const char *content_type);

// The reason phrase of a status code.
const char *response_reason(int status);
