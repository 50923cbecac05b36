// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/lib/doctor/exam.h"

static void flags(struct exam *e, const char *text)
{
	char cpuinfo[512];
	snprintf(cpuinfo, sizeof(cpuinfo), "processor\t: 0\nflags\t\t: %s\nbugs\t\t:\n", text);
	tree_file(&e->t, "/proc/cpuinfo", cpuinfo);
	exam_run(e, "cpu_flags");
}

static void a_recent_cpu_is_ok(void **state)
{
	flags(*state, "fpu ssse3 sse4_2 avx2 avx512f");
	exam_only(*state, DOCTOR_OK, "SSSE3, SSE4.2 and AVX2, AVX-512 too", NULL);
	flags(*state, "avx2 sse4_2 ssse3");
	exam_only(*state, DOCTOR_OK, "SSSE3, SSE4.2 and AVX2", NULL);
}

static void an_old_or_masked_cpu_is_told(void **state)
{
	flags(*state, "fpu ssse3 sse4_2 avx2x avx");
	exam_only(*state, DOCTOR_WARNING, "but not AVX2", "-cpu host");
	flags(*state, "fpu sse4_2 avx2");
	exam_only(*state, DOCTOR_ERROR, "the CPU lacks SSSE3:", "-cpu host");
	flags(*state, "fpu sse2");
	exam_only(*state, DOCTOR_ERROR, "the CPU lacks SSSE3 SSE4.2:", "-cpu host");
}

static void another_architecture_is_not_asked(void **state)
{
	struct exam *e = *state;
	tree_file(&e->t, "/proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd\n");
	exam_run(e, "cpu_flags");
	exam_only(e, DOCTOR_OK, "not an x86 CPU", NULL);
}

static void cpus(struct exam *e, const char *mine, const char *online)
{
	char text[128];
	snprintf(text, sizeof(text), "Name:\tx\nCpus_allowed_list:\t%s\n", mine);
	tree_file(&e->t, "/proc/self/status", text);
	tree_file(&e->t, "/sys/devices/system/cpu/online", online);
}

static void a_cpu_for_each_worker_and_one_more_is_ok(void **state)
{
	struct exam *e = *state;
	exam_vdev(e, "net_null0");
	e->needs.n_queues = 3;
	cpus(e, "0-3", "0-3\n");
	exam_run(e, "cpu_workers");
	exam_only(e, DOCTOR_OK, "3 workers on 4 CPUs (0-3)", NULL);
}

static void too_few_cpus_are_told(void **state)
{
	struct exam *e = *state;
	exam_port(e, "0000:81:00.0");
	e->needs.n_queues = 4;
	cpus(e, "0-3", "0-3\n");
	exam_run(e, "cpu_workers");
	exam_only(e, DOCTOR_WARNING, "4 workers on 4 CPUs (0-3)", "sensor: {queues: 1}");
	cpus(e, "0-3", "0-7\n"); // there are more than this process may use
	exam_run(e, "cpu_workers");
	exam_only(e, DOCTOR_WARNING, "4 workers on 4 CPUs (0-3)", "CPUAffinity=0-7\\n");
}

static void the_cpus_are_those_of_a_sensor_that_runs(void **state)
{
	struct exam *e = *state;
	e->needs.has_capture = true;
	cpus(e, "0", "0-7\n");
	tree_file(&e->t, "/proc/1234567/comm", "weir-sensor\n");
	tree_file(&e->t, "/proc/1234567/status", "Cpus_allowed_list:\t4-7\n");
	exam_run(e, "cpu_workers");
	exam_only(e, DOCTOR_OK, "1 workers on 4 CPUs (4-7)", NULL);
}

static void isolated(struct exam *e, const char *isolcpus, const char *nohz)
{
	tree_file(&e->t, "/sys/devices/system/cpu/isolated", isolcpus);
	tree_file(&e->t, "/sys/devices/system/cpu/nohz_full", nohz);
	exam_run(e, "cpu_isolation");
}

static void workers_on_isolated_cpus_are_ok(void **state)
{
	struct exam *e = *state;
	exam_port(e, "0000:81:00.0");
	e->needs.n_queues = 2;
	cpus(e, "0-3", "0-3\n");
	isolated(e, "2-3\n", "2-3\n");
	exam_only(e, DOCTOR_OK, "isolated, without timer ticks", NULL);
}

static void workers_on_busy_cpus_are_told_what_to_boot_with(void **state)
{
	struct exam *e = *state;
	exam_port(e, "0000:81:00.0");
	e->needs.n_queues = 2;
	cpus(e, "0-3", "0-3\n");
	isolated(e, "\n", "(null)\n");
	exam_only(
		e,
		DOCTOR_WARNING,
		"the workers' CPUs (2-3) are not isolated",
		"isolcpus=2-3 nohz_full=2-3 rcu_nocbs=2-3"
	);
	isolated(e, "2-3\n", "\n");
	exam_only(e, DOCTOR_WARNING, "(2-3) are not in nohz_full", "nohz_full=2-3");
}

static void isolated_cpus_that_nobody_may_use_are_given_to_the_unit(void **state)
{
	struct exam *e = *state;
	exam_port(e, "0000:81:00.0");
	cpus(e, "0-1", "0-3\n");
	isolated(e, "2-3\n", "2-3\n");
	exam_only(
		e,
		DOCTOR_WARNING,
		"CPUs 2-3 are isolated, but the sensor may not use them",
		"CPUAffinity=0,2-3\\n"
	);
}

static void isolation_is_asked_for_cards_only_and_where_cpus_are_left(void **state)
{
	struct exam *e = *state;
	exam_vdev(e, "net_null0");
	cpus(e, "0-3", "0-3\n");
	isolated(e, "\n", "\n");
	exam_only(e, DOCTOR_OK, "no port", NULL);
	exam_port(e, "0000:81:00.0");
	e->needs.n_queues = 2;
	isolated(e, "\n", "\n");
	exam_only(e, DOCTOR_OK, "too few CPUs", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		exam_test(a_recent_cpu_is_ok),
		exam_test(an_old_or_masked_cpu_is_told),
		exam_test(another_architecture_is_not_asked),
		exam_test(a_cpu_for_each_worker_and_one_more_is_ok),
		exam_test(too_few_cpus_are_told),
		exam_test(the_cpus_are_those_of_a_sensor_that_runs),
		exam_test(workers_on_isolated_cpus_are_ok),
		exam_test(workers_on_busy_cpus_are_told_what_to_boot_with),
		exam_test(isolated_cpus_that_nobody_may_use_are_given_to_the_unit),
		exam_test(isolation_is_asked_for_cards_only_and_where_cpus_are_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
