// SPDX-License-Identifier: Apache-2.0

// The route; the resolver behind it is switched off here and has a test of its own.

#include "tests/unit/api/http/app.h"

#define PATH "/mbox/api/netflow/resolve"

static int set_up(void **state)
{
	app_set_up(state);
	app_open_store(*state);
	return 0;
}

static void check(struct app_fixture *f, const char *query, const char *want)
{
	assert_int_equal(app_get(f, PATH, query), 200);
	app_check_json(app_result(f, ""), want);
}

static void each_address_is_answered_for(void **state)
{
	check(*state,
	      "ips=8.8.8.8,1.1.1.1,192.168.1.1",
	      "{'8.8.8.8': '', '1.1.1.1': '', '192.168.1.1': ''}");
	check(*state,
	      "ips=2001:db8::1,%3A%3A1,::ffff:192.0.2.1",
	      "{'2001:db8::1': '', '::1': '', '::ffff:192.0.2.1': ''}");
	check(*state, "ips=+8.8.8.8+,+1.1.1.1", "{'8.8.8.8': '', '1.1.1.1': ''}");
	check(*state, "ips=8.8.8.8,8.8.8.8", "{'8.8.8.8': ''}");
}

static void what_is_no_address_is_skipped(void **state)
{
	check(*state, "", "{}");
	check(*state, "ips", "{}");
	check(*state, "ips=", "{}");
	check(*state, "ips=,,,", "{}");
	check(*state, "ips=localhost,example.net", "{}");
	check(*state, "ips=300.1.1.1,1.1.1,1.1.1.1/8,%5B::1%5D,0x7f.1,1.1.1.1", "{'1.1.1.1': ''}");
	check(*state,
	      "ips=11111111111111111111111111111111111111111111111111111111111111111,1.1.1.1",
	      "{'1.1.1.1': ''}");
}

static void no_more_than_twenty_are_answered_for(void **state)
{
	struct app_fixture *f = *state;
	char query[4096] = "ips=nonsense";
	for (int i = 0; i < 30; i++)
		sprintf(query + strlen(query), ",10.0.0.%d,10.0.0.%d", i, i);
	assert_int_equal(app_get(f, PATH, query), 200);
	assert_int_equal(json_object_size(app_result(f, "")), 20);
	assert_non_null(json_object_get(app_result(f, ""), "10.0.0.0"));
	assert_non_null(json_object_get(app_result(f, ""), "10.0.0.19"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, app_tear_down)
		TEST(each_address_is_answered_for),
		TEST(what_is_no_address_is_skipped),
		TEST(no_more_than_twenty_are_answered_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
