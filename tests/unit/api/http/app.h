// SPDX-License-Identifier: Apache-2.0
#pragma once

// The API without its server: a store in a throw-away folder, and what handlers share. A request is
// admitted and run as the event loop and a worker would do it.

#include "api/http/metrics.h"
#include "api/http/of.h"
#include "api/http/route.h"
#include "collector/store/store.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#include <errno.h>

#define APP_API_ID "0123456789abcdef0123456789abcdef"

struct app_fixture {
	char dir[64], store_dir[80], scratch[80];
	char error[STORE_ERROR_LEN];
	struct api_config config;
	struct app app;
	struct store *store;
	struct store_user user;
	char *bearer; // "Bearer TOKEN" of the user
	// of the last request
	struct request request;
	struct response response;
	json_t *answer; // its body; NULL: it is no JSON
};

static inline void app_open_store(struct app_fixture *f)
{
	struct store_options o = {.dir = f->store_dir, .block_rows = 1000};
	if (store_open(&o, &f->store, f->error) < 0)
		fail_msg("%s", f->error);
	assert_int_equal(store_entity(f->store, STORE_ENTITY_DEFAULT), 0);
	assert_int_equal(store_user_add(f->store, &f->user), 0);
}

static inline void app_commit(struct app_fixture *f, struct record_batch *b)
{
	if (store_commit(f->store, &b, 1, f->error) < 0)
		fail_msg("%s", f->error);
	record_batch_free(b);
}

// "Bearer TOKEN" for a user as of now; the caller's.
static inline char *app_bearer(const struct app_fixture *f, const struct store_user *user)
{
	char *token = auth_token_create(&f->app.key, user, clock_now_ns(), 3600), *text = NULL;
	assert_non_null(token);
	assert_true(asprintf(&text, "Bearer %s", token) > 0);
	free(token);
	return text;
}

// Without a store: app_open_store() makes it.
static inline int app_set_up(void **state)
{
	struct app_fixture *f = calloc(1, sizeof(*f));
	struct resolver_options off = {.server = "off"};
	rows_dir(f->dir);
	snprintf(f->store_dir, sizeof(f->store_dir), "%s/store", f->dir);
	snprintf(f->scratch, sizeof(f->scratch), "%s/reader", f->dir);
	f->config = (struct api_config
	){.store_dir = f->store_dir,
	  .control = f->scratch, // no socket: the collector does not answer
	  .token_lifetime_ns = (int64_t)NS_PER_HOUR};
	memcpy(f->app.key.b, "thirty-two bytes of test secret!", AUTH_KEY_LEN);
	f->app.config = &f->config;
	f->app.started_ns = clock_mono_ns();
	f->app.failed_logins = rate_create(3, 60 * NS_PER_SEC);
	f->app.quota = quota_create(2);
	const char *bad;
	assert_int_equal(of_create(&f->config, &f->app.of, &bad), 0);
	f->app.metrics = metrics_create();
	f->app.posts = rate_create(3, 10 * NS_PER_SEC);
	f->config.query_memory = 64 << 20;
	assert_int_equal(health_create(&f->app.health), 0);
	assert_int_equal(source_create(f->store_dir, f->scratch, &f->app.source), 0);
	assert_int_equal(resolver_start(&off, &f->app.resolver), 0);
	f->user = (struct store_user
	){.api_id = APP_API_ID,
	  .name = "Tester",
	  .entity = STORE_ENTITY_DEFAULT,
	  .role = "viewer",
	  .generation = 1};
	f->bearer = app_bearer(f, &f->user);
	*state = f;
	return 0;
}

static inline int app_tear_down(void **state)
{
	struct app_fixture *f = *state;
	json_decref(f->answer);
	response_fini(&f->response);
	resolver_stop(f->app.resolver);
	source_free(f->app.source);
	health_free(f->app.health);
	rate_free(f->app.failed_logins);
	quota_free(f->app.quota);
	rate_free(f->app.posts);
	of_free(f->app.of);
	metrics_free(f->app.metrics);
	store_close(f->store);
	free(f->bearer);
	rows_dir_remove(f->dir);
	free(f);
	return 0;
}

// An empty request, to be filled in before app_run().
static inline struct request *
app_request(struct app_fixture *f, const char *method, const char *path)
{
	static const uint8_t peer[4] = {192, 0, 2, 99};
	f->request = (struct request
	){.method = method,
	  .path = path,
	  .query = "",
	  .body = "",
	  .peer = addr_of_v4(peer),
	  .stop.deadline_ns = UINT64_MAX};
	return &f->request;
}

// Admits the request and, if that went well, answers it; returns the status.
static inline int app_run(struct app_fixture *f)
{
	struct auth_claims claims = {};
	json_decref(f->answer);
	response_fini(&f->response);
	const struct route *route = route_admit(&f->app, &f->request, &f->response, &claims);
	assert_true(route || f->response.status >= 400);
	if (route) {
		assert_int_equal(f->response.status, 0);
		route_run(&f->app, route, &f->request, &claims, &f->response);
	}
	f->answer = f->response.body ? json_loadb(
					       f->response.body,
					       f->response.body_len,
					       JSON_REJECT_DUPLICATES,
					       NULL
				       )
				     : NULL;
	assert_non_null(f->answer); // every answer is a document
	return f->response.status;
}

// GET with the user's token.
static inline int app_get(struct app_fixture *f, const char *path, const char *query)
{
	struct request *r = app_request(f, "GET", path);
	r->query = query;
	r->query_len = strlen(query);
	r->authorization = f->bearer;
	return app_run(f);
}

static inline const char *app_error(const struct app_fixture *f)
{
	const char *text = json_string_value(json_object_get(f->answer, "errorMessage"));
	return text ? text : "";
}

// A member of the answer's result, by its path: app_result(f, "kpi.total_bytes").
static inline json_t *app_result(const struct app_fixture *f, const char *path)
{
	json_t *j = json_object_get(f->answer, "result");
	char name[64];
	while (j && *path) {
		size_t n = strcspn(path, ".");
		assert_in_range(n, 1, sizeof(name) - 1);
		memcpy(name, path, n);
		name[n] = '\0';
		j = json_object_get(j, name);
		path += n + (path[n] == '.');
	}
	if (!j)
		fail_msg("no such member: %s", f->response.body);
	return j;
}

// That a document is to the letter what JSON text (with ' for ") says.
static inline void app_check_json(const json_t *got, const char *text)
{
	char *copy = strdup(text);
	assert_non_null(copy);
	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	json_t *want = json_loads(copy, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	assert_non_null(want);
	bool same = json_equal(got, want);
	char *shown = json_dumps(got, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(want);
	free(copy);
	if (!same)
		fail_msg("%s instead of %s", shown, text);
	free(shown);
}
