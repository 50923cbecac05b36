// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/http/app.h"

static const struct route *route_of(const char *path)
{
	for (size_t i = 0; i < n_routes; i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	fail();
	return NULL;
}

// The metrics as text; NUL-terminated.
static char *scrape(struct app_fixture *f, const char *accept)
{
	struct auth_claims claims = {};
	struct request *r = app_request(f, "GET", "/metrics");
	r->accept = accept;
	r->authorization = f->bearer;
	response_fini(&f->response);
	const struct route *route = route_admit(&f->app, r, &f->response, &claims);
	assert_non_null(route);
	route_run(&f->app, route, r, &claims, &f->response);
	assert_int_equal(f->response.status, 200);
	return strndup(f->response.body, f->response.body_len);
}

static void check_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);
	if (!at || (at != text && at[-1] != '\n'))
		fail_msg("no line '%s' in:\n%s", line, text);
}

static void what_was_answered_is_counted(void **state)
{
	struct app_fixture *f = *state;
	const struct route *flows = route_of("/api/v1/flows");
	for (int i = 0; i < 3; i++)
		metrics_count(f->app.metrics, flows, 200, 100, NS_PER_SEC / 50);
	metrics_count(f->app.metrics, flows, 400, 10, 2 * NS_PER_SEC);
	metrics_count(f->app.metrics, NULL, 404, 1, 100 * NS_PER_SEC);
	metrics_count(f->app.metrics, NULL, 418, 1, 0);
	metrics_count(NULL, NULL, 200, 1, 1);
	char *text = scrape(f, "application/openmetrics-text; version=1.0.0");
	assert_non_null(strstr(f->response.content_type, "openmetrics-text"));
	check_line(text, "# TYPE weir_api_requests counter\n");
	check_line(
		text,
		"weir_api_requests_total{method=\"GET\",route=\"/api/v1/flows\",code=\"200\"} 3\n"
	);
	check_line(
		text,
		"weir_api_requests_total{method=\"GET\",route=\"/api/v1/flows\",code=\"400\"} 1\n"
	);
	check_line(text, "weir_api_requests_total{method=\"\",route=\"\",code=\"404\"} 1\n");
	check_line(text, "weir_api_requests_total{method=\"\",route=\"\",code=\"other\"} 1\n");
	check_line(text, "weir_api_request_seconds_bucket{le=\"0.005\"} 1\n");
	check_line(text, "weir_api_request_seconds_bucket{le=\"0.025\"} 4\n");
	check_line(text, "weir_api_request_seconds_bucket{le=\"10.000\"} 5\n");
	check_line(text, "weir_api_request_seconds_bucket{le=\"+Inf\"} 6\n");
	check_line(text, "weir_api_request_seconds_count 6\n");
	check_line(text, "weir_api_response_bytes_total 312\n");
	check_line(text, "weir_api_store_up 0\n");
	check_line(text, "# EOF\n");
	free(text);
}

static void who_does_not_ask_for_openmetrics_gets_the_older_form(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	char *text = scrape(f, "text/plain");
	check_line(text, "# TYPE weir_api_requests_total counter\n");
	check_line(text, "weir_api_store_up 1\n");
	assert_null(strstr(text, "# EOF"));
	assert_non_null(strstr(f->response.content_type, "version=0.0.4"));
	free(text);
}

static void strangers_need_a_token(void **state)
{
	struct app_fixture *f = *state;
	app_request(f, "GET", "/metrics");
	assert_int_equal(app_run(f), 401);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_answered_is_counted, app_set_up, app_tear_down
		),
		cmocka_unit_test_setup_teardown(
			who_does_not_ask_for_openmetrics_gets_the_older_form,
			app_set_up,
			app_tear_down
		),
		cmocka_unit_test_setup_teardown(strangers_need_a_token, app_set_up, app_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
