// SPDX-License-Identifier: Apache-2.0
#include "lib/base/control_server.h"
#include "tests/unit/api/http/app.h"

static _Atomic unsigned n_pings;

static json_t *ping(void *, json_t *, char error[static 256])
{
	(void)error;
	n_pings++;
	return json_object();
}

static const struct control_command commands[] = {{"ping", ping, ""}, {}};

static int get(struct app_fixture *f, const char *path)
{
	app_request(f, "GET", path);
	return app_run(f);
}

static const char *check_status(struct app_fixture *f, size_t i)
{
	const json_t *check = json_array_get(json_object_get(f->answer, "checks"), i);
	return json_string_value(json_object_get(check, "status"));
}

static void the_process_is_alive_whatever_else_is_not(void **state)
{
	struct app_fixture *f = *state;
	f->app.started_ns -= 75 * NS_PER_SEC;
	assert_int_equal(get(f, "/healthz"), 200);
	assert_string_equal(json_string_value(json_object_get(f->answer, "status")), "ok");
	assert_in_range(json_integer_value(json_object_get(f->answer, "uptime_sec")), 75, 135);
}

static void without_a_store_it_is_not_ready(void **state)
{
	struct app_fixture *f = *state;
	assert_int_equal(get(f, "/readyz"), 503);
	app_check_json(
		f->answer,
		"{'ready': false, 'status': 'error', 'checks': ["
		"{'name': 'store', 'status': 'error',"
		" 'reason': 'there is no store, or it cannot be read'},"
		"{'name': 'collector', 'status': 'error',"
		" 'reason': 'no answer on its control socket'}]}"
	);
}

static void without_a_collector_it_is_ready_with_a_warning(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	assert_int_equal(get(f, "/readyz"), 200);
	assert_true(json_is_true(json_object_get(f->answer, "ready")));
	assert_string_equal(json_string_value(json_object_get(f->answer, "status")), "warning");
	assert_string_equal(check_status(f, 0), "ok");
	assert_string_equal(check_status(f, 1), "error");
}

static void with_both_all_is_well(void **state)
{
	struct app_fixture *f = *state;
	struct control *c;
	char path[100];
	snprintf(path, sizeof(path), "%s/control", f->dir);
	f->config.control = path;
	n_pings = 0;
	app_open_store(f);
	assert_int_equal(control_start(path, commands, NULL, &c), 0);
	uint64_t start = clock_mono_ns();
	for (int i = 0; i < 200; i++) {
		assert_int_equal(get(f, "/readyz"), 200);
		app_check_json(
			f->answer,
			"{'ready': true, 'status': 'ok', 'checks': ["
			"{'name': 'store', 'status': 'ok'}, {'name': 'collector', 'status': 'ok'},"
			"{'name': 'intake', 'status': 'ok'}]}"
		);
	}
	// anybody may ask, and the collector is asked once a second
	assert_in_range(n_pings, 1, 1 + (clock_mono_ns() - start) / NS_PER_SEC);
	control_stop(c);
}

static json_t *ping_of_a_full_disk(void *, json_t *, char error[static 256])
{
	(void)error;
	return json_pack("{s:s}", "intake", "no_space");
}

static void that_intake_waits_is_said(void **state)
{
	static const struct control_command full[] = {{"ping", ping_of_a_full_disk, ""}, {}};
	struct app_fixture *f = *state;
	struct control *c;
	char path[100];
	snprintf(path, sizeof(path), "%s/control", f->dir);
	f->config.control = path;
	app_open_store(f);
	assert_int_equal(control_start(path, full, NULL, &c), 0);
	assert_int_equal(get(f, "/readyz"), 200);
	app_check_json(
		f->answer,
		"{'ready': true, 'status': 'warning', 'checks': ["
		"{'name': 'store', 'status': 'ok'}, {'name': 'collector', 'status': 'ok'},"
		"{'name': 'intake', 'status': 'error', 'reason': 'no_space: intake waits'}]}"
	);
	control_stop(c);
}

static void the_index_names_routes_that_there_are(void **state)
{
	struct app_fixture *f = *state;
	static const char *const lists[] = {"resources", "health"};
	assert_int_equal(get(f, "/"), 200);
	for (size_t i = 0; i < 2; i++) {
		const json_t *list = json_object_get(f->answer, lists[i]);
		assert_true(json_array_size(list) > 0);
		for (size_t k = 0; k < json_array_size(list); k++) {
			size_t n = 0;
			while (n < n_routes &&
			       strcmp(routes[n].path, json_string_value(json_array_get(list, k))) !=
				       0)
				n++;
			assert_in_range(n, 0, n_routes - 1);
		}
	}
	assert_string_equal(
		json_string_value(json_object_get(f->answer, "login")),
		"POST /mbox/api/netflow/auth"
	);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_set_up, app_tear_down)
		TEST(the_process_is_alive_whatever_else_is_not),
		TEST(without_a_store_it_is_not_ready),
		TEST(without_a_collector_it_is_ready_with_a_warning),
		TEST(that_intake_waits_is_said),
		TEST(with_both_all_is_well),
		TEST(the_index_names_routes_that_there_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
