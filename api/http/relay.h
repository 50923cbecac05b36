// SPDX-License-Identifier: Apache-2.0
#pragma once

// Changes are asked of the collector, the only writer: a request's JSON body (or query parameter)
// becomes the arguments of one of its commands, its answer the response.
// Thread: worker; waits for the collector for at most CONTROL_TIMEOUT_SEC.

#include "api/http/app.h"

// The body as a JSON object of bounded depth: the caller's; NULL with the response set (400, 415).
json_t *relay_body(struct call *c);

// Sends the command and answers with `status` and what came back. Takes `args` over. An error of
// the collector's is the client's (400); one of the way to it is 503.
void relay(struct call *c, const char *cmd, json_t *args, int status);

// Asks the collector; takes `args` over. The answer, or NULL with the response set.
json_t *relay_ask(struct call *c, const char *cmd, json_t *args);
