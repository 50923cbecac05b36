// SPDX-License-Identifier: Apache-2.0

// A request from its head to its answer: routes, tokens, parameters, bodies, over a store with a
// few rows; the collector does not answer. Input: "METHOD PATH?QUERY", lines of headers, an empty
// line, the body. "As: ROLE" brings a good token of that role.

#include "lib/base/log.h"
#include "tests/unit/api/http/app.h"

#include <assert.h>

#define INPUT_MAX 8192
#define LIMIT_NS (500 * NS_PER_MSEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const roles[] = {"viewer", "analyst", "admin", "exporter"};
static char *bearers[4];

static struct app_fixture *set_up(void)
{
	void *state;
	log_open("fuzz", LOG_LEVEL_ERR);
	assert(app_set_up(&state) == 0);
	struct app_fixture *f = state;
	app_open_store(f);
	f->config.max_streams = 4;
	for (unsigned i = 0; i < 4; i++) {
		struct store_user u = f->user;
		u.api_id[0] = (char)('a' + i);
		strcpy(u.role, roles[i]);
		assert(store_user_add(f->store, &u) == 0);
		bearers[i] = app_bearer(f, &u);
	}
	app_commit(f, rows_batch(0, ROWS_HOUR, 40));
	assert(store_seal(f->store, 0, true, f->error) > 0);
	app_commit(f, rows_batch(0, ROWS_HOUR + 1, 20));
	return f;
}

// Cuts the next line off; NULL: an empty one, or the end.
static char *next_line(char **at)
{
	char *line = *at, *end = line ? strchr(line, '\n') : NULL;
	*at = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return line && *line ? line : NULL;
}

static void take_header(struct request *r, const char *line)
{
	static const struct {
		const char *name;
		size_t at;
	} known[] = {
		{"Authorization: ", offsetof(struct request, authorization)},
		{"Cookie: ", offsetof(struct request, cookie)},
		{"Content-Type: ", offsetof(struct request, content_type)},
		{"Accept: ", offsetof(struct request, accept)},
		{"Last-Event-ID: ", offsetof(struct request, last_event_id)},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(line, known[i].name, strlen(known[i].name)) == 0)
			*(const char **)((char *)r + known[i].at) = line + strlen(known[i].name);
	for (unsigned i = 0; i < 4; i++)
		if (strncmp(line, "As: ", 4) == 0 && strcmp(line + 4, roles[i]) == 0)
			r->authorization = bearers[i];
}

static void check(const struct response *r)
{
	assert(r->status >= 200 && r->status < 600 && r->content_type);
	assert(r->stream || r->body);
	if (!r->body || !strstr(r->content_type, "json") || strstr(r->content_type, "ndjson"))
		return;
	json_t *doc = json_loadb(r->body, r->body_len, JSON_REJECT_DUPLICATES, NULL);
	assert(doc);
	json_decref(doc);
}

// What is streamed fits into the stream: nobody needs to read it meanwhile.
static void start(struct response *)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct app_fixture *f;
	static char text[INPUT_MAX + 1];
	struct response response = {.start = start};
	struct auth_claims claims = {};
	char *at = text, *line;
	if (!f)
		f = set_up();
	if (size > INPUT_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	char *method = next_line(&at);
	char *path = method ? strchr(method, ' ') : NULL;
	if (!path)
		return 0;
	*path++ = '\0';
	struct request *r = app_request(f, method, path);
	r->stop.deadline_ns = clock_mono_ns() + LIMIT_NS;
	char *query = strchr(path, '?');
	if (query) {
		*query++ = '\0';
		r->query = query;
		r->query_len = strlen(query);
	}
	while ((line = next_line(&at)))
		take_header(r, line);
	if (at && at < text + size) {
		r->body = at;
		r->body_len = (size_t)(text + size - at);
	}
	const struct route *route = route_admit(&f->app, r, &response, &claims);
	if (route)
		route_run(&f->app, route, r, &claims, &response);
	check(&response);
	response_fini(&response);
	return 0;
}
