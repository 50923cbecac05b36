// SPDX-License-Identifier: Apache-2.0
#include "lib/base/control_server.h"
#include "lib/base/control.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[] = "/tmp/weir-control-test-XXXXXX";
static char path[64];

static json_t *echo(void *ctx, json_t *args, char error[static 256])
{
	(void)error;
	return json_pack("{s:s,s:O}", "ctx", ctx, "args", args);
}

static json_t *refuse(void *, json_t *, char error[static 256])
{
	strcpy(error, "not today");
	return NULL;
}

static const struct control_command table[] = {{"echo", echo, ""}, {"refuse", refuse, ""}, {}};

static int make_dir(void **)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/socket", dir);
	return 0;
}

static int remove_dir(void **)
{
	return rmdir(dir);
}

static struct control *start(void)
{
	struct control *c = NULL;
	assert_int_equal(control_start(path, table, (void *)"me", &c), 0);
	return c;
}

static void a_command_gets_its_arguments_and_answers(void **)
{
	struct control *c = start();
	char error[256];
	json_t *args = json_pack("{s:s}", "word", "été"), *result = NULL;
	assert_int_equal(control_call(path, "echo", args, &result, error), 0);
	assert_string_equal(json_string_value(json_object_get(result, "ctx")), "me");
	assert_true(json_equal(json_object_get(result, "args"), args));
	json_decref(args);
	json_decref(result);
	control_stop(c);
	assert_int_equal(access(path, F_OK), -1); // the socket is gone
}

static void a_refusal_comes_with_its_reason(void **)
{
	struct control *c = start();
	char error[256];
	json_t *result = NULL;
	assert_int_equal(control_call(path, "refuse", NULL, &result, error), -EREMOTEIO);
	assert_string_equal(error, "not today");
	assert_int_equal(control_call(path, "dance", NULL, &result, error), -EREMOTEIO);
	assert_string_equal(error, "unknown command");
	assert_null(result);
	control_stop(c);
}

static void what_is_large_is_taken_and_too_large_is_refused(void **)
{
	struct control *c = start();
	char error[256], *word = malloc(CONTROL_LINE_MAX);
	memset(word, 'x', CONTROL_LINE_MAX);
	json_t *args = json_pack("{s:s#}", "word", word, CONTROL_LINE_MAX - 200), *result = NULL;
	assert_int_equal(control_call(path, "echo", args, &result, error), 0);
	assert_true(json_equal(json_object_get(result, "args"), args));
	json_decref(args);
	json_decref(result);
	// fits as a request, and not with the rest of the answer around it
	args = json_pack("{s:s#}", "word", word, CONTROL_LINE_MAX - 40);
	assert_int_equal(control_call(path, "echo", args, &result, error), -EREMOTEIO);
	assert_non_null(strstr(error, "too large"));
	json_decref(args);
	free(word);
	control_stop(c);
}

static void without_a_collector_the_call_fails(void **)
{
	char error[256];
	json_t *result = NULL;
	assert_int_equal(control_call(path, "echo", NULL, &result, error), -ENOENT);
	assert_non_null(strstr(error, path));
}

static void a_socket_in_use_is_not_taken_and_a_dead_one_is(void **)
{
	struct control *c = start(), *second = NULL;
	assert_int_equal(control_start(path, table, NULL, &second), -EBUSY);
	control_stop(c);

	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	strcpy(sun.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd); // the file stays, nobody listens
	control_stop(start());
}

static void a_file_that_is_no_socket_is_left_alone(void **)
{
	struct control *c = NULL;
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(control_start(path, table, NULL, &c), -EEXIST);
	unlink(path);
}

// Sends bytes as they are and returns what comes back until the end or the first line.
static ssize_t raw(const char *bytes, size_t len, char *reply, size_t room)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct timeval timeout = {.tv_sec = 5};
	strcpy(sun.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	size_t done = 0;
	while (done < len) {
		ssize_t n = send(fd, bytes + done, len - done, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	shutdown(fd, SHUT_WR);
	ssize_t n = recv(fd, reply, room - 1, 0);
	reply[n > 0 ? n : 0] = '\0';
	close(fd);
	return n;
}

static void nonsense_gets_an_error_and_the_next_one_an_answer(void **)
{
	struct control *c = start();
	static const char *const lines[] = {
		"\n",
		"{}\n",
		"[1,2]\n",
		"{\"cmd\": 5}\n",
		"{\"cmd\": \"echo\", \"cmd\": \"echo\"}\n",
		"\x00\xff\n"};
	char reply[512], error[256];
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_true(raw(lines[i], i == 5 ? 3 : strlen(lines[i]), reply, sizeof(reply)) > 0);
		assert_non_null(strstr(reply, "not a request"));
	}
	size_t len = 1 << 20;
	char *endless = malloc(len);
	memset(endless, 'x', len);
	assert_true(raw(endless, len, reply, sizeof(reply)) <= 0); // cut off
	free(endless);
	json_t *result = NULL;
	json_t *args = json_object();
	assert_int_equal(control_call(path, "echo", args, &result, error), 0);
	json_decref(args);
	json_decref(result);
	control_stop(c);
}

static void others_may_not_connect(void **)
{
	struct control *c = start();
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	control_stop(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_gets_its_arguments_and_answers),
		cmocka_unit_test(a_refusal_comes_with_its_reason),
		cmocka_unit_test(what_is_large_is_taken_and_too_large_is_refused),
		cmocka_unit_test(without_a_collector_the_call_fails),
		cmocka_unit_test(a_socket_in_use_is_not_taken_and_a_dead_one_is),
		cmocka_unit_test(a_file_that_is_no_socket_is_left_alone),
		cmocka_unit_test(nonsense_gets_an_error_and_the_next_one_an_answer),
		cmocka_unit_test(others_may_not_connect),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
