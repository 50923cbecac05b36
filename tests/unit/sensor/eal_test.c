// SPDX-License-Identifier: Apache-2.0
// DPDK starts once in a process: what is refused before it does comes first.
#include "tests/unit/sensor/eal.h"

#include <errno.h>

// DPDK keeps what it had parsed when an argument is wrong; the leak checker asks for this.
const char *__lsan_default_suppressions(void); // NOLINT(cert-dcl51-cpp)
const char *__lsan_default_suppressions(void)  // NOLINT(cert-dcl51-cpp)
{
	return "leak:librte_eal.so\n";
}

#define MEMORY "--no-huge", "--no-shconf", "--iova-mode=va", "-m", "128"

// Starts with standard output going to a file; how many bytes came to be in it.
static int start(char **args, unsigned n_workers, long *ret_n_written)
{
	const struct sensor_config c = eal_config();
	FILE *file = tmpfile();
	assert_non_null(file);
	fflush(stdout);
	int out = dup(STDOUT_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	int ret = eal_start(&c, n_workers, args);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	*ret_n_written = lseek(fileno(file), 0, SEEK_END);
	fclose(file);
	return ret;
}

static void wrong_arguments_are_refused_and_standard_output_stays_clean(void **)
{
	static char *args[] = {MEMORY, "--no-such-option", NULL};
	long n_written;
	assert_int_equal(start(args, 1, &n_written), -EINVAL);
	assert_int_equal(n_written, 0);
}

static void more_arguments_than_there_is_room_for_are_refused(void **)
{
	static char *args[200];
	static char one[] = "--no-telemetry";
	long n_written;
	for (size_t i = 0; i + 1 < sizeof(args) / sizeof(args[0]); i++)
		args[i] = one;
	assert_int_equal(start(args, 1, &n_written), -E2BIG);
}

static void arguments_that_leave_too_few_lcores_are_refused(void **)
{
	static char *args[] = {MEMORY, "--lcores=0@0,1@0", NULL};
	long n_written;
	assert_int_equal(start(args, 2, &n_written), -EINVAL);
	assert_int_equal(n_written, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_arguments_are_refused_and_standard_output_stays_clean),
		cmocka_unit_test(more_arguments_than_there_is_room_for_are_refused),
		cmocka_unit_test(arguments_that_leave_too_few_lcores_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
