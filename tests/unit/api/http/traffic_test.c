// SPDX-License-Identifier: Apache-2.0

// What is refused before the collector is asked; what it answers is in tests/integration.

#include "tests/unit/api/http/app.h"

#define PATH "/api/v1/poc_traffic/direct"

// The request of the seed.
#define GOOD                                                                                       \
	"{'firewall':'fortinet','direction':'inbound','dst_ip':'192.168.0.1','service':'org1',"    \
	"'src_port':3435,'dst_port':443,'src_ip':'94.22.73.32','action':'Allow'}"

static int set_up(void **state)
{
	app_set_up(state);
	struct app_fixture *f = *state;
	free(f->bearer);
	strcpy(f->user.role, "exporter");
	f->bearer = app_bearer(f, &f->user);
	app_open_store(f);
	return 0;
}

// Posts JSON text with ' for ".
static int post(struct app_fixture *f, const char *text, const char *query)
{
	static char body[4096];
	struct request *r = app_request(f, "POST", PATH);
	snprintf(body, sizeof(body), "%s", text);
	for (char *p = body; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	r->body = body;
	r->body_len = strlen(body);
	r->query = query;
	r->query_len = strlen(query);
	r->content_type = "application/json";
	r->authorization = f->bearer;
	return app_run(f);
}

static const char *detail(const struct app_fixture *f)
{
	const char *text = json_string_value(json_object_get(f->answer, "detail"));
	return text ? text : "";
}

static void a_good_request_reaches_the_collector(void **state)
{
	struct app_fixture *f = *state;
	assert_int_equal(post(f, GOOD, ""), 503); // which is not there
	assert_true(f->response.retry_after_sec > 0);
	assert_string_equal(f->response.content_type, "application/problem+json");
}

// GOOD with one piece replaced.
static void
check_refused(struct app_fixture *f, const char *piece, const char *by, const char *words)
{
	char text[1024];
	const char *at = strstr(GOOD, piece);
	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - GOOD), GOOD, by, at + strlen(piece));
	rate_free(f->app.posts);
	f->app.posts = rate_create(150, 10 * NS_PER_SEC);
	if (post(f, text, "") != 400 || !strstr(detail(f), words))
		fail_msg("%s: %s", text, f->response.body);
}

static void what_makes_no_sense_is_refused_by_name(void **state)
{
	struct app_fixture *f = *state;
	check_refused(f, "'firewall':'fortinet',", "", "'firewall'");
	check_refused(f, "'fortinet'", "7", "'firewall'");
	check_refused(f, "'fortinet'", "''", "'firewall'");
	check_refused(f, "inbound", "sideways", "'direction'");
	check_refused(f, "'inbound'", "null", "'direction'");
	check_refused(f, "192.168.0.1", "192.168.0.256", "'dst_ip'");
	check_refused(f, "94.22.73.32", "host", "'src_ip'");
	check_refused(f, "3435", "65536", "'src_port'");
	check_refused(f, "3435", "-1", "'src_port'");
	check_refused(f, "443", "'443'", "'dst_port'");
	check_refused(f, "443", "443.5", "'dst_port'");
	check_refused(f, "Allow", "Maybe", "'action'");
	check_refused(f, "'service':'org1',", "", "'service'");
	check_refused(f, "'action'", "'proto':'smoke','action'", "'proto'");
	check_refused(f, "'action'", "'proto':256,'action'", "'proto'");
	check_refused(f, "}", "", "not a JSON object");
	check_refused(f, "}", ",'action':'Deny'}", "not a JSON object"); // twice
	check_refused(f, "{", "[{", "not a JSON object");
}

static void members_that_are_not_known_are_let_be(void **state)
{
	struct app_fixture *f = *state;
	assert_int_equal(
		post(f,
		     "{'firewall':'f','direction':'OUTBOUND','dst_ip':'2001:db8::1','service':'s',"
		     "'src_port':0,'dst_port':65535,'src_ip':'2001:db8::2','action':'deny',"
		     "'proto':'udp','policy':{'id':7}}",
		     ""),
		503
	);
}

static void other_kinds_of_body_are_refused(void **state)
{
	struct app_fixture *f = *state;
	struct request *r = app_request(f, "POST", PATH);
	r->content_type = "application/x-www-form-urlencoded";
	r->authorization = f->bearer;
	assert_int_equal(app_run(f), 415);
	r = app_request(f, "POST", PATH);
	r->content_type = "application/json";
	assert_int_equal(app_run(f), 401);
	assert_int_equal(post(f, GOOD, "entity=lentor"), 403);
	assert_int_equal(app_get(f, PATH, ""), 405);
}

static void the_token_may_stand_alone(void **state)
{
	struct app_fixture *f = *state;
	char *bearer = f->bearer;
	f->bearer = bearer + strlen("Bearer ");
	assert_int_equal(post(f, GOOD, ""), 503);
	f->bearer = bearer;
}

static void beyond_the_limit_one_waits(void **state)
{
	struct app_fixture *f = *state; // whose limit is 3
	for (int i = 0; i < 3; i++)
		assert_int_equal(post(f, GOOD, ""), 503);
	assert_int_equal(post(f, GOOD, ""), 429);
	assert_in_range(f->response.retry_after_sec, 1, 10);
}

static void exporters_may_post_and_nothing_else(void **state)
{
	struct app_fixture *f = *state;
	assert_int_equal(app_get(f, "/api/v1/flows", ""), 403);
	assert_int_equal(app_get(f, "/api/v1/hits", ""), 403);
	struct store_user viewer = f->user;
	strcpy(viewer.api_id, "abcdef0123456789abcdef0123456789");
	strcpy(viewer.role, "viewer");
	assert_int_equal(store_user_add(f->store, &viewer), 0);
	free(f->bearer);
	f->bearer = app_bearer(f, &viewer);
	assert_int_equal(post(f, GOOD, ""), 403);
	assert_int_equal(app_get(f, "/api/v1/flows", ""), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_good_request_reaches_the_collector, set_up, app_tear_down
		),
		cmocka_unit_test_setup_teardown(
			what_makes_no_sense_is_refused_by_name, set_up, app_tear_down
		),
		cmocka_unit_test_setup_teardown(
			members_that_are_not_known_are_let_be, set_up, app_tear_down
		),
		cmocka_unit_test_setup_teardown(
			other_kinds_of_body_are_refused, set_up, app_tear_down
		),
		cmocka_unit_test_setup_teardown(the_token_may_stand_alone, set_up, app_tear_down),
		cmocka_unit_test_setup_teardown(beyond_the_limit_one_waits, set_up, app_tear_down),
		cmocka_unit_test_setup_teardown(
			exporters_may_post_and_nothing_else, set_up, app_tear_down
		),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
