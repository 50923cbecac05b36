// SPDX-License-Identifier: Apache-2.0
#pragma once

// What all handlers share, and what one call of a handler has. Made at start, const afterwards but
// for what guards itself.
// Thread: any worker.

#include "api/config.h"
#include "api/http/auth.h"
#include "api/http/message.h"
#include "api/http/quota.h"
#include "api/http/rate.h"
#include "api/query/parse.h"
#include "api/query/source.h"
#include "api/resolve/resolve.h"

struct health;
struct live;
struct of;
struct metrics;

struct app {
	const struct api_config *config;
	struct auth_key key;
	struct source *source;
	struct resolver *resolver;
	struct rate *failed_logins;
	struct quota *quota;
	struct rate *posts; // of each user
	struct of *of;
	struct metrics *metrics;
	struct health *health;
	struct live *live;
	_Atomic unsigned n_exports; // workers that write a body for as long as it is read
	uint64_t started_ns; // clock_mono_ns
};

#define CALL_PATH_VALUE_LEN 64

struct call {
	struct app *app;
	const struct request *request;
	struct response *response;
	struct store_view *view;	      // of routes that need a token
	struct auth_claims claims;	      // likewise
	struct query query;		      // likewise
	char path_value[CALL_PATH_VALUE_LEN]; // what stands in the place of the path's {name}
};

// One function per resource; each sets the response. Their files: login.c, latest.c, …
void login_post(struct call *c);
void latest_get(struct call *c);
void kpi_get(struct call *c);
void flows_get(struct call *c);
void resolve_get(struct call *c);
void kpi_native_get(struct call *c);
void rows_get(struct call *c);
void top_get(struct call *c);
void series_get(struct call *c);
void of_get(struct call *c);
void traffic_post(struct call *c);
void live_get(struct call *c);
void host_get(struct call *c);
void graph_get(struct call *c);
void names_get(struct call *c);
void exporters_get(struct call *c);
void ledger_get_all(struct call *c);
void entities_get(struct call *c);
void users_get(struct call *c);
void users_post(struct call *c);
void users_rotate_post(struct call *c);
void users_delete(struct call *c);
void audit_get(struct call *c);
void hits_get(struct call *c);
void feeds_get(struct call *c);
void feeds_post(struct call *c);
void feeds_delete(struct call *c);
void feeds_refresh_post(struct call *c);
void indicators_get(struct call *c);
void indicators_post(struct call *c);
void indicators_delete(struct call *c);
void allow_get(struct call *c);
void allow_post(struct call *c);
void allow_delete(struct call *c);
void hunts_get(struct call *c);
void hunts_post(struct call *c);
void hunts_delete(struct call *c);
void metrics_get(struct call *c);
void openapi_get(struct call *c);
void healthz_get(struct call *c);
void readyz_get(struct call *c);
void index_get(struct call *c);

// Checks the "entity" parameter (default netflow) against the token. 0 with its number;
// -ENOENT when it holds nothing yet; -EPERM with the response set.
[[nodiscard]] int call_entity(struct call *c);

// Sets the response for a query that did not come to its end.
void call_failed(struct call *c, int ret);

// How many records a user may post within a window, whatever window (seed: 150 in 10 s).
#define APP_POSTS_MAX 150
#define APP_POSTS_WINDOW_NS (10 * NS_PER_SEC)

[[nodiscard]] int health_create(struct health **ret_health);
void health_free(struct health *h);
