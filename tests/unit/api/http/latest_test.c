// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/http/app.h"

#define PATH "/mbox/api/netflow/latest"

static void before_there_are_rows_there_is_nothing_latest(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	assert_int_equal(app_get(f, PATH, ""), 404);
	assert_non_null(strstr(app_error(f), "no data"));
}

// ROWS_HOUR is 2025-11-24 16:00.
static void the_newest_hour_and_the_span_of_all_are_told(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	app_commit(f, rows_batch(0, ROWS_HOUR + 2, 10));
	app_commit(f, rows_batch(0, ROWS_HOUR - 20, 10));
	app_commit(f, rows_batch(0, ROWS_HOUR, 10));
	assert_int_equal(app_get(f, PATH, ""), 200);
	app_check_json(
		app_result(f, ""),
		"{'start': '2025/11/24 18:00', 'end': '2025/11/24 18:59',"
		" 'latest_file': 'nfcapd.202511241800', 'interval_sec': 3600,"
		" 'interval_label': '1h', 'is_cached': false,"
		" 'data_start': '2025/11/23 20:00', 'data_end': '2025/11/24 18:59'}"
	);
}

static void an_hour_is_cached_once_it_is_sealed(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	app_commit(f, rows_batch(0, ROWS_HOUR, 10));
	assert_int_equal(store_seal(f->store, 0, true, f->error), 10);
	assert_int_equal(app_get(f, PATH, "entity=netflow"), 200);
	assert_true(json_is_true(app_result(f, "is_cached")));
	app_commit(f, rows_batch(0, ROWS_HOUR, 1)); // a late one
	usleep(SOURCE_MAX_AGE_NS / NS_PER_USEC);
	assert_int_equal(app_get(f, PATH, ""), 200);
	assert_true(json_is_false(app_result(f, "is_cached")));
}

static void what_is_told_can_be_asked_for(void **state)
{
	struct app_fixture *f = *state;
	char query[128];
	app_open_store(f);
	app_commit(f, rows_batch(0, ROWS_HOUR, 10));
	assert_int_equal(app_get(f, PATH, ""), 200);
	snprintf(
		query,
		sizeof(query),
		"start=%s&end=%s",
		json_string_value(app_result(f, "start")),
		json_string_value(app_result(f, "end"))
	);
	assert_int_equal(app_get(f, "/mbox/api/netflow/kpi", query), 200);
	assert_int_equal(json_integer_value(app_result(f, "kpi.active_flows")), 10);
}

static void other_entities_rows_do_not_count(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	assert_int_equal(store_entity(f->store, "lentor"), 1);
	app_commit(f, rows_batch(1, ROWS_HOUR, 10));
	assert_int_equal(app_get(f, PATH, ""), 404);
	app_commit(f, rows_batch(0, ROWS_HOUR - 5, 10));
	usleep(SOURCE_MAX_AGE_NS / NS_PER_USEC);
	assert_int_equal(app_get(f, PATH, ""), 200);
	assert_string_equal(json_string_value(app_result(f, "start")), "2025/11/24 11:00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_set_up, app_tear_down)
		TEST(before_there_are_rows_there_is_nothing_latest),
		TEST(the_newest_hour_and_the_span_of_all_are_told),
		TEST(an_hour_is_cached_once_it_is_sealed),
		TEST(what_is_told_can_be_asked_for),
		TEST(other_entities_rows_do_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
