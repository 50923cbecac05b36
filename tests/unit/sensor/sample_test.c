// SPDX-License-Identifier: Apache-2.0
#include "sensor/sample.h"
#include "tests/unit/cmocka.h"

static void one_of_one_is_every_packet(void **)
{
	struct sample plain = sample_of(1, false, 1), random = sample_of(1, true, 1);
	struct sample none = sample_of(0, true, 1);
	for (int i = 0; i < 1000; i++)
		assert_true(sample_takes(&plain) && sample_takes(&random) && sample_takes(&none));
}

static void systematic_takes_the_last_of_each_n(void **)
{
	struct sample s = sample_of(10, false, 1);
	for (int i = 1; i <= 1000; i++)
		assert_int_equal(sample_takes(&s), i % 10 == 0);
}

static void random_takes_one_of_each_n_and_any(void **)
{
	enum { N = 8, ROUNDS = 80000 };
	struct sample s = sample_of(N, true, 42);
	unsigned places[N] = {};
	for (int i = 0; i < ROUNDS; i++) {
		unsigned taken = 0;
		for (int k = 0; k < N; k++) {
			bool takes = sample_takes(&s);
			taken += takes;
			places[k] += takes;
		}
		assert_int_equal(taken, 1);
	}
	// six standard deviations of a binomial: 6 * sqrt(80000 * 1/8 * 7/8)
	for (int k = 0; k < N; k++)
		assert_in_range(places[k], ROUNDS / N - 561, ROUNDS / N + 561);
}

static void seeds_differ(void **)
{
	struct sample a = sample_of(1000, true, 1), b = sample_of(1000, true, 2);
	unsigned same = 0;
	for (int i = 0; i < 100000; i++)
		same += sample_takes(&a) && sample_takes(&b);
	assert_in_range(same, 0, 10); // of 100
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_of_one_is_every_packet),
		cmocka_unit_test(systematic_takes_the_last_of_each_n),
		cmocka_unit_test(random_takes_one_of_each_n_and_any),
		cmocka_unit_test(seeds_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
