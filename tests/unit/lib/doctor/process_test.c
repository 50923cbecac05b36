// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/checks.h"
#include "tests/unit/lib/doctor/exam.h"
#include "tests/unit/lib/doctor/nictree.h"

#define BDF "0000:81:00.0"
#define PID "1234567" // above the kernel's greatest: never this process

static void process(struct exam *e, const char *comm, const char *fd_target)
{
	char text[32];
	snprintf(text, sizeof(text), "%s\n", comm);
	tree_file(&e->t, "/proc/" PID "/comm", text);
	tree_link(&e->t, "/proc/" PID "/fd/9", fd_target);
}

static void sockets(struct exam *e, const char *prefix)
{
	char text[512];
	snprintf(
		text,
		sizeof(text),
		"Num       RefCount Protocol Flags    Type St Inode Path\n"
		"0000000083739c84: 00000003 00000000 00000000 0001 03 351377\n"
		"0000000083739c85: 00000002 00000000 00010000 0005 01 777 "
		"/var/run/dpdk/%s/dpdk_telemetry.v2\n"
		"0000000083739c86: 00000002 00000000 00000000 0002 01 778 "
		"/var/run/dpdk/%s/mp_socket\n"
		"0000000083739c87: 00000002 00000000 00010000 0001 01 779 /run/other.sock\n",
		prefix,
		prefix
	);
	tree_file(&e->t, "/proc/net/unix", text);
}

static void a_quiet_machine_is_ok(void **state)
{
	exam_run(*state, "dpdk_process");
	exam_only(*state, DOCTOR_OK, "no other DPDK program", NULL);
}

static void a_program_that_has_the_port_is_named(void **state)
{
	struct exam *e = *state;
	exam_port(e, BDF);
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = BDF, .id = "8086:1572", .driver = "vfio-pci", .group = 42}
	);
	process(e, "dpdk-testpmd", "/dev/vfio/42");
	exam_run(e, "dpdk_process");
	exam_only(
		e, DOCTOR_ERROR, "port " BDF " is in use by dpdk-testpmd (pid " PID ")", "kill " PID
	);
	process(e, "dpdk-testpmd", "/dev/vfio/noiommu-42");
	exam_run(e, "dpdk_process");
	exam_only(e, DOCTOR_ERROR, "in use by dpdk-testpmd", "kill " PID);
	process(e, "dpdk-testpmd", "/dev/vfio/43");
	exam_run(e, "dpdk_process");
	exam_only(e, DOCTOR_OK, "no other DPDK program", NULL);
	process(e, "cat", "/data/42");
	exam_run(e, "dpdk_process");
	exam_only(e, DOCTOR_OK, "no other DPDK program", NULL);
}

static void our_own_sensor_may_have_it_unless_a_second_starts(void **state)
{
	struct exam *e = *state;
	exam_port(e, BDF);
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = BDF, .id = "8086:1572", .driver = "vfio-pci", .group = 42}
	);
	process(e, "weir-sensor", "/dev/vfio/42");
	exam_run(e, "dpdk_process");
	exam_only(e, DOCTOR_OK, "in use by weir-sensor", NULL);
	e->needs.is_sensor = true;
	exam_run(e, "dpdk_process");
	exam_only(e, DOCTOR_ERROR, "in use by weir-sensor", "kill " PID);
}

static void other_prefixes_do_not_clash(void **state)
{
	struct exam *e = *state;
	sockets(e, "rte");
	process(e, "dpdk-testpmd", "socket:[777]");
	exam_run(e, "dpdk_process");
	exam_only(
		e,
		DOCTOR_OK,
		"dpdk-testpmd (pid " PID ") uses DPDK too, with the file prefix 'rte'",
		NULL
	);
}

static void the_same_prefix_clashes(void **state)
{
	struct exam *e = *state;
	sockets(e, "mine");
	e->needs.file_prefix = "mine";
	exam_run(e, "dpdk_process");
	exam_only(
		e,
		DOCTOR_ERROR,
		"another program (pid not to be seen) has the file prefix 'mine', and its "
		"telemetry "
		"socket",
		"leave --file-prefix out"
	);
	process(e, "dpdk-testpmd", "socket:[778]");
	exam_run(e, "dpdk_process");
	exam_only(e, DOCTOR_ERROR, "has the file prefix 'mine'", "--file-prefix");
	process(e, "dpdk-testpmd", "socket:[777]");
	exam_run(e, "dpdk_process");
	exam_only(e, DOCTOR_ERROR, "dpdk-testpmd (pid " PID ")", "kill " PID);
}

static void a_process_is_found_by_its_name(void **state)
{
	struct exam *e = *state;
	char pid[16];
	exam_begin(e);
	doctor_process(e->d, "weir-sensor", pid);
	assert_string_equal(pid, "self");
	process(e, "weir-sensor", "/dev/null");
	tree_file(&e->t, "/proc/version", "Linux\n");
	doctor_process(e->d, "weir-sensor", pid);
	assert_string_equal(pid, PID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		exam_test(a_quiet_machine_is_ok),
		exam_test(a_program_that_has_the_port_is_named),
		exam_test(our_own_sensor_may_have_it_unless_a_second_starts),
		exam_test(other_prefixes_do_not_clash),
		exam_test(the_same_prefix_clashes),
		exam_test(a_process_is_found_by_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
