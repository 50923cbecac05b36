// SPDX-License-Identifier: Apache-2.0
#pragma once

// The HTTP server: libh2o's event loops, connections and their limits, and the way of a request
// from a loop to a worker and back. Nothing but this file and the shim knows libh2o. Thread:
// control.

#include "api/http/app.h"
#include "api/http/listen.h"
#include "api/http/tls.h"

struct server;

struct server_options {
	struct app *app;
	const struct listener *listeners; // become the server's
	size_t n_listeners;
	SSL_CTX *tls; // becomes the server's; NULL without TLS listeners
};

// 0, or -errno.
[[nodiscard]] int server_start(const struct server_options *options, struct server **ret_server);

// Connections accepted from now on get this context, which becomes the server's.
void server_set_tls(struct server *s, SSL_CTX *tls);

// Whether every event loop has gone on since the last call.
bool server_goes_on(struct server *s);

// Takes no more connections, finishes what is under way for at most five seconds, ends.
void server_stop(struct server *s);
