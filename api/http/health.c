// SPDX-License-Identifier: Apache-2.0

// GET /healthz (the process answers), GET /readyz (it can serve queries; why not, if not), GET /
// (where to find what). A collector that is down stops nothing that is asked here, so it is said
// but does not make the API unready.
// Thread: worker.

#include "api/http/route.h"
#include "lib/base/control.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_NS NS_PER_SEC // anybody may ask, so the collector is asked once a second at most

struct health {
	pthread_mutex_t lock;
	uint64_t asked_ns; // 0: never
	bool collector_ok;
	bool intake_ok; // what comes in is stored
	char why[256];
};

int health_create(struct health **ret_health)
{
	struct health *h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	pthread_mutex_init(&h->lock, NULL);
	*ret_health = h;
	return 0;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	pthread_mutex_destroy(&h->lock);
	free(h);
}

// With the lock held.
static void ask_collector(struct app *app)
{
	struct health *h = app->health;
	json_t *result = NULL;
	if (h->asked_ns && clock_mono_ns() - h->asked_ns < KEEP_NS)
		return;
	h->collector_ok = control_call(app->config->control, "ping", NULL, &result, h->why) == 0;
	const char *intake = json_string_value(json_object_get(result, "intake"));
	h->intake_ok = !intake || strcmp(intake, "ok") == 0;
	if (!h->intake_ok)
		snprintf(h->why, sizeof(h->why), "%s: intake waits", intake);
	json_decref(result);
	h->asked_ns = clock_mono_ns();
}

static json_t *check(const char *name, bool ok, const char *reason)
{
	json_t *j = json_pack("{s:s,s:s}", "name", name, "status", ok ? "ok" : "error");
	if (!ok && j)
		json_object_set_new(j, "reason", json_string(reason));
	return j;
}

static bool store_ok(struct app *app)
{
	struct store_view *view;
	char error[STORE_READ_ERROR_LEN];
	if (source_view(app->source, &view, error) < 0)
		return false;
	source_release(app->source, view);
	return true;
}

void readyz_get(struct call *c)
{
	struct health *h = c->app->health;
	bool store = store_ok(c->app), collector = true, intake = true;
	char why[sizeof(h->why)] = "";

	// while one worker waits for a collector that hangs, the others say what was known before
	if (pthread_mutex_trylock(&h->lock) == 0) {
		ask_collector(c->app);
		collector = h->collector_ok;
		intake = h->intake_ok;
		memcpy(why, h->why, sizeof(why));
		pthread_mutex_unlock(&h->lock);
	}
	json_t *checks = json_array();
	json_array_append_new(
		checks, check("store", store, "there is no store, or it cannot be read")
	);
	json_array_append_new(
		checks, check("collector", collector, "no answer on its control socket")
	);
	if (collector) // who else would know?
		json_array_append_new(checks, check("intake", intake, why));
	response_json(
		c->response,
		store ? 200 : 503,
		json_pack(
			"{s:b,s:s,s:o}",
			"ready",
			store,
			"status",
			store ? (collector && intake ? "ok" : "warning") : "error",
			"checks",
			checks
		)
	);
}

void healthz_get(struct call *c)
{
	uint64_t up = (clock_mono_ns() - c->app->started_ns) / NS_PER_SEC;
	response_json(
		c->response,
		200,
		json_pack("{s:s,s:I}", "status", "ok", "uptime_sec", (json_int_t)up)
	);
}

// What can be read, from the route table.
static json_t *resources(void)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n_routes; i++)
		if (strcmp(routes[i].method, "GET") == 0 && routes[i].scope >= ROUTE_OPEN)
			json_array_append_new(list, json_string(routes[i].path));
	return list;
}

void index_get(struct call *c)
{
	response_json(
		c->response,
		200,
		json_pack(
			"{s:s,s:s,s:o,s:[s,s],s:s,s:s}",
			"service",
			"weir-api",
			"login",
			"POST /mbox/api/netflow/auth",
			"resources",
			resources(),
			"health",
			"/healthz",
			"/readyz",
			"metrics",
			"/metrics",
			"description",
			"/openapi.json"
		)
	);
}
