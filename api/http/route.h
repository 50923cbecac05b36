// SPDX-License-Identifier: Apache-2.0
#pragma once

// The routes, one table: method, path, who may ask, the handler, a line for the documentation.
// A request is admitted by the event loop (route, method, token's signature: cheap, and enough to
// turn strangers away) and answered by a worker (user still there, view of the store, handler).
// Thread: route_admit from the event loops, route_run from workers.

#include "api/http/app.h"

enum route_scope {
	ROUTE_PUBLIC,  // anybody
	ROUTE_LOCAL,   // a valid token, or an address that may ask without (api.open); of no user
	ROUTE_OPEN,    // a valid token, or an address that may ask without (api.open)
	ROUTE_TOKEN,   // a valid token of a user who still exists: sees
	ROUTE_POST,    // likewise, and he may bring records: exporters may do nothing else
	ROUTE_ANALYST, // of one who may change what is looked for: indicators, allow-list, hunts
	ROUTE_ADMIN,   // of one who may change what the system is: feeds, users
};

struct route {
	const char *method;
	const char *path;
	enum route_scope scope;
	void (*handle)(struct call *c);
	const char *takes; // names of parameters, '!' behind what is required; of POST: of the body
	const char *text;
};

extern const struct route routes[];
extern const size_t n_routes;

// The route to run, with the token's claims in *ret_claims; NULL: the response is set already.
const struct route *route_admit(
	struct app *app,
	const struct request *request,
	struct response *response,
	struct auth_claims *ret_claims
);

void route_run(
	struct app *app,
	const struct route *route,
	const struct request *request,
	const struct auth_claims *claims,
	struct response *response
);
