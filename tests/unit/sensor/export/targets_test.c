// SPDX-License-Identifier: Apache-2.0
#include "sensor/export/targets.h"
#include "tests/unit/sensor/export/exporting.h"

#include <errno.h>

enum { N = 2000, RING = 4096 };

static struct exporting *x; // its rings and options
static struct collector collectors[3];
static struct targets_counters counters;

static int setup(void **)
{
	for (int i = 0; i < 3; i++)
		collectors[i].fd = collectors[i].listen_fd = -1;
	x = exporting_create(RING);
	return 0;
}

static int teardown(void **)
{
	for (int i = 0; i < 3; i++)
		collector_close(&collectors[i]);
	exporting_free(x);
	return 0;
}

static struct targets *start(unsigned n, bool one_each, uint32_t ring)
{
	char *texts[3];
	struct config_list list = {.items = texts, .n = n};
	struct targets_options o = {
		.exporter = x->options, .targets = &list, .one_each = one_each, .ring = ring};
	struct targets *t;
	const char *which;
	for (unsigned i = 0; i < n; i++) {
		collector_open(&collectors[i], SOCK_DGRAM);
		texts[i] = collectors[i].target;
	}
	assert_int_equal(targets_start(&o, &t, &which), 0);
	return t;
}

static void push(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		assert_true(exporting_push(x, i % N_RINGS, i));
}

static void read_all(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		collector_drain(&collectors[i]);
}

static void to_all_each_gets_all(void **)
{
	struct targets *t = start(3, false, RING);
	push(N);
	targets_stop(t, &counters);
	read_all(3);
	assert_int_equal(counters.copies, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(counters.of[i].exported, N);
		assert_int_equal(collectors[i].n_records, N);
	}
}

static void to_one_each_a_flow_has_one_way(void **)
{
	uint64_t first[3];
	for (int round = 0; round < 2; round++) {
		if (round > 0)
			teardown(NULL), setup(NULL);
		struct targets *t = start(3, true, RING);
		push(N);
		targets_stop(t, &counters);
		read_all(3);
		assert_int_equal(counters.copies, 1);
		uint64_t sum = 0;
		for (int i = 0; i < 3; i++) {
			sum += collectors[i].n_records;
			assert_in_range(collectors[i].n_records, N / 4, N / 2);
			if (round == 0)
				first[i] = collectors[i].n_records;
			assert_int_equal(collectors[i].n_records, first[i]); // the same again
		}
		assert_int_equal(sum, N);
	}
}

static void one_that_is_away_loses_only_its_own(void **)
{
	char *texts[2], away[32];
	struct config_list list = {.items = texts, .n = 2};
	struct targets_options o = {.exporter = x->options, .targets = &list, .ring = 64};
	struct targets *t;
	const char *which;
	collector_open(&collectors[1], SOCK_STREAM); // for a port where nobody listens
	snprintf(away, sizeof(away), "%s", collectors[1].target);
	collector_close(&collectors[1]);
	collector_open(&collectors[0], SOCK_DGRAM);
	texts[0] = collectors[0].target;
	texts[1] = away;
	assert_int_equal(targets_start(&o, &t, &which), 0);
	for (uint32_t i = 0; i < N; i++) {
		assert_true(exporting_push(x, 0, i));
		if (i % 32 == 0)
			usleep(4000);
	}
	targets_hurry(t);
	targets_stop(t, &counters);
	collector_drain(&collectors[0]);
	assert_int_equal(counters.of[0].exported + counters.full[0], N);
	assert_int_equal(collectors[0].n_records, counters.of[0].exported);
	assert_int_equal(counters.of[1].exported, 0);
	assert_int_equal(counters.of[1].unsent + counters.full[1], N);
	assert_true(counters.full[1] > counters.full[0]);
}

static void what_cannot_be_started_is_named(void **)
{
	char *texts[] = {collectors[0].target, "udp:127.0.0.1"};
	struct config_list list = {.items = texts, .n = 2};
	struct targets_options o = {.exporter = x->options, .targets = &list, .ring = 64};
	struct targets *t;
	const char *which;
	collector_open(&collectors[0], SOCK_DGRAM);
	assert_int_equal(targets_start(&o, &t, &which), -EINVAL);
	assert_string_equal(which, "udp:127.0.0.1");
	list.n = 0; // nobody is told, and that is counted
	assert_int_equal(targets_start(&o, &t, &which), 0);
	push(10);
	targets_stop(t, &counters);
	assert_int_equal(counters.of[0].no_target, 10);
	assert_int_equal(counters.copies, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(to_all_each_gets_all, setup, teardown),
		cmocka_unit_test_setup_teardown(to_one_each_a_flow_has_one_way, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_that_is_away_loses_only_its_own, setup, teardown
		),
		cmocka_unit_test_setup_teardown(what_cannot_be_started_is_named, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
