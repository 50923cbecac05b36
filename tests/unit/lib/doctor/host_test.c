// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/host.h"
#include "tests/unit/lib/doctor/exam.h"

static void small_files_lose_their_last_newline(void **state)
{
	struct exam *e = *state;
	char text[8];
	tree_file(&e->t, "/a/b", "one\ntwo\n");
	assert_int_equal(host_read(e->t.root, text, sizeof(text), "/%s/b", "a"), 0);
	assert_string_equal(text, "one\ntwo");
	tree_file(&e->t, "/a/b", "longer than the room");
	assert_int_equal(host_read(e->t.root, text, sizeof(text), "/a/b"), 0);
	assert_string_equal(text, "longer ");
	assert_int_equal(host_read(e->t.root, text, sizeof(text), "/none"), -ENOENT);
	assert_string_equal(text, "");
}

static void a_folder_is_no_file(void **state)
{
	struct exam *e = *state;
	char text[8] = "before";
	tree_dir(&e->t, "/a");
	assert_int_equal(host_read(e->t.root, text, sizeof(text), "/a"), -EISDIR);
	assert_string_equal(text, "");
}

static void numbers_are_of_any_base(void **state)
{
	struct exam *e = *state;
	int64_t n = 5;
	tree_file(&e->t, "/n", "0x8086\n");
	assert_int_equal(host_number(e->t.root, &n, "/n"), 0);
	assert_int_equal(n, 0x8086);
	tree_file(&e->t, "/n", "-1\n");
	assert_int_equal(host_number(e->t.root, &n, "/n"), 0);
	assert_int_equal(n, -1);
	tree_file(&e->t, "/n", "word\n");
	assert_int_equal(host_number(e->t.root, &n, "/n"), -EINVAL);
	assert_int_equal(host_number(e->t.root, &n, "/none"), -ENOENT);
	assert_int_equal(n, -1);
}

static void links_give_their_target_and_its_last_part(void **state)
{
	struct exam *e = *state;
	char text[16];
	tree_link(&e->t, "/d", "../../drivers/ixgbe");
	assert_int_equal(host_link(e->t.root, text, sizeof(text), "/d"), 0);
	assert_string_equal(text, "ixgbe");
	assert_int_equal(host_target(e->t.root, text, sizeof(text), "/d"), -ENAMETOOLONG);
	assert_string_equal(text, "");
	tree_link(&e->t, "/d", "plain");
	assert_int_equal(host_link(e->t.root, text, sizeof(text), "/d"), 0);
	assert_string_equal(text, "plain");
	assert_int_equal(host_target(e->t.root, text, sizeof(text), "/d"), 0);
	assert_string_equal(text, "plain");
	assert_int_equal(host_link(e->t.root, text, sizeof(text), "/none"), -ENOENT);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	struct exam *e = *state;
	char text[8], path[PATH_MAX + 8];
	int64_t n;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(host_read(e->t.root, text, sizeof(text), "/%s", path), -ENAMETOOLONG);
	assert_int_equal(host_number(e->t.root, &n, "/%s", path), -ENAMETOOLONG);
	assert_int_equal(host_target(path, text, sizeof(text), "/x"), -ENAMETOOLONG);
	assert_false(host_exists(e->t.root, "/%s", path));
	assert_null(host_opendir(e->t.root, "/%s", path));
	assert_null(host_fopen(e->t.root, "/%s", path));
}

static void folders_are_listed_without_the_dots(void **state)
{
	struct exam *e = *state;
	struct dirent *entry;
	tree_file(&e->t, "/d/only", "");
	DIR *dir = host_opendir(e->t.root, "/d");
	assert_non_null(entry = host_readdir(dir));
	assert_string_equal(entry->d_name, "only");
	assert_null(host_readdir(dir));
	closedir(dir);
	assert_null(host_readdir(NULL));
}

static void fields_are_found_at_the_start_of_a_line(void **)
{
	const char *text = "Name:\tVmRSS\nXVmRSS: 1\nVmRSS:\t  7 kB\nflags\t\t: a b\nLast: x";
	char value[8];
	host_field(text, "VmRSS", value, sizeof(value));
	assert_string_equal(value, "7 kB");
	host_field(text, "flags", value, sizeof(value));
	assert_string_equal(value, "a b");
	host_field(text, "Last", value, sizeof(value));
	assert_string_equal(value, "x");
	host_field(text, "Vm", value, sizeof(value));
	assert_string_equal(value, "");
	host_field("", "Vm", value, sizeof(value));
	assert_string_equal(value, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		exam_test(small_files_lose_their_last_newline),
		exam_test(a_folder_is_no_file),
		exam_test(numbers_are_of_any_base),
		exam_test(links_give_their_target_and_its_last_part),
		exam_test(a_path_that_is_too_long_is_refused),
		exam_test(folders_are_listed_without_the_dots),
		cmocka_unit_test(fields_are_found_at_the_start_of_a_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
