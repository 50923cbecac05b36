// SPDX-License-Identifier: Apache-2.0
#include "collector/ledger.h"
#include "tests/unit/cmocka.h"

#include <pthread.h>
#include <string.h>

static void names_are_unique_words(void **)
{
	for (int i = 0; i < LEDGER_N; i++) {
		const char *name = ledger_infos[i].name;
		assert_true(strlen(name) > 0);
		assert_int_equal(
			strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name)
		);
		assert_true(strlen(ledger_infos[i].unit) > 0);
		assert_true(strlen(ledger_infos[i].text) > 0);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(ledger_infos[k].name, name);
	}
}

static void table_and_numbers_agree(void **)
{
	assert_string_equal(ledger_infos[LEDGER_datagrams].name, "datagrams");
	assert_string_equal(ledger_infos[LEDGER_store_failed].name, "store_failed");
	assert_false(ledger_infos[LEDGER_records].is_drop);
	assert_false(ledger_infos[LEDGER_stored].is_drop);
	assert_true(ledger_infos[LEDGER_kernel_queue].is_drop);
}

// records = stored + drops in records + in flight: whatever is counted in records and is no drop is
// not a part of that sum, so a new drop of records must say so by its unit.
static void drops_of_records_are_these(void **)
{
	static const enum ledger_id drops[] = {
		LEDGER_no_address, LEDGER_no_memory, LEDGER_store_failed};
	for (int i = 0; i < LEDGER_N; i++) {
		bool want = false;
		for (size_t k = 0; k < sizeof(drops) / sizeof(drops[0]); k++)
			want |= drops[k] == (enum ledger_id)i;
		bool is = ledger_infos[i].is_drop && strcmp(ledger_infos[i].unit, "records") == 0;
		if (is != want)
			fail_msg("%s", ledger_infos[i].name);
	}
}

static void *add_many(void *arg)
{
	for (int i = 0; i < 10000; i++)
		ledger_add(arg, i % 2 ? LEDGER_records : LEDGER_bytes, 3);
	return NULL;
}

static void threads_add_up(void **)
{
	static struct ledger ledger;
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, &ledger), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(ledger_get(&ledger, LEDGER_records), 60000);
	assert_int_equal(ledger_get(&ledger, LEDGER_bytes), 60000);
	assert_int_equal(ledger_get(&ledger, LEDGER_stored), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_unique_words),
		cmocka_unit_test(table_and_numbers_agree),
		cmocka_unit_test(drops_of_records_are_these),
		cmocka_unit_test(threads_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
