// SPDX-License-Identifier: Apache-2.0
#include "collector/store/changes.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#include <errno.h>

static void changes_are_counted_for_readers(void **state)
{
	char dir[64];
	(void)state;
	rows_dir(dir);
	assert_int_equal(changes_open(dir, false), -ENOENT); // the writer makes it
	int writer = changes_open(dir, true), reader = changes_open(dir, false);
	assert_true(writer >= 0 && reader >= 0);
	for (uint64_t n = 0; n < 5; n++) {
		assert_int_equal(changes_read(reader), n);
		changes_bump(writer);
	}
	close(writer);
	writer = changes_open(dir, true);
	changes_bump(writer);
	assert_int_equal(changes_read(reader), 6);
	close(writer);
	close(reader);
	rows_dir_remove(dir);
}

static void no_counter_counts_nothing(void **state)
{
	(void)state;
	assert_int_equal(changes_read(-1), 0);
	changes_bump(-1);
	assert_int_equal(changes_open("/nonexistent", true), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_counted_for_readers),
		cmocka_unit_test(no_counter_counts_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
