// SPDX-License-Identifier: Apache-2.0
#include "api/config.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define S (int64_t) NS_PER_SEC
#define WORDS_MAX 16

static struct api_config c;
static char file_path[] = "/tmp/weir-api-config-test-XXXXXX";

static int make_file(void **)
{
	int fd = mkstemp(file_path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **)
{
	return unlink(file_path);
}

static int free_config(void **)
{
	config_free(&api_program, &c);
	return 0;
}

// Words apart by blanks; "''" is an empty one.
static int parse(const char *words)
{
	char text[512], *argv[WORDS_MAX + 1] = {"weir-api"}, *save = NULL;
	int argc = 1;
	snprintf(text, sizeof(text), "%s", words);
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_in_range(argc, 1, WORDS_MAX - 1);
		argv[argc++] = strcmp(w, "''") == 0 ? w + 2 : w;
	}
	config_free(&api_program, &c);
	return config_parse(&api_program, argc, argv, &c, NULL);
}

static int parse_file(const char *yaml)
{
	char words[80];
	FILE *file = fopen(file_path, "w");
	assert_non_null(file);
	assert_true(fputs(yaml, file) >= 0);
	fclose(file);
	snprintf(words, sizeof(words), "-c %s", file_path);
	return parse(words);
}

static void by_default_it_serves_this_machine_alone_and_with_care(void **)
{
	assert_int_equal(parse(""), CONFIG_RUN);
	assert_int_equal(c.listen.n, 1);
	assert_string_equal(c.listen.items[0], "https:127.0.0.1:8443");
	assert_string_equal(c.store_dir, "/var/lib/weir/store");
	assert_string_equal(c.control, "/run/weir/control.sock");
	assert_string_equal(c.state_dir, "");
	assert_string_equal(c.cert, "");
	assert_string_equal(c.key, "");
	assert_string_equal(c.dns, "system");
	assert_true(c.http2);
	assert_int_equal(c.token_lifetime_ns, 3600 * S);
	assert_int_equal(c.login_rate, 10);
	assert_int_equal(c.threads, 1);
	assert_int_equal(c.workers, 8);
	assert_int_equal(c.queue, 256);
	assert_int_equal(c.query_timeout_ns, 5 * S);
	assert_int_equal(c.query_memory, 256 << 20);
	assert_int_equal(c.max_queries, 4);
	assert_int_equal(c.of_networks.n, 0);
	assert_int_equal(c.of_open.n, 2);
	assert_string_equal(c.of_open.items[0], "127.0.0.0/8");
	assert_string_equal(c.of_open.items[1], "::1");
	assert_int_equal(c.dns_timeout_ns, S / 5);
	assert_int_equal(c.max_conns, 1024);
	assert_int_equal(c.max_conns_peer, 32);
	assert_int_equal(c.max_conn_requests, 1000);
	assert_int_equal(c.max_conn_age_ns, 600 * S);
}

static void flags_win_over_defaults(void **)
{
	assert_int_equal(
		parse("--store /s --control /c --listen http:127.0.0.1:0 --listen [::1]:8443"),
		CONFIG_RUN
	);
	assert_string_equal(c.store_dir, "/s");
	assert_string_equal(c.control, "/c");
	assert_int_equal(c.listen.n, 2); // and the default is not among them
	assert_string_equal(c.listen.items[0], "http:127.0.0.1:0");
	assert_string_equal(c.listen.items[1], "[::1]:8443");
	assert_int_equal(
		parse("--state /t --cert /x --key /y --http2 no --dns off --token-lifetime 30m"),
		CONFIG_RUN
	);
	assert_string_equal(c.state_dir, "/t");
	assert_string_equal(c.cert, "/x");
	assert_string_equal(c.key, "/y");
	assert_string_equal(c.dns, "off");
	assert_false(c.http2);
	assert_int_equal(c.token_lifetime_ns, 1800 * S);
	assert_int_equal(parse("--login-rate 5 --query-timeout 250ms"), CONFIG_RUN);
	assert_int_equal(c.login_rate, 5);
	assert_int_equal(c.query_timeout_ns, S / 4);
}

static void a_file_says_all_that_flags_do_not(void **)
{
	assert_int_equal(
		parse_file("store: {dir: /s}\n"
			   "api:\n"
			   "  listen: [\"https:127.0.0.1:1\", \"http:127.0.0.1:2\"]\n"
			   "  threads: 2\n"
			   "  workers: 8\n"
			   "  queue: 10\n"
			   "  dns_timeout: 1s\n"
			   "  limits: {connections: 7, connections_per_address: 3,\n"
			   "           requests: 9, age: 5m}\n"
			   "collector: {anything: of the others}\n"),
		CONFIG_RUN
	);
	assert_int_equal(c.listen.n, 2);
	assert_int_equal(c.threads, 2);
	assert_int_equal(c.workers, 8);
	assert_int_equal(c.queue, 10);
	assert_int_equal(c.dns_timeout_ns, S);
	assert_int_equal(c.max_conns, 7);
	assert_int_equal(c.max_conns_peer, 3);
	assert_int_equal(c.max_conn_requests, 9);
	assert_int_equal(c.max_conn_age_ns, 300 * S);
}

static void values_out_of_range_are_refused(void **)
{
	static const char *const words[] = {
		"--token-lifetime 0",
		"--token-lifetime 999ms",
		"--token-lifetime 25h",
		"--token-lifetime -1h",
		"--token-lifetime never",
		"--login-rate 0",
		"--login-rate 65",
		"--query-timeout 99ms",
		"--query-timeout 601s",
		"--http2 maybe",
		"--no-such 1",
		"--store"};
	static const char *const yaml[] = {
		"api: {threads: 0}",
		"api: {threads: 65}",
		"api: {workers: 0}",
		"api: {workers: 257}",
		"api: {queue: 0}",
		"api: {queue: 65537}",
		"api: {limits: {connections: 0}}",
		"api: {limits: {connections_per_address: 0}}",
		"api: {limits: {requests: 0}}",
		"api: {limits: {age: 0}}",
		"api: {dns_timeout: 11s}",
		"api: {no_such: 1}",
		"api: 5",
		"no_such: {a: 1}"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (parse(words[i]) != CONFIG_EXIT_USAGE)
			fail_msg("taken: %s", words[i]);
	for (size_t i = 0; i < sizeof(yaml) / sizeof(yaml[0]); i++)
		if (parse_file(yaml[i]) != CONFIG_EXIT_BAD)
			fail_msg("taken: %s", yaml[i]);
}

static void where_to_listen_has_one_form(void **)
{
	static const char *const good[] = {
		"--listen https:127.0.0.1:8443",
		"--listen 127.0.0.1:0",
		"--listen http:[::]:80",
		"--listen https:0.0.0.0:65535"};
	static const char *const bad[] = {
		"--listen ''",
		"--listen 8443",
		"--listen 127.0.0.1",
		"--listen ftp:127.0.0.1:21",
		"--listen HTTPS:127.0.0.1:1",
		"--listen https:127.0.0.1:65536",
		"--listen https://127.0.0.1:8443",
		"--listen 127.0.0.1:1 --listen bad"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(parse(good[i]), CONFIG_RUN);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i]) != CONFIG_EXIT_BAD)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(parse_file("api: {listen: []}"), CONFIG_EXIT_BAD);
}

static void a_certificate_comes_with_its_key(void **)
{
	assert_int_equal(parse("--cert /x"), CONFIG_EXIT_BAD);
	assert_int_equal(parse("--key /x"), CONFIG_EXIT_BAD);
	assert_int_equal(parse("--cert /x --key /y"), CONFIG_RUN);
	assert_int_equal(parse("--store ''"), CONFIG_EXIT_BAD);
}

static void check_paths(const char *words, const char *state, const char *cert, const char *key)
{
	assert_int_equal(parse(words), CONFIG_RUN);
	assert_int_equal(api_config_paths(&c), 0);
	assert_string_equal(c.state_dir, state);
	assert_string_equal(c.cert, cert);
	assert_string_equal(c.key, key);
}

static void the_state_is_beside_the_store_unless_set(void **)
{
	static const struct {
		const char *store, *state;
	} cases[] = {
		{"/var/lib/weir/store", "/var/lib/weir/api"},
		{"/var/lib/weir/store/", "/var/lib/weir/api"},
		{"/var/lib/weir/store///", "/var/lib/weir/api"},
		{"/var/lib/weir//store", "/var/lib/weir/api"},
		{"/store", "/api"},
		{"//store/", "/api"},
		{"store", "./api"},
		{"store/", "./api"},
		{"./store", "./api"},
		{"a/b", "a/api"}};
	char words[80], cert[80], key[80];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(words, sizeof(words), "--store %s", cases[i].store);
		snprintf(cert, sizeof(cert), "%s/cert.pem", cases[i].state);
		snprintf(key, sizeof(key), "%s/key.pem", cases[i].state);
		check_paths(words, cases[i].state, cert, key);
		assert_true(c.own_cert);
	}
	check_paths("--store /a/b --state /t", "/t", "/t/cert.pem", "/t/key.pem");
}

static void a_certificate_that_was_set_is_not_ours_to_make(void **)
{
	check_paths("--store /a/b --cert /x --key y", "/a/api", "/x", "y");
	assert_false(c.own_cert);
	assert_int_equal(api_config_paths(&c), 0); // again: nothing changes
	assert_string_equal(c.cert, "/x");
	assert_string_equal(c.state_dir, "/a/api");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, free_config)
		TEST(by_default_it_serves_this_machine_alone_and_with_care),
		TEST(flags_win_over_defaults),
		TEST(a_file_says_all_that_flags_do_not),
		TEST(values_out_of_range_are_refused),
		TEST(where_to_listen_has_one_form),
		TEST(a_certificate_comes_with_its_key),
		TEST(the_state_is_beside_the_store_unless_set),
		TEST(a_certificate_that_was_set_is_not_ours_to_make),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
