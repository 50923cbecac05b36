// SPDX-License-Identifier: Apache-2.0
#include "collector/store/read.h"
#include "collector/store/store.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#include <errno.h>

struct fixture {
	char dir[64], scratch[80];
	char error[STORE_ERROR_LEN];
	struct store *store;
	struct store_reader *reader;
	struct store_view *view; // closed before the reader, whatever happens
};

static void open_store(struct fixture *f)
{
	struct store_options o = {.dir = f->dir, .block_rows = 1000};
	if (store_open(&o, &f->store, f->error) < 0)
		fail_msg("%s", f->error);
}

static struct store_view *fresh_view(struct fixture *f)
{
	char error[STORE_READ_ERROR_LEN];
	if (!f->reader && store_reader_open(f->dir, f->scratch, &f->reader, error) < 0)
		fail_msg("%s", error);
	assert_int_equal(store_reader_refresh(f->reader, 0), 0);
	store_view_close(f->view);
	f->view = store_view_open(f->reader);
	assert_non_null(f->view);
	return f->view;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	rows_dir(f->dir);
	snprintf(f->scratch, sizeof(f->scratch), "%s.reader", f->dir);
	open_store(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	store_view_close(f->view);
	store_reader_close(f->reader);
	store_close(f->store);
	rows_dir_remove(f->dir);
	rows_dir_remove(f->scratch);
	free(f);
	return 0;
}

static void commit(struct fixture *f, struct record_batch *b)
{
	if (store_commit(f->store, &b, 1, f->error) < 0)
		fail_msg("%s", f->error);
}

static void an_entity_keeps_its_number_when_the_store_is_reopened(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(store_entity(f->store, "netflow"), 0);
	assert_int_equal(store_entity(f->store, "lentor"), 1);
	assert_int_equal(store_entity(f->store, "netflow"), 0);
	assert_int_equal(store_entity(f->store, ""), -EINVAL);
	store_close(f->store);
	open_store(f);
	assert_int_equal(store_entity(f->store, "lentor"), 1);
	assert_int_equal(store_entity(f->store, "third"), 2);
	struct store_view *v = fresh_view(f);
	assert_int_equal(store_view_entity(v, "lentor"), 1);
	assert_int_equal(store_view_entity(v, "lento"), -ENOENT);
}

static void committed_rows_are_scanned_as_they_were_given(void **state)
{
	struct fixture *f = *state;
	struct record_batch *b = rows_batch(3, ROWS_HOUR, 500);
	const struct record_batch *got;
	struct store_scan *scan;
	commit(f, b);
	struct store_view *v = fresh_view(f);
	struct store_scan_spec spec = {.entity = 3, .to_ns = UINT64_MAX, .fields = ~0ull};
	assert_int_equal(store_scan_open(v, &spec, &scan), 0);
	assert_int_equal(store_scan_next(scan, &got), 1);
	assert_int_equal(got->n_rows, 500);
	for (uint32_t i = 0; i < 500; i++) {
		struct record l, r;
		record_batch_get(b, i, &l);
		record_batch_get(got, i, &r);
		assert_int_equal(l.start_ns, r.start_ns);
		assert_int_equal(l.bytes, r.bytes);
		assert_memory_equal(&l.src, &r.src, 16);
		assert_int_equal(l.server_name.len, r.server_name.len);
		assert_memory_equal(l.server_name.p, r.server_name.p, l.server_name.len);
	}
	assert_int_equal(store_scan_next(scan, &got), 0);
	store_scan_close(scan);
	record_batch_free(b);
}

static void a_second_writer_is_told_so(void **state)
{
	struct fixture *f = *state;
	struct store_options o = {.dir = f->dir};
	struct store *second;
	assert_int_equal(store_open(&o, &second, f->error), -EBUSY);
	assert_non_null(strstr(f->error, "one writer"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(an_entity_keeps_its_number_when_the_store_is_reopened),
		TEST(committed_rows_are_scanned_as_they_were_given),
		TEST(a_second_writer_is_told_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
