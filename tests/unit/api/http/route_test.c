// SPDX-License-Identifier: Apache-2.0
#include "api/http/route.h"
#include "tests/unit/api/http/app.h"

#define MBOX "/mbox/api/netflow/"
#define HOUR_QUERY "start=2025/11/24%2016:00&end=2025/11/24%2016:59" // ROWS_HOUR

// Those that clients of old know: everything is {"status": bool, …}.
static bool is_compatible(const char *path)
{
	return strncmp(path, MBOX, strlen(MBOX)) == 0;
}

static void check_refused(struct app_fixture *f, int status)
{
	int got = app_run(f);
	if (got != status)
		fail_msg("%s %s: %d", f->request.method, f->request.path, got);
	assert_null(json_object_get(f->answer, "result"));
	if (strncmp(f->request.path, "/api/", 5) == 0)
		return; // ours, not bound to that form
	assert_true(json_is_false(json_object_get(f->answer, "status")));
	assert_int_not_equal(app_error(f)[0], '\0');
}

static bool is_get(size_t i)
{
	return strcmp(routes[i].method, "GET") == 0;
}

static bool has_route(const char *method, const char *path)
{
	for (size_t i = 0; i < n_routes; i++)
		if (strcmp(routes[i].path, path) == 0 && strcmp(routes[i].method, method) == 0)
			return true;
	return false;
}

static void the_routes_that_clients_know_are_there(void **)
{
	static const struct {
		const char *method, *path;
		enum route_scope scope;
	} known[] = {
		{"POST", MBOX "auth", ROUTE_PUBLIC},
		{"GET", MBOX "latest", ROUTE_TOKEN},
		{"GET", MBOX "kpi", ROUTE_TOKEN},
		{"GET", MBOX "flows", ROUTE_TOKEN},
		{"GET", MBOX "resolve", ROUTE_TOKEN},
		{"GET", "/healthz", ROUTE_PUBLIC},
		{"GET", "/readyz", ROUTE_PUBLIC}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t k = 0;
		while (k < n_routes && strcmp(routes[k].path, known[i].path) != 0)
			k++;
		assert_in_range(k, 0, n_routes - 1);
		assert_string_equal(routes[k].method, known[i].method);
		assert_int_equal(routes[k].scope, known[i].scope);
	}
	for (size_t i = 0; i < n_routes; i++) {
		assert_int_equal(routes[i].path[0], '/');
		assert_non_null(routes[i].handle);
		assert_int_not_equal(routes[i].text[0], '\0');
	}
}

// Tokens that are none, or none of ours, or none any more.
static void each_route_of_the_table_refuses_who_has_no_token(void **state)
{
	struct app_fixture *f = *state;
	struct auth_key other = {"somebody else's thirty-two bytes"};
	char *foreign = auth_token_create(&other, &f->user, clock_now_ns(), 3600);
	char *past =
		auth_token_create(&f->app.key, &f->user, clock_now_ns() - 2 * NS_PER_HOUR, 3600);
	const char *const headers[] = {
		NULL,
		"",
		"Bearer",
		"Bearer ",
		"Bearer null",
		"Bearer a.b.c",
		"Basic dTpw",
		foreign,
		past};
	unsigned n_checked = 0;
	for (size_t i = 0; i < n_routes; i++) {
		for (size_t k = 0; k < sizeof(headers) / sizeof(headers[0]); k++) {
			struct request *r = app_request(f, routes[i].method, routes[i].path);
			if (routes[i].scope != ROUTE_TOKEN)
				continue;
			r->authorization = headers[k];
			check_refused(f, 401);
			r->method = "HEAD";
			if (is_get(i))
				check_refused(f, 401);
			n_checked++;
		}
		struct request *r = app_request(f, routes[i].method, routes[i].path);
		r->cookie = "weir_token=a.b.c";
		if (routes[i].scope == ROUTE_TOKEN)
			check_refused(f, 401);
	}
	assert_true(n_checked >= 4 * sizeof(headers) / sizeof(headers[0]));
	free(foreign);
	free(past);
}

static bool is_admitted(struct app_fixture *f, const struct route *want)
{
	struct auth_claims claims = {};
	response_fini(&f->response);
	const struct route *got = route_admit(&f->app, &f->request, &f->response, &claims);
	if (got && got->scope == ROUTE_TOKEN)
		assert_string_equal(claims.api_id, APP_API_ID);
	return got == want;
}

static void each_route_admits_a_token_wherever_it_may_stand(void **state)
{
	struct app_fixture *f = *state;
	char cookie[2048];
	snprintf(cookie, sizeof(cookie), "theme=dark; weir_token=%s; x=y", f->bearer + 7);
	for (size_t i = 0; i < n_routes; i++) {
		struct request *r = app_request(f, routes[i].method, routes[i].path);
		assert_int_equal(is_admitted(f, &routes[i]), routes[i].scope == ROUTE_PUBLIC);
		r->authorization = f->bearer;
		assert_true(is_admitted(f, &routes[i]));
		r->authorization = f->bearer + 7; // alone
		assert_true(is_admitted(f, &routes[i]));
		r->authorization = NULL;
		r->cookie = cookie;
		assert_true(is_admitted(f, &routes[i]));
	}
}

static void head_is_admitted_where_get_is(void **state)
{
	struct app_fixture *f = *state;
	for (size_t i = 0; i < n_routes; i++) {
		struct auth_claims claims = {};
		app_request(f, "HEAD", routes[i].path)->authorization = f->bearer;
		response_fini(&f->response);
		const struct route *got = route_admit(&f->app, &f->request, &f->response, &claims);
		bool is_get = has_route("GET", routes[i].path);
		assert_int_equal(f->response.status, is_get ? 0 : 405);
		assert_int_equal(got != NULL, is_get);
		if (got)
			assert_string_equal(got->method, "GET");
	}
}

// Whether "GET, HEAD, POST" or the like has the method among its words.
static bool is_listed(const char *allow, const char *method)
{
	for (const char *at = allow; (at = strstr(at, method)); at++)
		if ((at == allow || at[-1] == ' ') && strchr(",", at[strlen(method)]))
			return true;
	return false;
}

static void other_methods_are_told_which_are_allowed(void **state)
{
	struct app_fixture *f = *state;
	static const char *const methods[] = {
		"GET",
		"HEAD",
		"POST",
		"PUT",
		"PATCH",
		"DELETE",
		"OPTIONS",
		"TRACE",
		"CONNECT",
		"get",
		"Get ",
		"",
		"PROPFIND"};
	enum { N = sizeof(methods) / sizeof(methods[0]) };
	for (size_t i = 0; i < n_routes; i++)
		for (size_t k = 0; k < N; k++) {
			const char *path = routes[i].path;
			bool is_head = strcmp(methods[k], "HEAD") == 0;
			if (has_route(is_head ? "GET" : methods[k], path))
				continue;
			app_request(f, methods[k], path)->authorization = f->bearer;
			check_refused(f, 405);
			assert_non_null(f->response.allow);
			for (size_t m = 0; m < N && *methods[m]; m++)
				assert_int_equal(
					is_listed(f->response.allow, methods[m]),
					has_route(m == 1 ? "GET" : methods[m], path)
				);
		}
}

static void what_is_not_in_the_table_is_not_found(void **state)
{
	struct app_fixture *f = *state;
	static const char *const paths[] = {
		"",
		"*",
		"//",
		"/index.html",
		"/favicon.ico",
		"/healthz/",
		"/HEALTHZ",
		"//healthz",
		"/./healthz",
		"/x/../healthz",
		"/%68ealthz",
		"/healthz%00",
		"/healthz;x",
		"healthz",
		"/mbox",
		MBOX,
		MBOX "kpi/",
		MBOX "KPI",
		MBOX "kp",
		MBOX "kpis",
		MBOX "/kpi",
		MBOX "../netflow/kpi",
		MBOX "..%2fkpi",
		"/mbox/api/lentor/kpi",
		"http://127.0.0.1/healthz",
		"/etc/passwd"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		app_request(f, "GET", paths[i])->authorization = f->bearer;
		check_refused(f, 404);
		assert_null(f->response.allow);
	}
}

static void nothing_is_said_of_a_route_without_its_token(void **state)
{
	struct app_fixture *f = *state;
	struct request *r = app_request(f, "GET", MBOX "kpi");
	r->query = "start=%zz&limit=0"; // a fault that is not looked at
	r->query_len = strlen(r->query);
	check_refused(f, 401);
}

static void each_route_answers_a_user(void **state)
{
	struct app_fixture *f = *state;
	unsigned n_answered = 0;
	app_open_store(f);
	app_commit(f, rows_batch(0, ROWS_HOUR, 50));
	for (size_t i = 0; i < n_routes; i++) {
		if (!is_get(i) || !is_compatible(routes[i].path))
			continue;
		if (app_get(f, routes[i].path, HOUR_QUERY) != 200)
			fail_msg("%s: %s", routes[i].path, f->response.body);
		assert_true(json_is_true(json_object_get(f->answer, "status")));
		n_answered++;
	}
	assert_int_equal(n_answered, 4);
}

static void check_all_401(struct app_fixture *f)
{
	for (size_t i = 0; i < n_routes; i++) {
		struct request *r = app_request(f, routes[i].method, routes[i].path);
		r->authorization = f->bearer;
		if (routes[i].scope == ROUTE_TOKEN)
			check_refused(f, 401);
	}
}

static void a_rotated_secret_ends_its_tokens_at_once(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	assert_int_equal(app_get(f, MBOX "resolve", ""), 200);
	f->user.generation++;
	assert_int_equal(store_user_update(f->store, &f->user), 0);
	check_all_401(f);
	free(f->bearer);
	f->bearer = app_bearer(f, &f->user);
	assert_int_equal(app_get(f, MBOX "resolve", ""), 200);
}

static void a_user_who_is_gone_has_no_tokens(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	assert_int_equal(app_get(f, MBOX "resolve", ""), 200);
	assert_int_equal(store_user_del(f->store, APP_API_ID), 0);
	check_all_401(f);
}

static void a_user_whose_role_or_entity_changed_has_to_log_in_again(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	strcpy(f->user.role, "admin");
	assert_int_equal(store_user_update(f->store, &f->user), 0);
	check_all_401(f);
	strcpy(f->user.role, "viewer");
	strcpy(f->user.entity, "lentor");
	assert_int_equal(store_user_update(f->store, &f->user), 0);
	check_all_401(f);
}

static void a_token_for_one_entity_opens_no_other(void **state)
{
	struct app_fixture *f = *state;
	static const char *const paths[] = {MBOX "latest", MBOX "kpi", MBOX "flows"};
	char query[256];
	app_open_store(f);
	assert_int_equal(store_entity(f->store, "lentor"), 1);
	app_commit(f, rows_batch(1, ROWS_HOUR, 50));
	for (size_t i = 0; i < 3; i++) {
		snprintf(query, sizeof(query), "%s&entity=lentor", HOUR_QUERY);
		assert_int_equal(app_get(f, paths[i], query), 403);
		snprintf(query, sizeof(query), "%s&entity=nobody", HOUR_QUERY);
		assert_int_equal(app_get(f, paths[i], query), 403); // whether it exists or not
		snprintf(query, sizeof(query), "%s&entity=%0100d", HOUR_QUERY, 1);
		assert_int_equal(app_get(f, paths[i], query), 400);
		// none of the other's rows without the parameter either
		int want = i == 0 ? 404 : 200;
		assert_int_equal(app_get(f, paths[i], HOUR_QUERY), want);
		snprintf(query, sizeof(query), "%s&entity=", HOUR_QUERY);
		assert_int_equal(app_get(f, paths[i], query), want);
		assert_null(strstr(f->response.body, "src_ip"));
	}
	strcpy(f->user.entity, "lentor");
	assert_int_equal(store_user_update(f->store, &f->user), 0);
	free(f->bearer);
	f->bearer = app_bearer(f, &f->user);
	snprintf(query, sizeof(query), "%s&entity=lentor", HOUR_QUERY);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(app_get(f, paths[i], query), 200);
}

static void a_query_string_that_is_broken_is_a_fault_of_the_client(void **state)
{
	struct app_fixture *f = *state;
	static const char *const queries[] = {
		"start=%zz", "entity=netflow&entity=netflow", "a=%00", "a=\xff"};
	app_open_store(f);
	for (size_t i = 0; i < n_routes; i++)
		for (size_t k = 0; k < sizeof(queries) / sizeof(queries[0]); k++)
			if (routes[i].scope == ROUTE_TOKEN && is_get(i))
				assert_int_equal(app_get(f, routes[i].path, queries[k]), 400);
}

static void without_a_store_it_is_said_so(void **state)
{
	struct app_fixture *f = *state;
	for (size_t i = 0; i < n_routes; i++) {
		if (routes[i].scope != ROUTE_TOKEN || !is_get(i))
			continue;
		assert_int_equal(app_get(f, routes[i].path, HOUR_QUERY), 503);
		assert_int_not_equal(f->response.retry_after_sec, 0);
		assert_null(strstr(f->response.body, f->dir)); // not where it would be
	}
	assert_int_equal(app_get(f, "/healthz", ""), 200);
	assert_int_equal(app_get(f, "/readyz", ""), 503);
	assert_true(json_is_false(json_object_get(f->answer, "ready")));
}

static void a_request_that_waited_too_long_is_not_begun(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	for (size_t i = 0; i < n_routes; i++) {
		struct request *r = app_request(f, routes[i].method, routes[i].path);
		r->authorization = f->bearer;
		r->stop.deadline_ns = clock_mono_ns();
		check_refused(f, 503);
		assert_int_not_equal(f->response.retry_after_sec, 0);
		r->stop.deadline_ns = UINT64_MAX;
		atomic_store(&r->stop.gone, true);
		check_refused(f, 503);
	}
}

static void a_query_that_failed_is_said_without_its_inside(void **state)
{
	static const struct {
		int ret, status;
		bool retry;
	} cases[] = {
		{-ETIMEDOUT, 503, true},
		{-ECANCELED, 503, false},
		{-EIO, 500, false},
		{-ENOMEM, 500, false}};
	struct app_fixture *f = *state;
	struct call c = {
		.app = &f->app,
		.request = app_request(f, "GET", MBOX "kpi"),
		.response = &f->response};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		response_fini(&f->response);
		call_failed(&c, cases[i].ret);
		assert_int_equal(f->response.status, cases[i].status);
		assert_int_equal(f->response.retry_after_sec > 0, cases[i].retry);
		assert_null(strstr(f->response.body, strerror(-cases[i].ret)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_set_up, app_tear_down)
		TEST(the_routes_that_clients_know_are_there),
		TEST(each_route_of_the_table_refuses_who_has_no_token),
		TEST(each_route_admits_a_token_wherever_it_may_stand),
		TEST(head_is_admitted_where_get_is),
		TEST(other_methods_are_told_which_are_allowed),
		TEST(what_is_not_in_the_table_is_not_found),
		TEST(nothing_is_said_of_a_route_without_its_token),
		TEST(each_route_answers_a_user),
		TEST(a_rotated_secret_ends_its_tokens_at_once),
		TEST(a_user_who_is_gone_has_no_tokens),
		TEST(a_user_whose_role_or_entity_changed_has_to_log_in_again),
		TEST(a_token_for_one_entity_opens_no_other),
		TEST(a_query_string_that_is_broken_is_a_fault_of_the_client),
		TEST(without_a_store_it_is_said_so),
		TEST(a_request_that_waited_too_long_is_not_begun),
		TEST(a_query_that_failed_is_said_without_its_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
