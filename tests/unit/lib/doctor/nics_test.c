// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/nics.h"
#include "tests/unit/lib/doctor/exam.h"
#include "tests/unit/lib/doctor/nictree.h"

static size_t scan(struct exam *e, struct nic **ret_nics)
{
	size_t n = 0;
	assert_int_equal(nics_scan(e->t.root, ret_nics, &n), 0);
	return n;
}

static void cards_are_listed_by_address_with_all_that_is_known(void **state)
{
	struct exam *e = *state;
	struct nic *nics;
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = "0000:81:00.1",
		  .id = "8086:1572",
		  .driver = "i40e",
		  .netdev = "eth3",
		  .state = "down",
		  .node = 1,
		  .group = 42}
	);
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = "0000:81:00.0",
		  .id = "8086:1572",
		  .driver = "vfio-pci",
		  .node = 1,
		  .group = 42}
	);
	tree_nic(
		&e->t,
		&(struct nic_options){.bdf = "0000:00:1f.0", .id = "8086:a30d", .class = "0x060100"}
	);
	assert_int_equal(scan(e, &nics), 2);
	const struct nic *n = nics_find(nics, 2, "0000:81:00.1");
	assert_ptr_equal(n, &nics[1]);
	assert_int_equal(n->vendor, 0x8086);
	assert_int_equal(n->device, 0x1572);
	assert_string_equal(n->driver, "i40e");
	assert_string_equal(n->netdev, "eth3");
	assert_int_equal(n->link, NIC_LINK_DOWN);
	assert_int_equal(n->node, 1);
	assert_int_equal(n->group, 42);
	assert_string_equal(n->members, "0000:81:00.0");
	assert_string_equal(n->use, "");
	assert_string_equal(n->recommended, "vfio-pci");
	assert_string_equal(nics[0].driver, "vfio-pci");
	assert_string_equal(nics[0].netdev, "");
	assert_int_equal(nics[0].link, NIC_LINK_UNKNOWN);
	assert_null(nics_find(nics, 2, "0000:00:1f.0"));
	free(nics);
}

static void a_machine_without_pci_has_none(void **state)
{
	struct nic *nics;
	assert_int_equal(scan(*state, &nics), 0);
	free(nics);
}

static void virtio_hides_its_device_one_level_deeper(void **state)
{
	struct exam *e = *state;
	struct nic *nics;
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = "0000:00:03.0", .id = "1af4:1041", .driver = "virtio-pci", .node = -1}
	);
	tree_dir(&e->t, "/sys/bus/pci/devices/0000:00:03.0/virtio2/net/ens3");
	tree_netdev(&e->t, "ens3", "up");
	assert_int_equal(scan(e, &nics), 1);
	assert_string_equal(nics[0].netdev, "ens3");
	assert_int_equal(nics[0].link, NIC_LINK_UP);
	assert_int_equal(nics[0].node, -1);
	free(nics);
}

static void mellanox_keeps_the_driver_of_the_kernel(void **state)
{
	struct exam *e = *state;
	struct nic *nics;
	tree_nic(&e->t, &(struct nic_options){.bdf = "0000:01:00.0", .id = "15b3:1007"});
	tree_nic(&e->t, &(struct nic_options){.bdf = "0000:02:00.0", .id = "15b3:1017"});
	assert_int_equal(scan(e, &nics), 2);
	assert_string_equal(nics[0].recommended, "mlx4_core");
	assert_string_equal(nics[1].recommended, "mlx5_core");
	assert_true(nic_keeps_kernel_driver(&nics[0]) && nic_keeps_kernel_driver(&nics[1]));
	free(nics);
}

static void what_the_system_uses_is_left_alone(void **state)
{
	struct exam *e = *state;
	struct nic *nics;
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = "0000:01:00.0", .id = "8086:1521", .driver = "igb", .netdev = "eth0"}
	);
	tree_routes4(&e->t, (const char *const[]){"eth0 00000000", "eth0 000200C0", NULL});
	assert_int_equal(scan(e, &nics), 1);
	assert_string_equal(nics[0].use, "eth0: 2 routes");
	assert_null(nics[0].recommended);
	free(nics);
}

static void use_is_told_of_routes_and_addresses(void **state)
{
	struct exam *e = *state;
	char use[NIC_TEXT_LEN];
	tree_routes4(
		&e->t,
		(const char *const[]){"eth0 00000000", "eth1 000200C0", "eth0 0000FEA9", NULL}
	);
	tree_file(
		&e->t,
		"/proc/net/if_inet6",
		"fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n"
		"fd000000000000000000000000000002 04 40 00 82     eth0\n"
		"20010db8000000000000000000000002 05 40 00 82     eth2\n"
		"20010db8000000000000000000000003 05 40 00 82     eth2\n"
	);
	tree_file(
		&e->t,
		"/proc/net/ipv6_route",
		"fd000000000000000000000000000000 40 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n"
		"fe800000000000000000000000000000 40 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 00000100 00000002 00000000 00000001     eth0\n"
		"fd000000000000000000000000000002 80 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 00000000 00000003 00000000 80200001     eth0\n"
		"ff000000000000000000000000000000 08 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 00000100 00000003 00000000 00000001     eth0\n"
	);
	nic_use(e->t.root, "eth0", use);
	assert_string_equal(use, "eth0: 2 routes, 1 address");
	nic_use(e->t.root, "eth1", use);
	assert_string_equal(use, "eth1: 1 route");
	nic_use(e->t.root, "eth2", use);
	assert_string_equal(use, "eth2: 2 addresses");
	nic_use(e->t.root, "eth3", use);
	assert_string_equal(use, "");
	nic_use(e->t.root, "", use);
	assert_string_equal(use, "");
}

static void an_interface_that_is_only_up_is_not_in_use(void **state)
{
	struct exam *e = *state;
	char use[NIC_TEXT_LEN];
	tree_routes4(&e->t, (const char *const[]){"eth0 0000FEA9", NULL});
	tree_file(
		&e->t,
		"/proc/net/if_inet6",
		"fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n"
	);
	tree_file(
		&e->t,
		"/proc/net/ipv6_route",
		"fe800000000000000000000000000000 40 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 00000100 00000002 00000000 00000001     eth0\n"
	);
	nic_use(e->t.root, "eth0", use);
	assert_string_equal(use, "");
}

static void a_bond_above_is_a_use_even_without_routes(void **state)
{
	struct exam *e = *state;
	char use[NIC_TEXT_LEN];
	tree_netdev(&e->t, "eth0", "up");
	tree_netdev(&e->t, "bond0", "up");
	tree_link(&e->t, "/sys/class/net/eth0/upper_bond0", "../bond0");
	nic_use(e->t.root, "eth0", use);
	assert_string_equal(use, "eth0 is part of bond0");
	tree_netdev(&e->t, "bond0.7", "up");
	tree_link(&e->t, "/sys/class/net/bond0/upper_bond0.7", "../bond0.7");
	tree_routes4(&e->t, (const char *const[]){"bond0.7 00000000", NULL});
	nic_use(e->t.root, "eth0", use);
	assert_string_equal(
		use, "eth0 is part of bond0; bond0 is part of bond0.7; bond0.7: 1 route"
	);
}

static void devices_above_each_other_in_a_circle_end(void **state)
{
	struct exam *e = *state;
	char use[NIC_TEXT_LEN];
	tree_netdev(&e->t, "a", "up");
	tree_netdev(&e->t, "b", "up");
	tree_link(&e->t, "/sys/class/net/a/upper_b", "../b");
	tree_link(&e->t, "/sys/class/net/b/upper_a", "../a");
	nic_use(e->t.root, "a", use);
	assert_true(strlen(use) < NIC_TEXT_LEN);
}

static void link_is_asked_of_the_carrier_when_the_state_is_unknown(void **state)
{
	struct exam *e = *state;
	struct nic *nics;
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = "0000:01:00.0", .id = "8086:1521", .netdev = "eth0", .state = "unknown"}
	);
	tree_file(&e->t, "/sys/class/net/eth0/carrier", "1\n");
	assert_int_equal(scan(e, &nics), 1);
	assert_int_equal(nics[0].link, NIC_LINK_UP);
	free(nics);
	tree_file(&e->t, "/sys/class/net/eth0/carrier", "0\n");
	assert_int_equal(scan(e, &nics), 1);
	assert_int_equal(nics[0].link, NIC_LINK_DOWN);
	free(nics);
}

static void only_whole_addresses_are_addresses(void **)
{
	static const char *const bad[] = {
		"",
		"81:00.0",
		"0000:81:00",
		"0000:81:00.8",
		"0000:81:00.0x",
		"0000-81:00.0",
		"000g:81:00.0"};
	assert_true(nic_is_bdf("0000:81:00.0") && nic_is_bdf("0001:a1:1F.7"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(nic_is_bdf(bad[i]));
}

static void the_drivers_that_hand_over_are_known(void **)
{
	assert_true(nic_is_dpdk_driver("vfio-pci") && nic_is_dpdk_driver("uio_pci_generic"));
	assert_false(nic_is_dpdk_driver("") || nic_is_dpdk_driver("ixgbe"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		exam_test(cards_are_listed_by_address_with_all_that_is_known),
		exam_test(a_machine_without_pci_has_none),
		exam_test(virtio_hides_its_device_one_level_deeper),
		exam_test(mellanox_keeps_the_driver_of_the_kernel),
		exam_test(what_the_system_uses_is_left_alone),
		exam_test(use_is_told_of_routes_and_addresses),
		exam_test(an_interface_that_is_only_up_is_not_in_use),
		exam_test(a_bond_above_is_a_use_even_without_routes),
		exam_test(devices_above_each_other_in_a_circle_end),
		exam_test(link_is_asked_of_the_carrier_when_the_state_is_unknown),
		cmocka_unit_test(only_whole_addresses_are_addresses),
		cmocka_unit_test(the_drivers_that_hand_over_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
