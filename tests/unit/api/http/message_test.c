// SPDX-License-Identifier: Apache-2.0
#include "api/http/message.h"
#include "tests/unit/cmocka.h"

#include <string.h>

// The body to the letter, its length with it; empties the response.
static void check(struct response *r, int status, const char *want)
{
	assert_int_equal(r->status, status);
	assert_string_equal(r->content_type, "application/json");
	assert_non_null(r->body);
	assert_string_equal(r->body, want);
	assert_int_equal(r->body_len, strlen(want));
	response_fini(r);
	assert_null(r->body);
	assert_int_equal(r->status, 0);
}

static void a_result_is_said_with_its_status(void **)
{
	struct response r = {};
	response_ok(&r, json_pack("{s:i,s:[s]}", "a", 1, "b", "c"));
	check(&r, 200, "{\"status\":true,\"result\":{\"a\":1,\"b\":[\"c\"]}}");
	response_ok(&r, json_array());
	check(&r, 200, "{\"status\":true,\"result\":[]}");
	response_ok(&r, json_object());
	check(&r, 200, "{\"status\":true,\"result\":{}}");
}

static void an_error_is_said_with_its_reason(void **)
{
	struct response r = {};
	response_error(&r, 400, "parameter '%s' is %d", "limit", 0);
	check(&r, 400, "{\"status\":false,\"errorMessage\":\"parameter 'limit' is 0\"}");
	response_error(&r, 503, "%s", "");
	check(&r, 503, "{\"status\":false,\"errorMessage\":\"\"}");
}

static void what_clients_sent_cannot_break_out_of_an_error(void **)
{
	struct response r = {};
	response_error(&r, 400, "'%s'", "\",\"status\":true,\"x\":\"\\\n\r\t\x01\x1b<script>");
	check(&r,
	      400,
	      "{\"status\":false,\"errorMessage\":\"'\\\",\\\"status\\\":true,\\\"x\\\":"
	      "\\\"\\\\\\n\\r\\t\\u0001\\u001B<script>'\"}");
	response_error(&r, 400, "%s", "a%s%n%d");
	check(&r, 400, "{\"status\":false,\"errorMessage\":\"a%s%n%d\"}");
}

static void an_error_that_is_not_utf8_stays_an_error(void **)
{
	struct response r = {};
	response_error(&r, 404, "%s", "\xff\xfe");
	check(&r, 404, "{\"status\":false,\"errorMessage\":\"invalid request\"}");
	response_error(&r, 404, "%s", "\xc3\xa9");
	check(&r, 404, "{\"status\":false,\"errorMessage\":\"\xc3\xa9\"}");
}

static void a_long_error_is_cut(void **)
{
	struct response r = {};
	char text[1000];
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	response_error(&r, 400, "%s", text);
	assert_int_equal(r.body_len, strlen("{\"status\":false,\"errorMessage\":\"\"}") + 255);
	response_fini(&r);
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[sizeof(text) - 1] = '\0';
	text[sizeof(text) - 2] = '\0';
	response_error(&r, 400, "%s", text); // cut within a character
	check(&r, 400, "{\"status\":false,\"errorMessage\":\"invalid request\"}");
}

static void without_memory_there_is_an_answer_still(void **)
{
	struct response r = {};
	response_ok(&r, NULL);
	check(&r, 500, "{\"status\":false,\"errorMessage\":\"out of memory\"}");
	response_json(&r, 200, NULL);
	check(&r, 500, "{\"status\":false,\"errorMessage\":\"out of memory\"}");
}

static void a_document_of_another_form_is_sent_as_it_is(void **)
{
	struct response r = {};
	response_json(&r, 503, json_pack("{s:b}", "ready", 0));
	check(&r, 503, "{\"ready\":false}");
}

static void numbers_are_written_as_people_write_them(void **)
{
	struct response r = {};
	response_json(
		&r,
		200,
		json_pack(
			"[f,f,f,f,I,I]",
			33.33,
			0.1 + 0.2,
			99.5,
			382.4,
			(json_int_t)181500000000,
			(json_int_t)INT64_MAX
		)
	);
	check(&r, 200, "[33.33,0.3,99.5,382.4,181500000000,9223372036854775807]");
}

static void the_last_word_counts(void **)
{
	struct response r = {};
	response_ok(&r, json_object());
	response_error(&r, 500, "no");
	response_ok(&r, json_true());
	check(&r, 200, "{\"status\":true,\"result\":true}");
	response_fini(&r);
	response_fini(&r);
}

static void each_status_that_is_used_has_its_reason(void **)
{
	static const int used[] = {200, 400, 401, 403, 404, 405, 413, 415, 429, 500, 503};
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		assert_string_not_equal(response_reason(used[i]), "Unknown");
	assert_string_equal(response_reason(404), "Not Found");
	assert_string_equal(response_reason(429), "Too Many Requests");
	assert_string_equal(response_reason(299), "Unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_result_is_said_with_its_status),
		cmocka_unit_test(an_error_is_said_with_its_reason),
		cmocka_unit_test(what_clients_sent_cannot_break_out_of_an_error),
		cmocka_unit_test(an_error_that_is_not_utf8_stays_an_error),
		cmocka_unit_test(a_long_error_is_cut),
		cmocka_unit_test(without_memory_there_is_an_answer_still),
		cmocka_unit_test(a_document_of_another_form_is_sent_as_it_is),
		cmocka_unit_test(numbers_are_written_as_people_write_them),
		cmocka_unit_test(the_last_word_counts),
		cmocka_unit_test(each_status_that_is_used_has_its_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
