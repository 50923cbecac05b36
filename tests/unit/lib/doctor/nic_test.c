// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/lib/doctor/exam.h"
#include "tests/unit/lib/doctor/nictree.h"

#define BDF "0000:81:00.0"

static void a_port_on_the_kernels_driver_is_to_be_bound(void **state)
{
	struct exam *e = *state;
	exam_port(e, BDF);
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = BDF, .id = "8086:10fb", .driver = "ixgbe", .netdev = "eth2"}
	);
	exam_run(e, "nic");
	exam_only(
		e,
		DOCTOR_ERROR,
		BDF " (8086:10fb, eth2) has the driver ixgbe, DPDK wants vfio-pci",
		"apt-get install -y driverctl && driverctl set-override " BDF " vfio-pci"
	);
	tree_file(&e->t, "/usr/sbin/driverctl", "#!/bin/bash\n");
	exam_run(e, "nic");
	assert_string_equal(e->d->findings[0].mend, "driverctl set-override " BDF " vfio-pci");
}

static void a_port_with_routes_is_not_to_be_bound(void **state)
{
	struct exam *e = *state;
	exam_port(e, BDF);
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = BDF, .id = "8086:10fb", .driver = "ixgbe", .netdev = "eth0"}
	);
	tree_routes4(&e->t, (const char *const[]){"eth0 00000000", NULL});
	exam_run(e, "nic");
	exam_only(
		e, DOCTOR_ERROR, "in use by the system (eth0: 1 route)", "net_af_packet0,iface=eth0"
	);
	assert_null(strstr(e->d->findings[0].mend, "driverctl"));
}

static void a_card_whose_interface_is_elsewhere_is_not_to_be_bound(void **state)
{
	struct exam *e = *state;
	exam_port(e, BDF);
	tree_nic(&e->t, &(struct nic_options){.bdf = BDF, .id = "8086:10fb", .driver = "ixgbe"});
	exam_run(e, "nic");
	exam_only(e, DOCTOR_ERROR, "its interface is not to be seen", "lsns -t net");
	e->needs.ports.n = 0;
	exam_run(e, "nic");
	exam_only(e, DOCTOR_WARNING, "of 1 network cards none could be taken", "iface=eth0");
}

static void a_mellanox_card_with_routes_is_not_to_be_taken_either(void **state)
{
	struct exam *e = *state;
	exam_port(e, BDF);
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = BDF, .id = "15b3:1017", .driver = "mlx5_core", .netdev = "eth0"}
	);
	tree_routes4(&e->t, (const char *const[]){"eth0 00000000", NULL});
	exam_run(e, "nic");
	exam_only(e, DOCTOR_ERROR, "in use by the system", "net_af_packet0,iface=eth0");
}

static void a_bound_port_is_ready(void **state)
{
	struct exam *e = *state;
	exam_port(e, BDF);
	tree_nic(&e->t, &(struct nic_options){.bdf = BDF, .id = "8086:10fb", .driver = "vfio-pci"});
	exam_run(e, "nic");
	exam_only(e, DOCTOR_OK, "is bound to vfio-pci", NULL);
}

static void a_mellanox_card_on_vfio_goes_back(void **state)
{
	struct exam *e = *state;
	exam_port(e, BDF);
	tree_nic(&e->t, &(struct nic_options){.bdf = BDF, .id = "15b3:1017", .driver = "vfio-pci"});
	exam_run(e, "nic");
	exam_only(
		e,
		DOCTOR_ERROR,
		"has the driver vfio-pci: NVIDIA's cards work with DPDK on top of the kernel "
		"driver "
		"mlx5_core",
		"driverctl unset-override " BDF "\nmodprobe mlx5_core"
	);
}

static void a_mellanox_card_without_a_driver_gets_it(void **state)
{
	struct exam *e = *state;
	exam_port(e, BDF);
	tree_nic(&e->t, &(struct nic_options){.bdf = BDF, .id = "15b3:1007"});
	exam_run(e, "nic");
	exam_only(e, DOCTOR_ERROR, "has the driver none", "modprobe mlx4_core");
	assert_null(strstr(e->d->findings[0].mend, "driverctl"));
}

static void a_mellanox_card_must_be_up(void **state)
{
	struct exam *e = *state;
	exam_port(e, BDF);
	struct nic_options o = {
		.bdf = BDF,
		.id = "15b3:1017",
		.driver = "mlx5_core",
		.netdev = "eth4",
		.state = "down"};
	tree_nic(&e->t, &o);
	exam_run(e, "nic");
	exam_only(e, DOCTOR_WARNING, "link down", "ip link set eth4 up");
	o.state = "up";
	tree_nic(&e->t, &o);
	exam_run(e, "nic");
	exam_only(e, DOCTOR_OK, "keeps mlx5_core, as it must (eth4, link up)", NULL);
}

static void an_address_that_is_none_or_empty_is_told(void **state)
{
	struct exam *e = *state;
	exam_port(e, "81:00.0");
	exam_port(e, "0000:99:00.0");
	exam_run(e, "nic");
	exam_found(e, DOCTOR_ERROR, "'81:00.0': not a PCI address in full", "0000:81:00.0");
	exam_found(e, DOCTOR_ERROR, "0000:99:00.0: no network card", "lspci -Dnn");
	assert_int_equal(e->d->n_findings, 2);
}

static void without_settings_a_card_is_proposed(void **state)
{
	struct exam *e = *state;
	struct nic_options o = {
		.bdf = "0000:01:00.0", .id = "8086:1521", .driver = "igb", .netdev = "eth0"};
	tree_nic(&e->t, &o);
	tree_routes4(&e->t, (const char *const[]){"eth0 00000000", NULL});
	exam_run(e, "nic");
	exam_only(e, DOCTOR_WARNING, "of 1 network cards none", "net_af_packet0,iface=eth0");
	o.bdf = "0000:02:00.0", o.netdev = "eth1", o.state = "down";
	tree_nic(&e->t, &o);
	o.bdf = "0000:03:00.0", o.netdev = "eth2", o.state = "up";
	tree_nic(&e->t, &o);
	exam_run(e, "nic");
	exam_only(
		e,
		DOCTOR_WARNING,
		"of 3 network cards 0000:03:00.0 could be taken",
		"driverctl set-override 0000:03:00.0 vfio-pci\n"
		"# in weir.yaml: sensor: {ports: [\"0000:03:00.0\"]}"
	);
}

static void virtual_devices_and_captures_need_no_card(void **state)
{
	struct exam *e = *state;
	exam_vdev(e, "net_null0");
	exam_run(e, "nic");
	exam_only(e, DOCTOR_OK, "take no network card", NULL);
	e->needs.vdevs.n = 0;
	e->needs.has_capture = true;
	exam_run(e, "nic");
	exam_only(e, DOCTOR_OK, "take no network card", NULL);
}

static void workers_far_from_their_port_are_told(void **state)
{
	struct exam *e = *state;
	exam_port(e, BDF);
	e->needs.n_queues = 2;
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = BDF, .id = "8086:10fb", .driver = "vfio-pci", .node = 1}
	);
	tree_file(&e->t, "/sys/devices/system/node/node1/cpulist", "8-15\n");
	tree_file(&e->t, "/proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-8\n");
	exam_run(e, "nic_node"); // workers get 8 and 7
	exam_only(
		e, DOCTOR_WARNING, "on NUMA node 1 (CPUs 8-15), but its workers", "CPUAffinity=8-15"
	);
	tree_file(&e->t, "/proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-9\n");
	exam_run(e, "nic_node");
	exam_only(e, DOCTOR_OK, "workers run on the NUMA node of their ports", NULL);
}

static void a_port_of_no_node_is_near_to_all(void **state)
{
	struct exam *e = *state;
	exam_run(e, "nic_node");
	exam_only(e, DOCTOR_OK, "no port that is on a NUMA node", NULL);
	exam_port(e, BDF);
	tree_nic(&e->t, &(struct nic_options){.bdf = BDF, .id = "8086:10fb", .node = -1});
	exam_run(e, "nic_node");
	exam_only(e, DOCTOR_OK, "", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		exam_test(a_port_on_the_kernels_driver_is_to_be_bound),
		exam_test(a_port_with_routes_is_not_to_be_bound),
		exam_test(a_card_whose_interface_is_elsewhere_is_not_to_be_bound),
		exam_test(a_mellanox_card_with_routes_is_not_to_be_taken_either),
		exam_test(a_bound_port_is_ready),
		exam_test(a_mellanox_card_on_vfio_goes_back),
		exam_test(a_mellanox_card_without_a_driver_gets_it),
		exam_test(a_mellanox_card_must_be_up),
		exam_test(an_address_that_is_none_or_empty_is_told),
		exam_test(without_settings_a_card_is_proposed),
		exam_test(virtual_devices_and_captures_need_no_card),
		exam_test(workers_far_from_their_port_are_told),
		exam_test(a_port_of_no_node_is_near_to_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
