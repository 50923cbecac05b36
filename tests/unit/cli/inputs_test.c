// SPDX-License-Identifier: Apache-2.0
#include "cli/inputs.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/weir-inputs-test-XXXXXX";

static void put_file(const char *name, const void *data, size_t len)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static int make_dir(void **)
{
	char path[256];
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/2023", dir);
	return mkdir(path, 0700);
}

static int remove_dir(void **)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void folders_are_walked_in_the_order_of_time(void **)
{
	struct inputs in;
	const char *fault;
	char *paths[] = {dir, dir};
	put_file("nfcapd.202311142200", "b", 1);
	put_file("nfcapd.202311142100", "aa", 2);
	put_file("nfcapd.current.123", "x", 1);
	put_file(".hidden", "x", 1);
	put_file("2023/nfcapd.202301010000", "c", 1);
	assert_int_equal(inputs_list(paths, 1, &in, &fault), 0);
	assert_int_equal(in.n, 3);
	assert_int_equal(in.size, 4);
	assert_non_null(strstr(in.files[0].path, "2023/nfcapd.202301010000"));
	assert_non_null(strstr(in.files[1].path, "nfcapd.202311142100"));
	assert_true(in.files[2].is_found);
	inputs_free(&in);
	assert_int_equal(inputs_list(paths, 2, &in, &fault), 0);
	assert_int_equal(in.n, 6);
	inputs_free(&in);
}

static void a_path_that_is_not_there_is_told(void **)
{
	struct inputs in;
	const char *fault = NULL;
	char *paths[] = {dir, "/nonexistent"};
	assert_int_equal(inputs_list(paths, 2, &in, &fault), -ENOENT);
	assert_string_equal(fault, "/nonexistent");
}

static void files_are_told_apart_by_their_first_bytes(void **)
{
	static const struct {
		const char *bytes;
		enum input_kind kind;
	} known[] = {
		{"\x0c\xa5\2\0", INPUT_NFDUMP},
		{"\xa5\x0c\0\2", INPUT_NFDUMP}, // of the other byte order
		{"\xd4\xc3\xb2\xa1", INPUT_CAPTURE},
		{"\xa1\xb2\xc3\xd4", INPUT_CAPTURE},
		{"\x4d\x3c\xb2\xa1", INPUT_CAPTURE},
		{"\x0a\x0d\x0d\x0a", INPUT_CAPTURE},
		{"text", INPUT_UNKNOWN},
	};
	char path[256];
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		put_file("kind", known[i].bytes, 4);
		snprintf(path, sizeof(path), "%s/kind", dir);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_int_equal(input_kind_of(fd), known[i].kind);
		close(fd);
		assert_int_equal(truncate(path, 3), 0);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_int_equal(input_kind_of(fd), INPUT_UNKNOWN);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_are_walked_in_the_order_of_time),
		cmocka_unit_test(a_path_that_is_not_there_is_told),
		cmocka_unit_test(files_are_told_apart_by_their_first_bytes),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
