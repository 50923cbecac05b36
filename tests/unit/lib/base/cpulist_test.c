// SPDX-License-Identifier: Apache-2.0
#include "lib/base/cpulist.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

static struct cpulist list_of(const char *text)
{
	struct cpulist l;
	assert_int_equal(cpulist_parse(text, &l), 0);
	return l;
}

static void ranges_and_single_cpus_are_read(void **)
{
	struct cpulist l = list_of("0-2,8,10-11\n");
	const uint16_t want[] = {0, 1, 2, 8, 10, 11};
	assert_int_equal(l.n, 6);
	assert_memory_equal(l.cpus, want, sizeof(want));
}

static void nothing_is_the_empty_list(void **)
{
	assert_int_equal(list_of("").n, 0);
	assert_int_equal(list_of("\n").n, 0);
}

static void what_is_no_list_is_refused(void **)
{
	static const char *const bad[] = {
		"x", "3-1", "1-", "(null)", "0-99999999", "-1", "1,,2", "1;2"};
	struct cpulist l = {.n = 7};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(cpulist_parse(bad[i], &l), -EINVAL);
	assert_int_equal(l.n, 7);
}

static void more_cpus_than_there_is_room_for_are_refused(void **)
{
	struct cpulist l;
	assert_int_equal(cpulist_parse("0-1023", &l), 0);
	assert_int_equal(cpulist_parse("0-1024", &l), -EINVAL);
	assert_int_equal(cpulist_parse("0-1000,2000-2030", &l), -EINVAL);
}

static void what_was_read_is_written_the_same(void **)
{
	static const char *const texts[] = {"", "0", "0-1", "0-2,8,10-11", "5,7,9"};
	char text[CPULIST_TEXT_LEN];
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct cpulist l = list_of(texts[i]);
		assert_string_equal(cpulist_format(&l, text), texts[i]);
	}
}

static void a_list_without_room_is_cut_at_a_number(void **)
{
	struct cpulist l = {}, again;
	char text[CPULIST_TEXT_LEN];
	for (unsigned i = 0; i < CPULIST_MAX; i++)
		l.cpus[l.n++] = (uint16_t)(2 * i);
	assert_int_equal(cpulist_parse(cpulist_format(&l, text), &again), 0);
	assert_true(again.n > 80);
	assert_memory_equal(again.cpus, l.cpus, again.n * sizeof(l.cpus[0]));
}

static void workers_take_cpus_from_the_last_on_and_then_again(void **)
{
	struct cpulist l = list_of("0,2,4");
	const unsigned want[] = {4, 2, 0, 4};
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(cpulist_worker(&l, i), want[i]);
}

static void a_cpu_is_found_or_not(void **)
{
	struct cpulist l = list_of("1-2,5");
	assert_true(cpulist_has(&l, 2) && cpulist_has(&l, 5));
	assert_false(cpulist_has(&l, 0) || cpulist_has(&l, 4));
}

static void our_own_cpus_are_those_the_kernel_lets_us_use(void **)
{
	cpu_set_t set;
	struct cpulist l;
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	cpulist_affinity(&l);
	assert_int_equal(l.n, CPU_COUNT(&set));
	for (unsigned i = 0; i < l.n; i++)
		assert_true(CPU_ISSET(l.cpus[i], &set));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_and_single_cpus_are_read),
		cmocka_unit_test(nothing_is_the_empty_list),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(more_cpus_than_there_is_room_for_are_refused),
		cmocka_unit_test(what_was_read_is_written_the_same),
		cmocka_unit_test(a_list_without_room_is_cut_at_a_number),
		cmocka_unit_test(workers_take_cpus_from_the_last_on_and_then_again),
		cmocka_unit_test(a_cpu_is_found_or_not),
		cmocka_unit_test(our_own_cpus_are_those_the_kernel_lets_us_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
