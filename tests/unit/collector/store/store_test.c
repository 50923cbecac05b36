// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/columns.h"
#include "tests/unit/collector/store/stores.h"

static void an_entity_keeps_its_number_when_the_store_is_reopened(void **state)
{
	struct stores *f = *state;
	assert_int_equal(store_entity(f->store, "netflow"), 0);
	assert_int_equal(store_entity(f->store, "lentor"), 1);
	assert_int_equal(store_entity(f->store, "netflow"), 0);
	stores_close(f);
	stores_open(f);
	assert_int_equal(store_entity(f->store, "lentor"), 1);
	assert_int_equal(store_entity(f->store, "third"), 2);
}

static void names_that_cannot_be_are_refused(void **state)
{
	struct stores *f = *state;
	char name[STORE_NAME_MAX + 2];
	memset(name, 'x', sizeof(name));
	name[STORE_NAME_MAX + 1] = 0;
	assert_int_equal(store_entity(f->store, ""), -EINVAL);
	assert_int_equal(store_entity(f->store, name), -EINVAL);
	name[STORE_NAME_MAX] = 0;
	assert_int_equal(store_entity(f->store, name), 0);
	assert_int_equal(store_entity(f->store, name + 1), 1);
}

static void committed_rows_are_scanned_as_they_were_given(void **state)
{
	struct stores *f = *state;
	struct record_batch *b = stores_rows(f, 3, 1, 500);
	struct column_rows rows = {b, NULL, 500};
	const struct record_batch *got;
	struct store_scan *scan;
	assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
	struct store_scan_spec spec = {.entity = 3, .to_ns = UINT64_MAX, .fields = ~0ull};
	assert_int_equal(store_scan_open(stores_view(f), &spec, &scan), 0);
	assert_int_equal(store_scan_next(scan, &got), 1);
	assert_int_equal(got->n_rows, 500);
	for (int field = 0; field < RECORD_N_FIELDS; field++)
		columns_assert_equal(&rows, (enum record_field)field, got);
	assert_int_equal(store_scan_next(scan, &got), 0);
	store_scan_close(scan);
	record_batch_free(b);
}

static void a_second_writer_is_told_so(void **state)
{
	struct stores *f = *state;
	struct stores second = {0};
	memcpy(second.dir, f->dir, sizeof(second.dir));
	assert_int_equal(stores_try_open(&second), -EBUSY);
	assert_non_null(strstr(second.error, "one writer"));
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
	struct stores nowhere = {.dir = "/nonexistent/store"};
	(void)state;
	assert_int_equal(stores_try_open(&nowhere), -ENOENT);
	assert_non_null(strstr(nowhere.error, "/nonexistent/store"));
	store_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_set_up, stores_tear_down)
		TEST(an_entity_keeps_its_number_when_the_store_is_reopened),
		TEST(names_that_cannot_be_are_refused),
		TEST(committed_rows_are_scanned_as_they_were_given),
		TEST(a_second_writer_is_told_so),
		TEST(a_folder_that_cannot_be_made_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
