// SPDX-License-Identifier: Apache-2.0
#include "collector/hunt/by_hand.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#include <errno.h>

static void one_value_and_a_feed_are_parsed(void **)
{
	static const char feed[] = "# c2\n198.51.100.7\n198.51.100.0/28\n10.1.2.3\nexample.net\n";
	struct intel_db *db;
	char error[256];
	assert_int_equal(by_hand_parse("192.0.2.1", 9, 3, &db, error), 0);
	assert_int_equal(intel_db_stats(db)->entries, 1);
	assert_int_equal(intel_db_entry(db, 0).indicator->score, INDICATOR_SCORE_MAX);
	intel_db_put(db);
	assert_int_equal(by_hand_parse(feed, sizeof(feed) - 1, 3, &db, error), 0);
	assert_int_equal(intel_db_stats(db)->entries, 4); // private ones are meant when said
	intel_db_put(db);
}

static void nothing_to_hunt_for_is_refused_with_the_reason(void **)
{
	static const char *const bad[] = {"", "no such thing", "# only words\n", "0.0.0.0/0"};
	struct intel_db *db;
	for (size_t i = 0; i < 4; i++) {
		char error[256] = "";
		assert_int_equal(by_hand_parse(bad[i], strlen(bad[i]), 1, &db, error), -EINVAL);
		assert_true(strlen(error) > 0);
	}
}

static void what_was_kept_comes_back_until_it_is_forgotten(void **)
{
	char dir[64];
	struct intel_db *db;
	rows_dir(dir);
	assert_int_equal(by_hand_load(dir, 12, 1, &db), -ENOENT);
	assert_int_equal(by_hand_keep(dir, 12, "example.net\n", 12), 0);
	assert_int_equal(by_hand_load(dir, 12, 1, &db), 0);
	assert_int_equal(intel_db_entry(db, 0).indicator->type, INDICATOR_NAME);
	intel_db_put(db);
	by_hand_forget(dir, 12);
	assert_int_equal(by_hand_load(dir, 12, 1, &db), -ENOENT);
	assert_true(by_hand_keep("/nowhere/at/all", 1, "x", 1) < 0);
	rows_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_value_and_a_feed_are_parsed),
		cmocka_unit_test(nothing_to_hunt_for_is_refused_with_the_reason),
		cmocka_unit_test(what_was_kept_comes_back_until_it_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
