// SPDX-License-Identifier: Apache-2.0
#include "collector/intel/fetch.h"
#include "lib/base/clock.h"
#include "tests/unit/collector/intel/https.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#define BODY "198.51.100.7\n"
#define LARGE 70000

struct fixture {
	struct https server;
	char ca_file[40], url[80], error[FETCH_ERROR_LEN];
	struct fetch_options options;
	struct fetch_result result;
};

static void say(SSL *ssl, const char *text)
{
	SSL_write(ssl, text, (int)strlen(text));
}

static void say_large(SSL *ssl)
{
	static char body[LARGE];
	memset(body, 'x', sizeof(body));
	say(ssl, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"); // says no length
	SSL_write(ssl, body, sizeof(body));
}

static void answer(SSL *ssl, const char *request)
{
	if (strncmp(request, "GET /feed ", 10) == 0 && strstr(request, "If-None-Match: \"v1\""))
		say(ssl, "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n");
	else if (strncmp(request, "GET /feed ", 10) == 0)
		say(ssl,
		    "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nLast-Modified: Tue, 03 Mar 2026 07:00:00 "
		    "GMT"
		    "\r\nContent-Length: 13\r\n\r\n" BODY);
	else if (strstr(request, "If-Modified-Since: Tue, 03 Mar 2026 07:00:00 GMT"))
		say(ssl, "HTTP/1.1 304 Not Modified\r\n\r\n");
	else if (strncmp(request, "GET /dated ", 11) == 0)
		say(ssl,
		    "HTTP/1.1 200 OK\r\nLast-Modified: Tue, 03 Mar 2026 07:00:00 GMT\r\n"
		    "Content-Length: 13\r\n\r\n" BODY);
	else if (strncmp(request, "GET /moved ", 11) == 0)
		say(ssl, "HTTP/1.1 302 Found\r\nLocation: /feed\r\nContent-Length: 0\r\n\r\n");
	else if (strncmp(request, "GET /large ", 11) == 0)
		say_large(ssl);
	else if (strncmp(request, "GET /short ", 11) == 0)
		say(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" BODY);
	else if (strncmp(request, "GET /slow ", 10) == 0)
		usleep(400000);
	else
		say(ssl, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	strcpy(f->ca_file, "/tmp/weir-ca-XXXXXX");
	int fd = mkstemp(f->ca_file);
	assert_true(fd >= 0);
	close(fd);
	https_start(&f->server, answer, f->ca_file);
	f->options = (struct fetch_options){
		.url = f->url,
		.tag = "",
		.ca_file = f->ca_file,
		.max_len = 1000,
		.timeout_ns = 10 * NS_PER_SEC,
		.allow_private = true,
	};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	https_stop(&f->server);
	free(f->result.data);
	unlink(f->ca_file);
	free(f);
	return 0;
}

static int get(struct fixture *f, const char *path)
{
	snprintf(f->url, sizeof(f->url), "https://127.0.0.1:%u%s", f->server.port, path);
	free(f->result.data);
	f->result = (struct fetch_result){};
	f->error[0] = '\0';
	return fetch(&f->options, &f->result, f->error);
}

static void a_feed_is_fetched_and_not_again_while_it_is_the_same(void **state)
{
	struct fixture *f = *state;
	char tag[FETCH_TAG_LEN];
	assert_int_equal(get(f, "/feed"), 0);
	assert_true(f->result.is_modified);
	assert_int_equal(f->result.len, strlen(BODY));
	assert_memory_equal(f->result.data, BODY, f->result.len);
	assert_string_equal(f->result.tag, "\"v1\""); // before the time, whatever the order
	memcpy(tag, f->result.tag, sizeof(tag));
	f->options.tag = tag;
	assert_int_equal(get(f, "/feed"), 0);
	assert_false(f->result.is_modified);
	assert_null(f->result.data);
	assert_int_equal(atomic_load(&f->server.asked), 2);
}

static void a_time_will_do_where_there_is_no_tag(void **state)
{
	struct fixture *f = *state;
	char tag[FETCH_TAG_LEN];
	assert_int_equal(get(f, "/dated"), 0);
	assert_string_equal(f->result.tag, "Tue, 03 Mar 2026 07:00:00 GMT");
	memcpy(tag, f->result.tag, sizeof(tag));
	f->options.tag = tag;
	assert_int_equal(get(f, "/dated"), 0);
	assert_false(f->result.is_modified);
}

static void private_addresses_are_not_connected_to(void **state)
{
	struct fixture *f = *state;
	f->options.allow_private = false;
	assert_int_equal(get(f, "/feed"), -EACCES);
	assert_non_null(strstr(f->error, "allow_private"));
	assert_int_equal(atomic_load(&f->server.asked), 0);
}

static void a_stranger_is_not_believed(void **state)
{
	struct fixture *f = *state;
	f->options.ca_file = NULL;
	assert_int_equal(get(f, "/feed"), -EACCES);
	assert_true(*f->error);
	assert_int_equal(atomic_load(&f->server.asked), 0);
	f->options.ca_file = "/nowhere/at/all.pem";
	assert_int_equal(get(f, "/feed"), -EACCES);
}

static void what_is_no_answer_is_told(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(get(f, "/moved"), -EIO);
	assert_non_null(strstr(f->error, "redirects are not followed"));
	assert_int_equal(get(f, "/nothing"), -EIO);
	assert_non_null(strstr(f->error, "404"));
	assert_int_equal(get(f, "/short"), -EIO); // cut off: half a list is none
	assert_null(f->result.data);
}

static void what_is_too_large_or_too_slow_is_given_up(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(get(f, "/large"), -EFBIG);
	assert_non_null(strstr(f->error, "larger"));
	assert_null(f->result.data);
	f->options.max_len = LARGE;
	assert_int_equal(get(f, "/large"), 0);
	assert_int_equal(f->result.len, LARGE);
	f->options.timeout_ns = 100 * NS_PER_MSEC;
	assert_int_equal(get(f, "/slow"), -ETIMEDOUT);
}

static void only_https_is_spoken(void **state)
{
	struct fixture *f = *state;
	static const char *const urls[] = {
		"http://127.0.0.1/", "file:///etc/passwd", "ftp://127.0.0.1/", "no url", ""};
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		f->options.url = urls[i];
		assert_true(fetch(&f->options, &f->result, f->error) < 0);
		assert_null(f->result.data);
	}
	assert_int_equal(atomic_load(&f->server.asked), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_feed_is_fetched_and_not_again_while_it_is_the_same),
		TEST(a_time_will_do_where_there_is_no_tag),
		TEST(private_addresses_are_not_connected_to),
		TEST(a_stranger_is_not_believed),
		TEST(what_is_no_answer_is_told),
		TEST(what_is_too_large_or_too_slow_is_given_up),
		TEST(only_https_is_spoken),
	};
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(fetch_init(), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
