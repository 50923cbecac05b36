// SPDX-License-Identifier: Apache-2.0
#include "lib/base/log.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What one call writes to standard error.
static void captured(char text[static 2048], void (*call)(void))
{
	int fds[2], saved = dup(STDERR_FILENO);
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	call();
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[1]);
	ssize_t n = read(fds[0], text, 2047);
	text[n > 0 ? n : 0] = '\0';
	close(fds[0]);
}

static void log_foreign(void)
{
	log_info("name %s", "a\nb\x1b[2J\x7f");
}

static void log_long(void)
{
	char text[4096];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
}

static void log_fine(void)
{
	log_debug("fine");
}

static void log_failure(void)
{
	if (log_errno(-ENOENT, "open %s", "x") != -ENOENT)
		log_err("wrong value");
}

static void foreign_text_cannot_forge_a_line(void **)
{
	char text[2048];
	captured(text, log_foreign);
	assert_non_null(strstr(text, "info test: name a?b?[2J?\n"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void a_long_line_is_cut_and_still_ends(void **)
{
	char text[2048];
	captured(text, log_long);
	assert_true(strlen(text) <= 1024);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void lines_above_the_level_are_left_out(void **)
{
	char text[2048];
	captured(text, log_fine);
	assert_string_equal(text, "");
}

static void a_failure_is_logged_with_its_reason(void **)
{
	char text[2048];
	captured(text, log_failure);
	assert_non_null(strstr(text, "error test: open x: No such file or directory\n"));
	assert_null(strstr(text, "wrong value"));
}

static void repeats_beyond_the_burst_are_suppressed_and_counted(void **)
{
	struct log_limit l = {};
	uint64_t suppressed = 0;
	int ok = 0;
	for (int i = 0; i < 1000; i++)
		ok += log_limit_ok(&l, 5, &suppressed);
	assert_in_range(ok, 5, 6); // 6: a second ended meanwhile
	assert_in_range(l.suppressed, 994, 995);
}

static int open_log(void **)
{
	unsetenv("JOURNAL_STREAM");
	log_open("test", LOG_LEVEL_INFO);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foreign_text_cannot_forge_a_line),
		cmocka_unit_test(a_long_line_is_cut_and_still_ends),
		cmocka_unit_test(lines_above_the_level_are_left_out),
		cmocka_unit_test(a_failure_is_logged_with_its_reason),
		cmocka_unit_test(repeats_beyond_the_burst_are_suppressed_and_counted),
	};
	return cmocka_run_group_tests(tests, open_log, NULL);
}
