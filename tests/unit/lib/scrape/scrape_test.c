// SPDX-License-Identifier: Apache-2.0
#include "lib/base/openmetrics.h"
#include "lib/scrape/scrape.h"
#include "tests/unit/cmocka.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int n_prints;

static void print(void *ctx, FILE *out, bool open)
{
	openmetrics_head(out, open, "weir_test_things", "counter", "Things.");
	fprintf(out, "weir_test_things_total %d\n", *(int *)ctx);
	openmetrics_head(out, open, "weir_test_level", "gauge", "A level.");
	fprintf(out, "weir_test_level 1\n");
	n_prints++;
}

static int things = 7;

// Sends the bytes of a request, returns the whole answer.
static const char *talk(const struct scrape *s, const char *request, size_t len)
{
	static char answer[8192];
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)scrape_port(s)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	size_t n = 0;
	ssize_t got;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(send(fd, request, len, MSG_NOSIGNAL), len);
	while (n + 1 < sizeof(answer) && (got = recv(fd, answer + n, sizeof(answer) - 1 - n, 0)) > 0
	)
		n += (size_t)got;
	answer[n] = '\0';
	close(fd);
	return answer;
}

static const char *ask(const struct scrape *s, const char *request)
{
	return talk(s, request, strlen(request));
}

static struct scrape *start(void)
{
	struct scrape *s;
	assert_int_equal(scrape_start("127.0.0.1:0", print, &things, &s), 0);
	return s;
}

static void the_older_format_is_the_default(void **)
{
	struct scrape *s = start();
	const char *a = ask(s, "GET /metrics HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(a, " 200 OK\r\n"));
	assert_non_null(strstr(a, "text/plain; version=0.0.4"));
	assert_non_null(
		strstr(a,
		       "\r\n\r\n# TYPE weir_test_things_total counter\n# HELP "
		       "weir_test_things_total Things.\n"
		       "weir_test_things_total 7\n# TYPE weir_test_level gauge\n")
	);
	assert_null(strstr(a, "# EOF"));
	scrape_stop(s);
}

static void openmetrics_for_who_asks(void **)
{
	struct scrape *s = start();
	const char *a =
		ask(s,
		    "GET /metrics HTTP/1.0\r\nAccept: application/openmetrics-text; "
		    "version=1.0.0\r\n\r\n");
	assert_non_null(strstr(a, "application/openmetrics-text; version=1.0.0"));
	assert_non_null(strstr(a, "# TYPE weir_test_things counter\n"));
	assert_string_equal(a + strlen(a) - 6, "# EOF\n");
	scrape_stop(s);
}

static void other_paths_and_methods_are_refused(void **)
{
	struct scrape *s = start();
	n_prints = 0;
	assert_non_null(strstr(ask(s, "GET / HTTP/1.0\r\n\r\n"), " 404 "));
	assert_non_null(strstr(ask(s, "GET /metrics/ HTTP/1.0\r\n\r\n"), " 404 "));
	const char *a = ask(s, "DELETE /metrics HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(a, " 405 "));
	assert_non_null(strstr(a, "Allow: GET, HEAD\r\n"));
	(void)ask(s, "POST /metrics HTTP/1.0\r\nContent-Length: 4\r\n\r\nabcd");
	assert_int_equal(n_prints, 0);
	scrape_stop(s);
}

static void nonsense_harms_nothing(void **)
{
	struct scrape *s = start();
	static char much[100000];
	memset(much, 'a', sizeof(much));
	(void)ask(s, "\r\n\r\n\r\nGET\r\n\r\n");
	(void)ask(s, "GET /metrics HTTP/9.9\r\nA\r\n\r\n");
	memcpy(much, "GET /", 5);
	memcpy(much + sizeof(much) - 4, "\r\n\r\n", 4);
	(void)talk(s, much, 8000);
	assert_non_null(strstr(ask(s, "GET /metrics HTTP/1.0\r\n\r\n"), " 200 "));
	scrape_stop(s);
}

static void addresses_are_checked(void **)
{
	struct scrape *s = start(), *second;
	char taken[32];
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", scrape_port(s));
	assert_int_equal(scrape_start(taken, print, &things, &second), -EADDRINUSE);
	assert_int_equal(scrape_start("nonsense", print, &things, &second), -EINVAL);
	assert_int_equal(scrape_start("127.0.0.1:70000", print, &things, &second), -EINVAL);
	assert_int_equal(scrape_start("[::1]:0", print, &things, &second), 0);
	assert_true(scrape_port(second) > 0);
	scrape_stop(second);
	scrape_stop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_older_format_is_the_default),
		cmocka_unit_test(openmetrics_for_who_asks),
		cmocka_unit_test(other_paths_and_methods_are_refused),
		cmocka_unit_test(nonsense_harms_nothing),
		cmocka_unit_test(addresses_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
