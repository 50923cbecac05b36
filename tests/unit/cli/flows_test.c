// SPDX-License-Identifier: Apache-2.0
#include "cli/flows.h"
#include "collector/store/store.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR (1700000000 * NS_PER_SEC / NS_PER_HOUR * NS_PER_HOUR)

static char dir[] = "/tmp/weir-flows-test-XXXXXX";
static char store_dir[64];

static void times_have_two_forms(void **)
{
	uint64_t a, b;
	assert_int_equal(flows_parse_time("2023/11/14 22:13", &a), 0);
	assert_int_equal(flows_parse_time("2023-11-14T22:13", &b), 0);
	assert_true(a == b && a == 1700000000 / 60 * 60 * NS_PER_SEC);
	assert_int_equal(flows_parse_time("2023-11-14", &a), -EINVAL);
	assert_int_equal(flows_parse_time("2023-02-30T00:00", &a), -EINVAL);
	assert_int_equal(flows_parse_time("", &a), -EINVAL);
}

static void windows_end_with_their_minute(void **)
{
	struct flows_options o;
	const char *what;
	assert_int_equal(flows_parse_window("", "", &o, &what), 0);
	assert_true(o.from_ns == 0 && o.until_ns == UINT64_MAX);
	assert_int_equal(flows_parse_window("2023/11/14 22:13", "2023/11/14 22:13", &o, &what), 0);
	assert_true(o.until_ns - o.from_ns == 60 * NS_PER_SEC - 1);
	assert_int_equal(
		flows_parse_window("2023/11/14 22:13", "2023/11/14 22:12", &o, &what), -EINVAL
	);
	assert_non_null(what);
	assert_int_equal(flows_parse_window("today", "", &o, &what), -EINVAL);
	assert_int_equal(flows_parse_window("", "today", &o, &what), -EINVAL);
}

// Rows whose order in the store is not that of their start: each batch covers the whole hour.
static int fill_store(void **)
{
	char error[STORE_ERROR_LEN];
	struct store *s;
	if (!mkdtemp(dir))
		return -1;
	snprintf(store_dir, sizeof(store_dir), "%s/store", dir);
	struct store_options o = {.dir = store_dir, .cache_len = 8 << 20, .block_rows = 64};
	if (store_open(&o, &s, error) < 0)
		return -1;
	int entity = store_entity(s, STORE_ENTITY_DEFAULT);
	for (uint32_t round = 0; round < 4; round++) {
		struct record_batch *b = record_batch_create(200);
		b->entity = (uint16_t)entity;
		for (uint32_t i = 0; i < 200; i++) {
			struct record r = {};
			char name[16];
			int len = snprintf(name, sizeof(name), "name-%u-%u", round, i);
			uint64_t at = (i * 36 + round) * NS_PER_SEC; // two hours long
			RECORD_SET(&r, start_ns, HOUR + at);
			RECORD_SET(&r, end_ns, HOUR + at);
			RECORD_SET(&r, src, addr_of_v4("\xc0\0\2\1"));
			RECORD_SET(&r, bytes, at);
			RECORD_SET(&r, server_name, ((struct record_str){name, (uint16_t)len}));
			if (record_batch_add(b, &r) < 0)
				return -1;
		}
		if (store_commit(s, &b, 1, error) < 0)
			return -1;
		record_batch_free(b);
	}
	store_close(s);
	return 0;
}

static int remove_store(void **)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static struct flows *open_flows(uint64_t from_ns, uint64_t until_ns, bool sorted)
{
	char error[FLOWS_ERROR_LEN];
	struct flows *f = NULL;
	struct flows_options o = {
		.dir = store_dir,
		.entity = "netflow",
		.from_ns = from_ns,
		.until_ns = until_ns,
		.sorted = sorted,
	};
	assert_int_equal(flows_open(&o, &f, error), 0);
	return f;
}

static void all_flows_come_once(void **)
{
	for (int sorted = 0; sorted < 2; sorted++) {
		struct flows *f = open_flows(0, UINT64_MAX, sorted);
		struct record r;
		uint64_t n = 0, sum = 0, last = 0;
		int ret;
		while ((ret = flows_next(f, &r)) > 0) {
			assert_true(!sorted || r.start_ns >= last);
			assert_memory_equal(r.server_name.p, "name-", 5);
			last = r.start_ns;
			sum += r.bytes / NS_PER_SEC;
			n++;
		}
		assert_int_equal(ret, 0);
		assert_int_equal(n, 800);
		assert_int_equal(sum, 4 * 36 * (199 * 200 / 2) + 200 * (0 + 1 + 2 + 3));
		assert_int_equal(flows_total(f), 800);
		assert_int_equal(flows_passed(f), 800);
		assert_int_equal(flows_damaged(f), 0);
		flows_close(f);
	}
}

static void only_those_of_the_window_come(void **)
{
	for (int sorted = 0; sorted < 2; sorted++) {
		uint64_t from = HOUR + 3500 * NS_PER_SEC, until = HOUR + 3700 * NS_PER_SEC;
		struct flows *f = open_flows(from, until, sorted);
		struct record r;
		unsigned n = 0;
		while (flows_next(f, &r) > 0) {
			assert_in_range(r.start_ns, from, until);
			n++;
		}
		assert_int_equal(n, 5 * 4); // 3528, 3564 ... 3672, in each batch
		flows_close(f);
	}
}

static void nothing_is_left_in_the_temporary_folder(void **)
{
	char tmp[80], error[FLOWS_ERROR_LEN];
	snprintf(tmp, sizeof(tmp), "%s/tmp", dir);
	snprintf(error, sizeof(error), "mkdir %s", tmp);
	assert_int_equal(system(error), 0);
	setenv("TMPDIR", tmp, 1);
	flows_close(open_flows(0, UINT64_MAX, false));
	struct flows *f = NULL;
	struct flows_options o = {.dir = store_dir, .entity = "nobody", .until_ns = UINT64_MAX};
	assert_int_equal(flows_open(&o, &f, error), -ENOENT);
	assert_non_null(strstr(error, "nobody"));
	o.dir = "/nonexistent";
	assert_int_equal(flows_open(&o, &f, error), -ENOENT);
	unsetenv("TMPDIR");
	struct dirent **names;
	assert_int_equal(scandir(tmp, &names, NULL, NULL), 2); // . and ..
	free(names[0]);
	free(names[1]);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_have_two_forms),
		cmocka_unit_test(windows_end_with_their_minute),
		cmocka_unit_test(all_flows_come_once),
		cmocka_unit_test(only_those_of_the_window_come),
		cmocka_unit_test(nothing_is_left_in_the_temporary_folder),
	};
	return cmocka_run_group_tests(tests, fill_store, remove_store);
}
