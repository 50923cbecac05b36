// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/lib/doctor/exam.h"
#include "tests/unit/lib/doctor/nictree.h"

#include <sys/wait.h>

#define BDF "0000:81:00.0"

static void port(struct exam *e, const char *driver, int group)
{
	if (e->needs.ports.n == 0)
		exam_port(e, BDF);
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = BDF, .id = "8086:1572", .driver = driver, .group = group}
	);
}

static void an_iommu_that_is_on_is_counted(void **state)
{
	struct exam *e = *state;
	port(e, "vfio-pci", 7);
	tree_dir(&e->t, "/sys/kernel/iommu_groups/8");
	exam_run(e, "iommu");
	exam_only(e, DOCTOR_OK, "the IOMMU is on: 2 groups", NULL);
}

static void without_an_iommu_the_kernel_gets_the_words_of_its_maker(void **state)
{
	struct exam *e = *state;
	port(e, "ixgbe", 0);
	tree_file(&e->t, "/proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\n");
	exam_run(e, "iommu");
	exam_only(e, DOCTOR_ERROR, "the IOMMU is off", "intel_iommu=on iommu=pt");
	exam_found(e, DOCTOR_ERROR, "", "> /etc/default/grub.d/weir-iommu.cfg && update-grub");
	tree_file(&e->t, "/proc/cpuinfo", "processor\t: 0\nvendor_id\t: AuthenticAMD\n");
	exam_run(e, "iommu");
	exam_only(e, DOCTOR_ERROR, "the IOMMU is off", "AMD-Vi");
	assert_null(strstr(e->d->findings[0].mend, "intel_iommu"));
}

static void vfio_without_an_iommu_is_a_risk_taken_knowingly(void **state)
{
	struct exam *e = *state;
	port(e, "vfio-pci", 0);
	tree_file(&e->t, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
	exam_run(e, "iommu");
	exam_only(e, DOCTOR_WARNING, "can reach all memory", NULL);
	tree_file(&e->t, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n");
	exam_run(e, "iommu");
	exam_only(e, DOCTOR_ERROR, "the IOMMU is off", "GRUB_CMDLINE_LINUX_DEFAULT");
}

static void what_no_port_needs_is_not_asked_for(void **state)
{
	struct exam *e = *state;
	exam_port(e, BDF);
	tree_nic(
		&e->t, &(struct nic_options){.bdf = BDF, .id = "15b3:1017", .driver = "mlx5_core"}
	);
	exam_begin(e);
	exam_check(e, "iommu");
	exam_check(e, "iommu_group");
	exam_check(e, "vfio");
	exam_found(e, DOCTOR_OK, "no port needs it", NULL);
	exam_found(e, DOCTOR_OK, "no port needs vfio-pci", NULL);
	assert_int_equal(doctor_status(e->d), DOCTOR_OK);
}

static void bridges_driverless_and_bound_ones_do_not_hinder(void **state)
{
	struct exam *e = *state;
	port(e, "vfio-pci", 7);
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = "0000:80:00.0",
		  .id = "8086:2030",
		  .class = "0x060400",
		  .driver = "pcieport",
		  .group = 7}
	);
	tree_nic(
		&e->t, &(struct nic_options){.bdf = "0000:81:00.1", .id = "8086:1572", .group = 7}
	);
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = "0000:81:00.2", .id = "8086:1572", .driver = "vfio-pci", .group = 7}
	);
	exam_run(e, "iommu_group");
	exam_only(e, DOCTOR_OK, "nothing foreign", NULL);
}

static void a_foreign_device_in_the_group_is_named(void **state)
{
	struct exam *e = *state;
	port(e, "vfio-pci", 7);
	tree_nic(
		&e->t,
		&(struct nic_options
		){.bdf = "0000:81:00.1",
		  .id = "8086:1572",
		  .driver = "i40e",
		  .netdev = "eth1",
		  .group = 7}
	);
	exam_run(e, "iommu_group");
	exam_only(
		e,
		DOCTOR_ERROR,
		"IOMMU group 7 of " BDF " also has 0000:81:00.1 with the driver i40e",
		"driverctl set-override 0000:81:00.1 vfio-pci"
	);
	tree_routes4(&e->t, (const char *const[]){"eth1 00000000", NULL});
	exam_run(e, "iommu_group");
	exam_only(e, DOCTOR_ERROR, "i40e (eth1: 1 route)", "eth1");
	assert_null(strstr(e->d->findings[0].mend, "driverctl"));
	exam_port(e, "0000:81:00.1"); // then it is not foreign, and the check "nic" tells
	exam_run(e, "iommu_group");
	exam_only(e, DOCTOR_OK, "", NULL);
}

static void vfio_must_be_loaded(void **state)
{
	struct exam *e = *state;
	port(e, "ixgbe", 0);
	exam_run(e, "vfio");
	exam_only(
		e,
		DOCTOR_ERROR,
		"vfio-pci is not loaded",
		"modprobe vfio-pci\necho vfio-pci > /etc/modules-load.d/weir-vfio.conf"
	);
	tree_dir(&e->t, "/sys/bus/pci/drivers/vfio-pci");
	exam_run(e, "vfio");
	exam_only(e, DOCTOR_OK, "vfio-pci is loaded", NULL);
}

static void the_device_of_the_group_must_open(void **state)
{
	struct exam *e = *state;
	port(e, "vfio-pci", 7);
	tree_file(&e->t, "/dev/vfio/7", "");
	exam_run(e, "vfio");
	exam_found(e, DOCTOR_OK, "/dev/vfio/7 of " BDF " may be opened", NULL);
}

// Root may open anything, so another user has to look: in a process of its own.
static void a_user_who_may_not_open_it_is_told(void **state)
{
	struct exam *e = *state;
	char full[PATH_MAX];
	int status;
	port(e, "vfio-pci", 7);
	tree_file(&e->t, "/dev/vfio/7", "");
	tree_path(&e->t, "/dev/vfio/7", full);
	assert_int_equal(chmod(full, 0), 0);
	assert_int_equal(chmod(e->t.root, 0755), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && seteuid(65534) < 0)
			_exit(3);
		exam_run(e, "vfio");
		bool told = false;
		for (size_t i = 0; i < e->d->n_findings; i++)
			told |= e->d->findings[i].status == DOCTOR_ERROR &&
				strstr(e->d->findings[i].reason, "may not open /dev/vfio/7") &&
				strstr(e->d->findings[i].mend,
				       "/etc/udev/rules.d/60-weir-vfio.rules");
		_exit(told ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		exam_test(an_iommu_that_is_on_is_counted),
		exam_test(without_an_iommu_the_kernel_gets_the_words_of_its_maker),
		exam_test(vfio_without_an_iommu_is_a_risk_taken_knowingly),
		exam_test(what_no_port_needs_is_not_asked_for),
		exam_test(bridges_driverless_and_bound_ones_do_not_hinder),
		exam_test(a_foreign_device_in_the_group_is_named),
		exam_test(vfio_must_be_loaded),
		exam_test(the_device_of_the_group_must_open),
		exam_test(a_user_who_may_not_open_it_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
