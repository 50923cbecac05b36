// SPDX-License-Identifier: Apache-2.0
#pragma once

// Requests under way: out of libh2o into plain memory, through the route table, to a worker, and
// the response back into libh2o. Part of the server; apart from it only for size. Thread: the event
// loop that owns the connection.

#include "api/http/app.h"
#include "api/http/life.h"
#include "api/http/pool.h"
#include "api/http/shim.h"

#include <h2o.h>

struct conn {
	struct shim_guard guard;	// first: the shim finds it through the socket
	void *owner;			// the server's
	struct exchange_loop *exchange; // of the same loop
	h2o_socket_t *sock;
	struct addr peer;
	bool tls;
	int linger_fd; // -1: close plainly
	struct life life;
	h2o_linklist_t link;
	h2o_linklist_t requests; // under way, oldest first
	h2o_linklist_t streams;	 // answers without a foreseeable end
};

struct exchange_loop {
	struct app *app;
	struct pool *pool;
	h2o_multithread_receiver_t done; // jobs that come back from workers
	h2o_multithread_receiver_t more; // jobs whose streams have something to send
};

void exchange_loop_init(
	struct exchange_loop *x, h2o_context_t *ctx, struct app *app, struct pool *pool
);

// The server stops: who writes streams on this connection shall end.
void exchange_stop(struct conn *c);

// Makes all paths of the server ours, libh2o's own error pages included.
void exchange_register(h2o_globalconf_t *config);
