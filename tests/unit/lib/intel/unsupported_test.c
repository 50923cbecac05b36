// SPDX-License-Identifier: Apache-2.0

// A CPU that cannot run Hyperscan: this program answers for it, as such a CPU would.

#include "lib/intel/match.h"
#include "tests/unit/cmocka.h"

#include <errno.h>

int hs_valid_platform(void);

int hs_valid_platform(void)
{
	return -11; // HS_ARCH_ERROR
}

static void it_is_told_in_words(void **)
{
	struct intel_list *l = intel_list_create("feed");
	struct indicator i = {};
	struct intel_options o = {.n_threads = 1};
	struct intel_db *db = NULL;
	char error[INTEL_ERROR_LEN], name[INDICATOR_NAME_MAX + 1];
	assert_null(indicator_parse("203.0.113.7", 11, &i, name));
	assert_int_equal(intel_list_add(l, &i, name), 0);
	assert_int_equal(intel_supported(), -ENOTSUP);
	assert_int_equal(intel_db_create(&l, 1, &o, &db, error), -ENOTSUP);
	assert_null(db);
	assert_non_null(strstr(error, "this CPU cannot run Hyperscan"));
	intel_list_put(l);
}

static void without_indicators_it_does_not_matter(void **)
{
	struct intel_options o = {.n_threads = 1};
	struct intel_query q = {.has_flow = true};
	struct intel_match m = {.id = 1};
	struct intel_counters c = {};
	struct intel_db *db;
	char error[INTEL_ERROR_LEN];
	assert_int_equal(intel_db_create(NULL, 0, &o, &db, error), 0);
	intel_match(db, 0, 1, &q, 1, &m, &c);
	assert_true(m.id == 0);
	intel_db_put(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_told_in_words),
		cmocka_unit_test(without_indicators_it_does_not_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
