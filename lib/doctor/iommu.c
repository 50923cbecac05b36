// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/checks.h"
#include "lib/doctor/host.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define CLASS_BRIDGE 0x06

static unsigned count_entries(const struct doctor *d, const char *path)
{
	unsigned n = 0;
	DIR *dir = host_opendir(d->root, "%s", path);
	while (host_readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static bool is_noiommu(const struct doctor *d)
{
	char text[8];
	(void)host_read(
		d->root,
		text,
		sizeof(text),
		"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
	);
	return *text == 'Y' || *text == '1';
}

// The words of the kernel's command line that turn it on. AMD's is on by itself where the firmware
// has it.
static void found_no_iommu(struct doctor *d)
{
	char cpuinfo[HOST_TEXT_LEN], vendor[32];
	(void)host_read(d->root, cpuinfo, sizeof(cpuinfo), "/proc/cpuinfo");
	host_field(cpuinfo, "vendor_id", vendor, sizeof(vendor));
	bool is_intel = strcmp(vendor, "GenuineIntel") == 0;
	doctor_found(
		d,
		DOCTOR_ERROR,
		"the IOMMU is off (0 groups in /sys/kernel/iommu_groups): vfio-pci "
		"cannot take a port"
	);
	doctor_mend(
		d,
		"echo 'GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT %siommu=pt\"' > "
		"/etc/default/grub.d/weir-iommu.cfg && update-grub && systemctl reboot",
		is_intel ? "intel_iommu=on " : ""
	);
	doctor_mend(
		d,
		"# also turn on %s in the firmware; in a virtual machine without one, at the price "
		"of its protection: echo 1 > "
		"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
		is_intel ? "VT-d" : "AMD-Vi (IOMMU)"
	);
}

void check_iommu(struct doctor *d)
{
	unsigned n = count_entries(d, "/sys/kernel/iommu_groups");
	if (n > 0)
		doctor_found(d, DOCTOR_OK, "the IOMMU is on: %u groups", n);
	else if (!doctor_wants_vfio(d))
		doctor_found(d, DOCTOR_OK, "the IOMMU is off, and no port needs it");
	else if (is_noiommu(d))
		doctor_found(
			d,
			DOCTOR_WARNING,
			"no IOMMU; vfio does without (enable_unsafe_noiommu_mode): the network "
			"card can reach all memory"
		);
	else
		found_no_iommu(d);
}

// Whether vfio can take the group although this member is in it: members without a driver, bridges
// and those with vfio are no hindrance.
static bool is_hindrance(const struct doctor *d, const char *bdf, char driver[static 32])
{
	int64_t class = 0;
	if (host_link(d->root, driver, 32, "/sys/bus/pci/devices/%s/driver", bdf) < 0 || !*driver)
		return false;
	(void)host_number(d->root, &class, "/sys/bus/pci/devices/%s/class", bdf);
	return class >> 16 != CLASS_BRIDGE && !nic_is_dpdk_driver(driver) &&
	       strcmp(driver, "pci-stub") != 0;
}

static void
found_hindrance(struct doctor *d, const struct nic *n, const char *bdf, const char *driver)
{
	const struct nic *other = nics_find(d->nics, d->n_nics, bdf);
	doctor_found(
		d,
		DOCTOR_ERROR,
		"IOMMU group %d of %s also has %s with the driver %s%s%s%s: vfio cannot take it "
		"(\"group is not viable\")",
		n->group,
		n->bdf,
		bdf,
		driver,
		other && *other->use ? " (" : "",
		other ? other->use : "",
		other && *other->use ? ")" : ""
	);
	if (other && *other->use)
		doctor_mend(
			d,
			"# put the card into a slot with an IOMMU group of its own: %s is in use",
			other->netdev
		);
	else
		doctor_mend(d, "driverctl set-override %s vfio-pci", bdf);
}

static bool look_at_group(struct doctor *d, const struct nic *n)
{
	struct dirent *entry;
	bool is_good = true;
	DIR *dir = host_opendir(d->root, "/sys/kernel/iommu_groups/%d/devices", n->group);
	while ((entry = host_readdir(dir))) {
		char driver[32];
		// other ports of the settings are told of by the check "nic"
		bool is_ours = strcmp(entry->d_name, n->bdf) == 0;
		for (size_t i = 0; i < d->needs->ports.n; i++)
			is_ours |= strcmp(entry->d_name, d->needs->ports.items[i]) == 0;
		if (is_ours || !is_hindrance(d, entry->d_name, driver))
			continue;
		is_good = false;
		found_hindrance(d, n, entry->d_name, driver);
	}
	if (dir)
		closedir(dir);
	return is_good;
}

void check_iommu_group(struct doctor *d)
{
	bool is_good = true;
	for (size_t i = 0; i < d->needs->ports.n; i++) {
		const struct nic *n = doctor_port(d, i);
		if (n && n->group >= 0 && !nic_keeps_kernel_driver(n))
			is_good &= look_at_group(d, n);
	}
	if (is_good)
		doctor_found(
			d,
			DOCTOR_OK,
			doctor_wants_vfio(d) ? "nothing foreign in the IOMMU groups of the ports"
					     : "no port needs vfio-pci"
		);
}

// Whether this process may open the group's device; root may, and so may the unit's user where the
// udev rule is installed.
static void look_at_access(struct doctor *d, const struct nic *n)
{
	char path[PATH_MAX];
	bool no_iommu = is_noiommu(d);
	snprintf(path, sizeof(path), "/dev/vfio/%s%d", no_iommu ? "noiommu-" : "", n->group);
	if (!host_exists(d->root, "%s", path))
		return; // the check "nic" says that it is not bound
	char full[PATH_MAX];
	if (snprintf(full, sizeof(full), "%s%s", d->root, path) >= (int)sizeof(full) ||
	    faccessat(AT_FDCWD, full, R_OK | W_OK, AT_EACCESS) == 0) {
		doctor_found(d, DOCTOR_OK, "%s of %s may be opened", path, n->bdf);
		return;
	}
	doctor_found(
		d, DOCTOR_ERROR, "user %u may not open %s of %s", (unsigned)geteuid(), path, n->bdf
	);
	doctor_mend(
		d,
		"echo 'SUBSYSTEM==\"vfio\", GROUP=\"weir-sensor\", MODE=\"0660\"' > "
		"/etc/udev/rules.d/60-weir-vfio.rules && udevadm control --reload && "
		"udevadm trigger --subsystem-match=vfio"
	);
}

void check_vfio(struct doctor *d)
{
	if (!doctor_wants_vfio(d)) {
		doctor_found(d, DOCTOR_OK, "no port needs vfio-pci");
		return;
	}
	if (!host_exists(d->root, "/sys/bus/pci/drivers/vfio-pci")) {
		doctor_found(
			d, DOCTOR_ERROR, "vfio-pci is not loaded (no /sys/bus/pci/drivers/vfio-pci)"
		);
		doctor_mend(d, "modprobe vfio-pci");
		doctor_mend(d, "echo vfio-pci > /etc/modules-load.d/weir-vfio.conf");
		return;
	}
	doctor_found(d, DOCTOR_OK, "vfio-pci is loaded");
	for (size_t i = 0; i < d->needs->ports.n; i++) {
		const struct nic *n = doctor_port(d, i);
		if (n && n->group >= 0 && nic_is_dpdk_driver(n->driver))
			look_at_access(d, n);
	}
}
