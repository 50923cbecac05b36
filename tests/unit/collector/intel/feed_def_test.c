// SPDX-License-Identifier: Apache-2.0
#include "collector/intel/feed_def.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <string.h>

static const char *const url[] = {"https://feeds.example.net/list.txt"};

static void a_location_alone_gets_the_defaults(void **)
{
	struct feed_def d;
	char error[FEED_ERROR_LEN];
	assert_int_equal(feed_def_parse("list", url, 1, &d, error), 0);
	assert_string_equal(d.name, "list");
	assert_string_equal(d.location, url[0]);
	assert_string_equal(d.format, "auto");
	assert_true(feed_def_is_url(&d));
	assert_int_equal(d.score, 700);
	assert_int_equal(d.confidence, 75);
	assert_int_equal(d.min_share, 50);
	assert_int_equal(d.max_len, 256 << 20);
	assert_int_equal(d.every_ns, NS_PER_HOUR);
	assert_int_equal(d.timeout_ns, 60 * NS_PER_SEC);
	assert_false(d.is_allow || d.keep_reserved || d.is_exact || d.allow_private);
	const char *const file[] = {"/var/lib/feeds"};
	assert_int_equal(feed_def_parse("list", file, 1, &d, error), 0);
	assert_false(feed_def_is_url(&d));
	assert_int_equal(d.every_ns, NS_PER_SEC); // a file costs nothing to look at
}

static void every_setting_is_taken_and_comes_back_from_json(void **)
{
	static const char *const words[] = {
		"https://feeds.example.net/x",
		"format=csv",
		"category=c2",
		"severity=critical",
		"score=901",
		"confidence=99",
		"every=5m",
		"timeout=7s",
		"max_age=30d",
		"max_size=1MiB",
		"max_items=12",
		"min_share=80",
		"allow=yes",
		"reserved=yes",
		"exact=yes",
		"allow_private=yes",
		"ca_file=/etc/ca.pem",
	};
	struct feed_def d = {}, back = {};
	char error[FEED_ERROR_LEN];
	size_t n = sizeof(words) / sizeof(words[0]);
	if (feed_def_parse("mine", words, n, &d, error) < 0)
		fail_msg("%s", error);
	assert_int_equal(d.score, 901);
	assert_int_equal(d.severity, SEVERITY_CRITICAL);
	assert_int_equal(d.every_ns, 300 * NS_PER_SEC);
	assert_int_equal(d.max_age_ns, 30ull * 86400 * NS_PER_SEC);
	assert_int_equal(d.max_len, 1 << 20);
	assert_true(d.is_allow && d.keep_reserved && d.is_exact && d.allow_private);
	json_t *j = feed_def_json(&d);
	if (feed_def_of_json("mine", j, &back, error) < 0)
		fail_msg("%s", error);
	assert_memory_equal(&back, &d, sizeof(d));
	json_decref(j);
}

static void what_a_feed_cannot_be_is_refused_with_the_reason(void **)
{
	static const struct {
		const char *name, *words[2], *why;
	} cases[] = {
		{"Upper", {"/x"}, "name"},
		{"", {"/x"}, "name"},
		{".hidden", {"/x"}, "name"},
		{"a/b", {"/x"}, "name"},
		{"x", {""}, "expected an https URL"},
		{"x", {"http://feeds.example.net/"}, "https"},
		{"x", {"ftp://feeds.example.net/"}, "https"},
		{"x", {"feeds/list.txt"}, "whole path"},
		{"x", {"/x", "format=docx"}, "format"},
		{"x", {"/x", "severity=awful"}, "severity"},
		{"x", {"/x", "score=1001"}, "score"},
		{"x", {"/x", "score=0"}, "score"},
		{"x", {"/x", "confidence=101"}, "confidence"},
		{"x", {"/x", "min_share=101"}, "min_share"},
		{"x", {"/x", "every=1ms"}, "every"},
		{"x", {"/x", "allow=maybe"}, "allow"},
		{"x", {"/x", "colour=red"}, "no such setting"},
		{"x", {"/x", "score"}, "key=value"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct feed_def d = {.score = 77};
		char error[FEED_ERROR_LEN] = "";
		size_t n = cases[i].words[1] ? 2 : 1;
		assert_int_equal(
			feed_def_parse(cases[i].name, cases[i].words, n, &d, error), -EINVAL
		);
		if (!strstr(error, cases[i].why))
			fail_msg("case %zu: %s", i, error);
		assert_int_equal(d.score, 77); // untouched
	}
}

static void what_is_too_long_is_refused(void **)
{
	struct feed_def d;
	char error[FEED_ERROR_LEN], name[80], location[FEED_LOCATION_MAX + 10];
	memset(name, 'a', sizeof(name));
	name[63] = '\0';
	assert_true(feed_def_is_name(name));
	name[63] = 'a';
	name[64] = '\0';
	assert_false(feed_def_is_name(name));
	memset(location, 'a', sizeof(location));
	location[0] = '/';
	location[FEED_LOCATION_MAX + 1] = '\0';
	const char *const words[] = {location};
	assert_int_equal(feed_def_parse("x", words, 1, &d, error), -EINVAL);
	location[FEED_LOCATION_MAX] = '\0';
	assert_int_equal(feed_def_parse("x", words, 1, &d, error), 0);
}

static void json_that_is_not_words_is_refused(void **)
{
	static const char *const bad[] = {
		"{\"location\":[\"/x\"]}",
		"{\"location\":null}",
		"{\"location\":\"/x\",\"score\":{}}",
		"{\"location\":\"/x\",\"score\":12.5}",
		"{\"location\":\"/x\",\"nonsense\":1}",
		"{}",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct feed_def d;
		char error[FEED_ERROR_LEN] = "";
		json_t *j = json_loads(bad[i], 0, NULL);
		assert_int_equal(feed_def_of_json("x", j, &d, error), -EINVAL);
		assert_true(*error);
		json_decref(j);
	}
}

static void a_parser_is_given_what_the_feed_says(void **)
{
	static const char *const words[] = {"/x", "allow=yes", "max_age=1h", "category=spam"};
	struct feed_def d;
	char error[FEED_ERROR_LEN];
	assert_int_equal(feed_def_parse("mine", words, 4, &d, error), 0);
	struct feed_options o = feed_def_options(&d);
	assert_string_equal(o.name, "mine");
	assert_string_equal(o.category, "spam");
	assert_true(o.is_allow);
	assert_true(o.keep_reserved); // an allow-list is mostly of one's own
	assert_int_equal(o.max_age_sec, 3600);
	assert_int_equal(o.score, 700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_location_alone_gets_the_defaults),
		cmocka_unit_test(every_setting_is_taken_and_comes_back_from_json),
		cmocka_unit_test(what_a_feed_cannot_be_is_refused_with_the_reason),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(json_that_is_not_words_is_refused),
		cmocka_unit_test(a_parser_is_given_what_the_feed_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
