// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/http/app.h"

#include <openssl/sha.h>

#define PATH "/mbox/api/netflow/auth"
#define SECRET "9f86d081884c7d659a2feaa0c55ad015"
#define RIGHT "{\"api_id\":\"" APP_API_ID "\",\"secret\":\"" SECRET "\"}"

static int set_up(void **state)
{
	app_set_up(state);
	struct app_fixture *f = *state;
	SHA256((const unsigned char *)SECRET, strlen(SECRET), f->user.secret_hash);
	app_open_store(f);
	return 0;
}

static int post_from(struct app_fixture *f, const char *peer, const char *body, size_t len)
{
	struct request *r = app_request(f, "POST", PATH);
	char *copy = malloc(len + 1); // exactly as long as the server makes it
	assert_non_null(copy);
	memcpy(copy, body, len);
	copy[len] = '\0';
	r->content_type = "application/json";
	r->body = copy;
	r->body_len = len;
	assert_int_equal(addr_parse(peer, &r->peer), 0);
	int status = app_run(f);
	free(copy);
	return status;
}

static int post(struct app_fixture *f, const char *body)
{
	return post_from(f, "192.0.2.1", body, strlen(body));
}

static void the_right_secret_gets_a_token_that_opens_the_routes(void **state)
{
	struct app_fixture *f = *state;
	assert_int_equal(post(f, RIGHT), 200);
	assert_int_equal(json_integer_value(app_result(f, "expires_in")), 3600);
	assert_string_equal(json_string_value(app_result(f, "token_type")), "Bearer");
	free(f->bearer);
	assert_true(
		asprintf(&f->bearer, "Bearer %s", json_string_value(app_result(f, "token"))) > 0
	);
	assert_int_equal(app_get(f, "/mbox/api/netflow/resolve", ""), 200);
}

static void members_nobody_asks_for_are_ignored(void **state)
{
	assert_int_equal(
		post(*state,
		     " {\"x\":[{\"y\":null}],\"secret\":\"" SECRET "\",\"api_id\":\"" APP_API_ID
		     "\"}\n"),
		200
	);
}

static void wrong_id_and_wrong_secret_are_one_answer(void **state)
{
	static const char *const bodies[] = {
		"{\"api_id\":\"" APP_API_ID "\",\"secret\":\"\"}",
		"{\"api_id\":\"" APP_API_ID "\",\"secret\":\"" SECRET "0\"}",
		"{\"api_id\":\"ffffffffffffffffffffffffffffffff\",\"secret\":\"" SECRET "\"}",
		"{\"api_id\":\"" APP_API_ID "0\",\"secret\":\"" SECRET "\"}",
		"{\"api_id\":\"\",\"secret\":\"" SECRET "\"}",
		"{\"api_id\":\"\xc3\xa9\",\"secret\":\"\xc3\xa9\"}"};
	struct app_fixture *f = *state;
	char first[256] = "", peer[32];
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		snprintf(peer, sizeof(peer), "198.51.100.%zu", i);
		assert_int_equal(post_from(f, peer, bodies[i], strlen(bodies[i])), 401);
		if (i == 0)
			snprintf(first, sizeof(first), "%s", f->response.body);
		assert_string_equal(f->response.body, first);
	}
}

static void too_many_failures_of_one_address_shut_it_out(void **state)
{
	static const char wrong[] = "{\"api_id\":\"" APP_API_ID "\",\"secret\":\"x\"}";
	struct app_fixture *f = *state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(post(f, wrong), 401);
	assert_int_equal(post(f, wrong), 429);
	assert_in_range(f->response.retry_after_sec, 1, 60);
	assert_int_equal(post(f, RIGHT), 429); // or guessing would tell
	assert_int_equal(post_from(f, "192.0.2.2", RIGHT, strlen(RIGHT)), 200);
	for (int i = 0; i < 3; i++)
		assert_int_equal(post_from(f, "2001:db8::1", wrong, strlen(wrong)), 401);
	assert_int_equal(post_from(f, "2001:db8::ffff", wrong, strlen(wrong)), 429); // its /64
}

static void good_logins_do_not_count_as_failures(void **state)
{
	for (int i = 0; i < 20; i++)
		assert_int_equal(post(*state, RIGHT), 200);
}

static void bodies_that_are_no_login_are_refused(void **state)
{
	static const char *const bodies[] = {
		"",
		" ",
		"{",
		"x",
		"null",
		"[]",
		"\"" APP_API_ID "\"",
		"{}",
		"{\"api_id\":\"a\"}",
		"{\"secret\":\"a\"}",
		"{\"api_id\":5,\"secret\":\"a\"}",
		"{\"api_id\":\"a\",\"secret\":null}",
		"{\"api_id\":[\"a\"],\"secret\":{\"a\":\"b\"}}",
		"{\"API_ID\":\"a\",\"SECRET\":\"a\"}",
		RIGHT "x",
		RIGHT RIGHT,
		"{'api_id':'a','secret':'b'}",
		"{\"api_id\":\"a\\u0000\",\"secret\":\"b\"}",
		"{\"api_id\":\"\xff\",\"secret\":\"b\"}",
		// what reads the first and what reads the last would see two logins
		"{\"api_id\":\"x\",\"api_id\":\"" APP_API_ID "\",\"secret\":\"" SECRET "\"}",
		"{\"api_id\":\"" APP_API_ID "\",\"secret\":\"x\",\"secret\":\"" SECRET "\"}",
		"api_id=" APP_API_ID "&secret=" SECRET};
	struct app_fixture *f = *state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		if (post(f, bodies[i]) != 400)
			fail_msg("%d: %s", f->response.status, bodies[i]);
		assert_null(strstr(f->response.body, SECRET));
	}
	static const char with_nul[] = RIGHT "\0";
	assert_int_equal(post_from(f, "192.0.2.1", with_nul, sizeof(with_nul) - 1), 400);
	assert_int_equal(post(f, RIGHT), 200); // none of these was a guess
}

static void nesting_is_bounded_before_a_parser_recurses(void **state)
{
	struct app_fixture *f = *state;
	char body[REQUEST_BODY_MAX + 1];
	memset(body, '[', REQUEST_BODY_MAX);
	assert_int_equal(post_from(f, "192.0.2.1", body, REQUEST_BODY_MAX), 400);
	for (size_t i = 0; i + 5 <= REQUEST_BODY_MAX; i += 5)
		memcpy(body + i, "{\"a\":", 5);
	assert_int_equal(post_from(f, "192.0.2.1", body, REQUEST_BODY_MAX), 400);
	static const char *const in[] = {
		"[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]", // sixteen with the object around it
		"[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
		"[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],{}]"}; // wide, not deep
	for (int i = 0; i < 3; i++) {
		snprintf(
			body,
			sizeof(body),
			"{\"x\":%s,\"api_id\":\"%s\",\"secret\":\"%s\"}",
			in[i],
			APP_API_ID,
			SECRET
		);
		assert_int_equal(post(f, body), i == 1 ? 400 : 200);
	}
	// brackets within text do not count, nor does a quote that is escaped end it
	snprintf(
		body,
		sizeof(body),
		"{\"x\":\"\\\"[[[[[[[[[[[[[[[[[[[[\\\\\",\"api_id\":\"%s\",\"secret\":\"%s\"}",
		APP_API_ID,
		SECRET
	);
	assert_int_equal(post(f, body), 200);
}

static void the_body_has_to_be_json_by_its_type(void **state)
{
	static const struct {
		const char *type;
		int want;
	} cases[] = {
		{NULL, 200},
		{"application/json", 200},
		{"APPLICATION/JSON", 200},
		{"application/json; charset=utf-8", 200},
		{"application/json ;charset=utf-8", 200},
		{"", 415},
		{"text/plain", 415},
		{"application/jsonx", 415},
		{"application/json-patch+json", 415},
		{"application/x-www-form-urlencoded", 415},
		{"multipart/form-data; boundary=x", 415}};
	struct app_fixture *f = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *r = app_request(f, "POST", PATH);
		r->content_type = cases[i].type;
		r->body = RIGHT;
		r->body_len = strlen(RIGHT);
		assert_int_equal(app_run(f), cases[i].want);
	}
}

static void a_secret_that_was_rotated_opens_nothing(void **state)
{
	struct app_fixture *f = *state;
	assert_int_equal(post(f, RIGHT), 200);
	f->user.generation++;
	f->user.secret_hash[0] ^= 1;
	assert_int_equal(store_user_update(f->store, &f->user), 0);
	assert_int_equal(post(f, RIGHT), 401);
	assert_int_equal(store_user_del(f->store, APP_API_ID), 0);
	assert_int_equal(post(f, RIGHT), 401);
}

static void without_a_store_nobody_is_turned_away_for_good(void **state)
{
	struct app_fixture *f = *state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(post(f, RIGHT), 503);
		assert_int_not_equal(f->response.retry_after_sec, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, app_tear_down)
		TEST(the_right_secret_gets_a_token_that_opens_the_routes),
		TEST(members_nobody_asks_for_are_ignored),
		TEST(wrong_id_and_wrong_secret_are_one_answer),
		TEST(too_many_failures_of_one_address_shut_it_out),
		TEST(good_logins_do_not_count_as_failures),
		TEST(bodies_that_are_no_login_are_refused),
		TEST(nesting_is_bounded_before_a_parser_recurses),
		TEST(the_body_has_to_be_json_by_its_type),
		TEST(a_secret_that_was_rotated_opens_nothing),
		cmocka_unit_test_setup_teardown(
			without_a_store_nobody_is_turned_away_for_good, app_set_up, app_tear_down
		),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
