// SPDX-License-Identifier: Apache-2.0

// The control socket's client, against servers that answer well, badly or not at all. The real
// server has tests/unit/collector/control_test.c.

#include "lib/base/control.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// A server that takes one request and sends a fixed answer.
struct server {
	char dir[64], path[80];
	int fd;
	pthread_t thread;
	const char *answer; // NULL: hangs up
	size_t answer_len;
	size_t step; // bytes at a time
	char *request;
};

static void *serve(void *arg)
{
	struct server *s = arg;
	size_t len = 0;
	int fd = accept(s->fd, NULL, NULL);
	s->request = calloc(1, CONTROL_LINE_MAX);
	while (s->answer && !memchr(s->request, '\n', len)) {
		ssize_t n = read(fd, s->request + len, CONTROL_LINE_MAX - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	for (size_t at = 0; s->answer && at < s->answer_len; at += s->step) {
		size_t left = s->answer_len - at, n = left < s->step ? left : s->step;
		if (send(fd, s->answer + at, n, MSG_NOSIGNAL) < 0)
			break;
	}
	close(fd);
	return NULL;
}

static void server_start(struct server *s, const char *answer, size_t len)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	*s = (struct server){.answer = answer, .answer_len = len, .step = len ? len : 1};
	strcpy(s->dir, "/tmp/weir-control-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/socket", s->dir);
	strcpy(sun.sun_path, s->path);
	s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(s->fd, 1), 0);
}

static void server_stop(struct server *s)
{
	pthread_join(s->thread, NULL);
	close(s->fd);
	unlink(s->path);
	rmdir(s->dir);
	free(s->request);
}

// Calls a server that answers so; the call's return.
static int call(const char *answer, size_t step, json_t **ret_result, char error[static 256])
{
	struct server s;
	server_start(&s, answer, answer ? strlen(answer) : 0);
	if (step)
		s.step = step;
	assert_int_equal(pthread_create(&s.thread, NULL, serve, &s), 0);
	int ret = control_call(s.path, "ping", NULL, ret_result, error);
	server_stop(&s);
	return ret;
}

static void result_is_handed_over(void **)
{
	char error[256];
	json_t *result = NULL;
	assert_int_equal(call("{\"ok\":true,\"result\":{\"n\":7}}\n", 0, &result, error), 0);
	assert_int_equal(json_integer_value(json_object_get(result, "n")), 7);
	assert_int_equal(result->refcount, 1); // the caller's alone
	json_decref(result);
}

static void answer_may_come_byte_by_byte(void **)
{
	char error[256];
	json_t *result = NULL;
	assert_int_equal(call("{\"ok\": true, \"result\": [1, 2, 3]}\n", 1, &result, error), 0);
	assert_int_equal(json_array_size(result), 3);
	json_decref(result);
}

static void large_answers_are_read_whole(void **)
{
	static const char head[] = "{\"ok\":true,\"result\":\"", tail[] = "\"}\n";
	static char answer[CONTROL_LINE_MAX];
	char error[256];
	json_t *result = NULL;
	size_t n = sizeof(answer) - sizeof(head) - sizeof(tail);
	memset(answer, 'x', n);
	memcpy(answer, head, strlen(head));
	memcpy(answer + n, tail, sizeof(tail));
	assert_int_equal(call(answer, 4096, &result, error), 0);
	assert_int_equal(json_string_length(result), n - strlen(head));
	json_decref(result);
}

static void endless_answers_are_given_up(void **)
{
	static char answer[CONTROL_LINE_MAX + 2];
	char error[256];
	json_t *result = NULL;
	memset(answer, ' ', CONTROL_LINE_MAX + 1);
	assert_int_equal(call(answer, 65536, &result, error), -EPROTO);
	assert_null(result);
}

static void refusals_come_with_their_words(void **)
{
	char error[256];
	json_t *result = NULL;
	const char *said = "{\"ok\":false,\"error\":\"no such user\"}\n";
	assert_int_equal(call(said, 0, &result, error), -EREMOTEIO);
	assert_string_equal(error, "no such user");
	assert_int_equal(call("{\"ok\":false}\n", 0, &result, error), -EREMOTEIO);
	assert_string_equal(error, "refused without a reason");
	assert_int_equal(call("{}\n", 0, &result, error), -EREMOTEIO);
	assert_int_equal(call("{\"ok\":1,\"error\":5}\n", 0, &result, error), -EREMOTEIO);
	assert_string_equal(error, "refused without a reason");
	assert_null(result);
}

static void long_words_are_cut(void **)
{
	char error[256], said[1024] = "{\"ok\":false,\"error\":\"";
	json_t *result = NULL;
	memset(said + strlen(said), 'e', 800);
	strcat(said, "\"}\n");
	assert_int_equal(call(said, 0, &result, error), -EREMOTEIO);
	assert_int_equal(strlen(error), 255);
}

static void nonsense_is_no_answer(void **)
{
	static const char *const answers[] = {
		"\n",
		"nonsense\n",
		"{\"ok\":true\n",
		"{\"ok\":true,\"ok\":true}\n",
		"{\"ok\":true,\"result\":\"\xff\"}\n",
		"{\"ok\":true} {\"ok\":true}\n",
		"{\"ok\":true,\"result\":1}", // no end of line
	};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		char error[256];
		json_t *result = NULL;
		assert_int_equal(call(answers[i], 0, &result, error), -EPROTO);
		assert_non_null(strstr(error, strerror(EPROTO)));
		assert_null(result);
	}
}

static void hanging_up_is_no_answer(void **)
{
	char error[256];
	json_t *result = NULL;
	int ret = call(NULL, 0, &result, error);
	assert_true(ret == -EPROTO || ret == -ECONNRESET || ret == -EPIPE);
	assert_null(result);
}

static void request_is_one_line_with_its_arguments(void **)
{
	struct server s;
	char error[256];
	json_t *args = json_pack("{s:s,s:i}", "name", "a\nb", "n", 1), *result = NULL;
	const char *answer = "{\"ok\":true,\"result\":null}\n";
	server_start(&s, answer, strlen(answer));
	assert_int_equal(pthread_create(&s.thread, NULL, serve, &s), 0);
	assert_int_equal(control_call(s.path, "user.add", args, &result, error), 0);
	assert_true(json_is_null(result));
	assert_int_equal(args->refcount, 1); // stays the caller's
	pthread_join(s.thread, NULL);
	assert_ptr_equal(strchr(s.request, '\n'), s.request + strlen(s.request) - 1);
	json_t *request = json_loads(s.request, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(request, "cmd")), "user.add");
	assert_true(json_equal(json_object_get(request, "args"), args));
	json_decref(request);
	json_decref(args);
	assert_int_equal(pthread_create(&s.thread, NULL, serve, &s), 0);
	free(s.request);
	assert_int_equal(control_call(s.path, "ping", NULL, &result, error), 0);
	pthread_join(s.thread, NULL);
	assert_string_equal(s.request, "{\"cmd\":\"ping\",\"args\":{}}\n");
	close(s.fd);
	unlink(s.path);
	rmdir(s.dir);
	free(s.request);
}

static void paths_that_lead_nowhere_are_said(void **)
{
	char error[256], path[200];
	json_t *result = NULL;
	memset(path, 'p', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(control_call(path, "ping", NULL, &result, error), -ENAMETOOLONG);
	assert_int_equal(
		control_call("/nonexistent/socket", "ping", NULL, &result, error), -ENOENT
	);
	assert_non_null(strstr(error, "/nonexistent/socket"));
	assert_int_equal(control_call("/dev/null", "ping", NULL, &result, error), -ECONNREFUSED);
	assert_null(result);
}

static void words_that_are_not_utf8_are_not_sent(void **)
{
	char error[256];
	json_t *result = NULL;
	assert_true(control_call("/nonexistent", "\xff", NULL, &result, error) < 0);
	assert_null(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(result_is_handed_over),
		cmocka_unit_test(answer_may_come_byte_by_byte),
		cmocka_unit_test(large_answers_are_read_whole),
		cmocka_unit_test(endless_answers_are_given_up),
		cmocka_unit_test(refusals_come_with_their_words),
		cmocka_unit_test(long_words_are_cut),
		cmocka_unit_test(nonsense_is_no_answer),
		cmocka_unit_test(hanging_up_is_no_answer),
		cmocka_unit_test(request_is_one_line_with_its_arguments),
		cmocka_unit_test(paths_that_lead_nowhere_are_said),
		cmocka_unit_test(words_that_are_not_utf8_are_not_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
