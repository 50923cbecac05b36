// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/http/app.h"

static json_t *operation(const struct app_fixture *f, const struct route *r)
{
	char method[8] = "";
	for (size_t i = 0; r->method[i]; i++)
		method[i] = (char)(r->method[i] | 0x20);
	json_t *path = json_object_get(json_object_get(f->answer, "paths"), r->path);
	json_t *op = json_object_get(path, method);
	if (!op)
		fail_msg("%s %s is not described", r->method, r->path);
	return op;
}

static size_t count_words(const char *text)
{
	size_t n = *text != '\0';
	for (; *text; text++)
		n += *text == ' ';
	return n;
}

static void every_route_is_described(void **state)
{
	struct app_fixture *f = *state;
	app_request(f, "GET", "/openapi.json");
	assert_int_equal(app_run(f), 200);
	assert_string_equal(json_string_value(json_object_get(f->answer, "openapi")), "3.0.3");
	for (size_t i = 0; i < n_routes; i++) {
		json_t *op = operation(f, &routes[i]);
		json_t *list = json_object_get(op, "parameters"), *p;
		bool has_body = strcmp(routes[i].method, "POST") == 0;
		size_t k;
		assert_int_equal(
			json_array_size(list), has_body ? 0 : count_words(routes[i].takes)
		);
		json_array_foreach(list, k, p) // none is unknown to the dictionary
			assert_true(*json_string_value(json_object_get(p, "name")) != '\0');
		assert_true(!has_body == !json_object_get(op, "requestBody"));
		assert_non_null(json_object_get(json_object_get(op, "responses"), "2XX"));
		assert_int_equal(
			json_array_size(json_object_get(op, "security")),
			routes[i].scope != ROUTE_PUBLIC
		);
	}
}

static void the_body_of_a_posted_record_is_described(void **state)
{
	struct app_fixture *f = *state;
	app_request(f, "GET", "/openapi.json");
	assert_int_equal(app_run(f), 200);
	for (size_t i = 0; i < n_routes; i++) {
		if (strcmp(routes[i].path, "/api/v1/poc_traffic/direct") != 0)
			continue;
		json_t *at = json_object_get(operation(f, &routes[i]), "requestBody");
		at = json_object_get(json_object_get(at, "content"), "application/json");
		at = json_object_get(at, "schema");
		assert_int_equal(json_array_size(json_object_get(at, "required")), 8);
		at = json_object_get(json_object_get(at, "properties"), "action");
		app_check_json(at, "{'type':'string','enum':['Allow','Deny']}");
		return;
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_route_is_described, app_set_up, app_tear_down
		),
		cmocka_unit_test_setup_teardown(
			the_body_of_a_posted_record_is_described, app_set_up, app_tear_down
		),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
