// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/lib/doctor/exam.h"
#include "tests/unit/lib/doctor/nictree.h"

#define BDF "0000:81:00.0"
#define MIB (1ull << 20)

static void enough_pages_are_ok(void **state)
{
	struct exam *e = *state;
	e->needs.hugepage_len = 200 * MIB;
	tree_hugepages(&e->t, -1, 2048, 128, 100);
	exam_run(e, "hugepages");
	exam_only(e, DOCTOR_OK, "200 MiB of hugepages free", NULL);
	exam_found(e, DOCTOR_OK, "200 needed (100 of 128 pages of 2 MiB free)", NULL);
}

static void too_few_are_an_error_for_a_card_and_a_warning_without(void **state)
{
	struct exam *e = *state;
	e->needs.hugepage_len = 201 * MIB;
	tree_hugepages(&e->t, -1, 2048, 128, 100); // 28 are in use: they must stay
	exam_run(e, "hugepages");
	exam_only(
		e,
		DOCTOR_WARNING,
		"goes without, slower",
		"echo 129 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages\n"
		"echo 'w /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages - - - - 129' > "
		"/etc/tmpfiles.d/weir-hugepages.conf"
	);
	exam_port(e, BDF);
	exam_run(e, "hugepages");
	exam_only(e, DOCTOR_ERROR, "200 MiB of hugepages free, 201 needed", "echo 129 > ");
}

static void large_pages_count_and_small_ones_fill_up(void **state)
{
	struct exam *e = *state;
	e->needs.hugepage_len = 1100 * MIB;
	tree_hugepages(&e->t, -1, 2048, 0, 0);
	tree_hugepages(&e->t, -1, 1048576, 1, 1);
	exam_run(e, "hugepages");
	exam_only(
		e,
		DOCTOR_WARNING,
		"0 of 0 pages of 2 MiB free, 1 of 1 of 1024 MiB",
		"echo 38 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
	);
}

static void a_kernel_without_hugepages_is_told(void **state)
{
	struct exam *e = *state;
	e->needs.hugepage_len = 10 * MIB;
	exam_run(e, "hugepages");
	exam_only(e, DOCTOR_WARNING, "the kernel has no hugepages", "CONFIG_HUGETLBFS");
}

static void pages_of_a_sensor_that_runs_count_as_there(void **state)
{
	struct exam *e = *state;
	e->needs.hugepage_len = 200 * MIB;
	tree_hugepages(&e->t, -1, 2048, 100, 0);
	tree_file(&e->t, "/proc/1234567/comm", "weir-sensor\n");
	tree_file(
		&e->t, "/proc/1234567/status", "Name:\tweir-sensor\nHugetlbPages:\t  204800 kB\n"
	);
	exam_run(e, "hugepages");
	exam_only(e, DOCTOR_OK, "0 MiB of hugepages free, 200 in use by weir-sensor", NULL);
	e->needs.is_sensor = true; // for one that starts beside it they are gone
	exam_run(e, "hugepages");
	exam_only(e, DOCTOR_WARNING, "0 MiB of hugepages free", "echo 200 > ");
	tree_file(&e->t, "/proc/self/status", "HugetlbPages:\t  204800 kB\n"); // but not its own
	exam_run(e, "hugepages");
	exam_only(e, DOCTOR_OK, "200 in use by weir-sensor", NULL);
}

static void pages_on_the_wrong_node_are_told(void **state)
{
	struct exam *e = *state;
	e->needs.hugepage_len = 100 * MIB;
	exam_port(e, BDF);
	tree_nic(&e->t, &(struct nic_options){.bdf = BDF, .id = "8086:1572", .node = 1});
	tree_hugepages(&e->t, -1, 2048, 60, 60);
	tree_hugepages(&e->t, 0, 2048, 60, 60);
	tree_hugepages(&e->t, 1, 2048, 0, 0);
	exam_run(e, "hugepages_node");
	exam_only(
		e,
		DOCTOR_WARNING,
		"NUMA node 1, where ports are, has 0 MiB of hugepages free of 100",
		"echo 50 > /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages"
	);
	exam_found(e, DOCTOR_WARNING, "", "> /etc/tmpfiles.d/weir-hugepages-node1.conf");
	tree_hugepages(&e->t, 1, 2048, 50, 50);
	exam_run(e, "hugepages_node");
	exam_only(e, DOCTOR_OK, "hugepages are where the ports are", NULL);
	tree_hugepages(&e->t, -1, 2048, 10, 10);
	tree_hugepages(&e->t, 1, 2048, 10, 10);
	exam_run(e, "hugepages_node"); // one command for one fault
	exam_only(e, DOCTOR_OK, "too few hugepages to ask where", NULL);
}

static void files_that_keep_pages_are_told_when_pages_are_missing(void **state)
{
	struct exam *e = *state;
	char full[PATH_MAX];
	e->needs.hugepage_len = 100 * MIB;
	tree_hugepages(&e->t, -1, 2048, 100, 0);
	tree_file(
		&e->t,
		"/proc/mounts",
		"tmpfs /dev/shm tmpfs rw 0 0\nhugetlbfs /dev/hugepages hugetlbfs rw 0 0\n"
	);
	exam_run(e, "hugepages_left");
	exam_only(e, DOCTOR_OK, "no files of DPDK programs", NULL);
	tree_file(&e->t, "/dev/hugepages/rtemap_0", "");
	tree_file(&e->t, "/dev/hugepages/testmap_12", "");
	tree_file(&e->t, "/dev/hugepages/map_of_the_world", "");
	tree_path(&e->t, "/dev/hugepages/rtemap_0", full);
	assert_int_equal(truncate(full, 64 << 20), 0);
	exam_run(e, "hugepages_left");
	exam_only(
		e,
		DOCTOR_WARNING,
		"2 files of DPDK programs in /dev/hugepages keep 64 MiB",
		"for f in /dev/hugepages/*map_*; do fuser -s \"$f\"; [ $? -ne 1 ] || rm \"$f\"; "
		"done"
	);
	tree_hugepages(&e->t, -1, 2048, 100, 50);
	exam_run(e, "hugepages_left");
	exam_only(e, DOCTOR_OK, "2 files of DPDK programs", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		exam_test(enough_pages_are_ok),
		exam_test(too_few_are_an_error_for_a_card_and_a_warning_without),
		exam_test(large_pages_count_and_small_ones_fill_up),
		exam_test(a_kernel_without_hugepages_is_told),
		exam_test(pages_of_a_sensor_that_runs_count_as_there),
		exam_test(pages_on_the_wrong_node_are_told),
		exam_test(files_that_keep_pages_are_told_when_pages_are_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
