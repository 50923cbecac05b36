// SPDX-License-Identifier: Apache-2.0

#include "lib/intel/match.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

static void add(struct intel_list *l, const char *value, uint16_t score, bool is_allow)
{
	struct indicator i = {.score = score, .is_allow = is_allow};
	char name[INDICATOR_NAME_MAX + 1];
	assert_null(indicator_parse(value, strlen(value), &i, name));
	assert_int_equal(intel_list_add(l, &i, name), 0);
}

static struct intel_db *db_of(struct intel_list *const *lists, size_t n, const char *cache_dir)
{
	struct intel_options o = {.n_threads = 2, .cache_dir = cache_dir};
	struct intel_db *db = NULL;
	char error[INTEL_ERROR_LEN];
	assert_int_equal(intel_db_create(lists, n, &o, &db, error), 0);
	return db;
}

static void entries_rise_by_id_with_the_strongest_first(void **)
{
	struct intel_list *l[2] = {intel_list_create("one"), intel_list_create("two")};
	char value[32];
	for (unsigned i = 0; i < 200; i++) {
		snprintf(value, sizeof(value), "203.0.113.%u", i % 50);
		add(l[i % 2], value, (uint16_t)(i * 7 % 1000), i % 13 == 0);
	}
	struct intel_db *db = db_of(l, 2, NULL);
	size_t n = intel_db_stats(db)->entries, first = 0;
	assert_int_equal(n, 200);
	assert_int_equal(intel_db_stats(db)->values, 50);
	for (size_t i = 1; i < n; i++) {
		struct intel_entry a = intel_db_entry(db, i - 1), b = intel_db_entry(db, i);
		assert_true(a.id <= b.id);
		assert_true(b.id == b.indicator->id);
		if (a.id != b.id)
			first = i;
		else if (a.indicator->is_allow == b.indicator->is_allow)
			assert_true(a.indicator->score >= b.indicator->score);
		else
			assert_true(a.indicator->is_allow);
		assert_int_equal(intel_db_find(db, b.id), first);
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t id = intel_db_entry(db, i).id;
		assert_int_equal(intel_db_find(db, id + 1), n); // of no indicator
		assert_int_equal(intel_db_find(db, id - 1), n);
	}
	intel_list_put(l[0]);
	intel_list_put(l[1]);
	intel_db_put(db);
}

static void owners_keep_it(void **)
{
	struct intel_list *l = intel_list_create("feed");
	add(l, "203.0.113.7", 5, false);
	struct intel_db *db = db_of(&l, 1, NULL);
	intel_list_put(l);
	assert_int_equal(intel_db_owners(db), 1);
	assert_ptr_equal(intel_db_get(db), db);
	assert_int_equal(intel_db_owners(db), 2);
	intel_db_put(db);
	assert_string_equal(intel_db_entry(db, 0).list->feed, "feed");
	intel_db_put(db);
	intel_db_put(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_rise_by_id_with_the_strongest_first),
		cmocka_unit_test(owners_keep_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
