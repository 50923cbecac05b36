// SPDX-License-Identifier: Apache-2.0
#include "collector/intel/feed_source.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#include <errno.h>
#include <sys/stat.h>

struct fixture {
	char dir[64];
	struct feed_def def;
	struct feed_mark mark;
	struct feed_bytes bytes;
	char error[FEED_ERROR_LEN];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	rows_dir(f->dir);
	f->def.max_len = 1000;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	free(f->bytes.data);
	rows_dir_remove(f->dir);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *name, const char *text)
{
	char path[200];
	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void locate(struct fixture *f, const char *name)
{
	snprintf(f->def.location, sizeof(f->def.location), "%s%s", f->dir, name);
}

static int look(struct fixture *f)
{
	free(f->bytes.data);
	f->bytes.data = NULL;
	return feed_source_read(&f->def, &f->mark, &f->bytes, f->error);
}

static void assert_bytes(const struct fixture *f, const char *want)
{
	assert_int_equal(f->bytes.len, strlen(want));
	assert_memory_equal(f->bytes.data, want, f->bytes.len);
}

static void a_file_is_read_when_it_has_changed(void **state)
{
	struct fixture *f = *state;
	put(f, "list", "192.0.2.1\n192.0.2.2");
	locate(f, "/list");
	assert_int_equal(look(f), 1);
	assert_bytes(f, "192.0.2.1\n192.0.2.2\n"); // every line has its end
	assert_int_equal(look(f), 0);
	assert_null(f->bytes.data);
	put(f, "list", "192.0.2.1\n");
	assert_int_equal(look(f), 1);
	assert_bytes(f, "192.0.2.1\n");
}

static void an_empty_file_is_no_fault(void **state)
{
	struct fixture *f = *state;
	put(f, "list", "");
	locate(f, "/list");
	assert_int_equal(look(f), 1);
	assert_int_equal(f->bytes.len, 0);
}

static void a_directory_is_all_its_files_in_order(void **state)
{
	struct fixture *f = *state;
	char path[200];
	put(f, "b", "second\n");
	put(f, "a", "first");
	put(f, ".hidden", "never\n");
	snprintf(path, sizeof(path), "%s/below", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/pipe", f->dir);
	assert_int_equal(mkfifo(path, 0600), 0); // must not be waited for
	locate(f, "");
	assert_int_equal(look(f), 1);
	assert_bytes(f, "first\nsecond\n");
	assert_int_equal(look(f), 0);
	put(f, "c", "third\n");
	assert_int_equal(look(f), 1);
	assert_bytes(f, "first\nsecond\nthird\n");
	snprintf(path, sizeof(path), "%s/a", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(look(f), 1);
	assert_bytes(f, "second\nthird\n");
}

static void what_cannot_be_read_is_told(void **state)
{
	struct fixture *f = *state;
	char path[200];
	locate(f, "/nothing");
	assert_int_equal(look(f), -ENOENT);
	assert_non_null(strstr(f->error, "nothing"));
	snprintf(path, sizeof(path), "%s/pipe", f->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	locate(f, "/pipe");
	assert_int_equal(look(f), -EINVAL);
	put(f, "large", "0123456789");
	locate(f, "/large");
	f->def.max_len = 9;
	assert_int_equal(look(f), -EFBIG);
	assert_null(f->bytes.data);
	f->def.max_len = 10;
	assert_int_equal(look(f), 1); // a failed look does not count as one
}

static void a_directory_has_the_cap_as_a_whole(void **state)
{
	struct fixture *f = *state;
	put(f, "a", "12345\n");
	put(f, "b", "12345\n");
	locate(f, "");
	f->def.max_len = 11;
	assert_int_equal(look(f), -EFBIG);
	assert_null(f->bytes.data);
	f->def.max_len = 12;
	assert_int_equal(look(f), 1);
}

static void the_last_good_copy_is_kept_whole(void **state)
{
	struct fixture *f = *state;
	const struct feed_bytes first = {(char *)"one\n", 4},
				second = {(char *)"two, longer\n", 12};
	assert_int_equal(feed_copy_read(f->dir, "list", &f->bytes), -ENOENT);
	assert_int_equal(feed_copy_write(f->dir, "list", &first), 0);
	assert_int_equal(feed_copy_write(f->dir, "list", &second), 0);
	assert_int_equal(feed_copy_read(f->dir, "list", &f->bytes), 0);
	assert_bytes(f, "two, longer\n");
	feed_copy_del(f->dir, "list");
	free(f->bytes.data);
	f->bytes.data = NULL;
	assert_int_equal(feed_copy_read(f->dir, "list", &f->bytes), -ENOENT);
	assert_int_equal(feed_copy_write("/nowhere/at/all", "list", &first), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_file_is_read_when_it_has_changed),
		TEST(an_empty_file_is_no_fault),
		TEST(a_directory_is_all_its_files_in_order),
		TEST(what_cannot_be_read_is_told),
		TEST(a_directory_has_the_cap_as_a_whole),
		TEST(the_last_good_copy_is_kept_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
