// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/checks.h"
#include "lib/doctor/host.h"

#include <string.h>

// The command that gives a NIC to DPDK for good. driverctl keeps it over a reboot; it is a package
// of its own.
static void mend_bind(struct doctor *d, const char *bdf, const char *driver)
{
	bool has = host_exists(d->root, "/usr/sbin/driverctl");
	doctor_mend(
		d,
		"%sdriverctl set-override %s %s",
		has ? "" : "apt-get install -y driverctl && ",
		bdf,
		driver
	);
}

// NVIDIA's cards keep their kernel driver, but the sensor gets their packets all the same.
static void found_in_use(struct doctor *d, const struct nic *n)
{
	doctor_found(
		d,
		DOCTOR_ERROR,
		"%s is in use by the system (%s) and must not be taken away: %s would be cut off",
		n->bdf,
		n->use,
		*n->netdev ? n->netdev : "who uses it"
	);
	if (!*n->netdev) {
		doctor_mend(d, "lsns -t net");
		return;
	}
	doctor_mend(
		d,
		"# in weir.yaml listen beside the system: sensor: {vdevs: "
		"[\"net_af_packet0,iface=%s," DOCTOR_AF_PACKET_RING
		"\"]}, or use a port without routes",
		n->netdev
	);
}

static void look_at_mellanox(struct doctor *d, const struct nic *n)
{
	if (strcmp(n->driver, n->recommended) != 0) {
		doctor_found(
			d,
			DOCTOR_ERROR,
			"%s (15b3:%04x) has the driver %s: NVIDIA's cards work with DPDK on top of "
			"the kernel driver %s",
			n->bdf,
			n->device,
			*n->driver ? n->driver : "none",
			n->recommended
		);
		if (*n->driver)
			doctor_mend(d, "driverctl unset-override %s", n->bdf);
		doctor_mend(d, "modprobe %s", n->recommended);
		return;
	}
	bool is_down = n->link == NIC_LINK_DOWN;
	doctor_found(
		d,
		is_down ? DOCTOR_WARNING : DOCTOR_OK,
		"%s keeps %s, as it must (%s, link %s)",
		n->bdf,
		n->driver,
		*n->netdev ? n->netdev : "no network device",
		nic_link_name(n->link)
	);
	if (is_down && *n->netdev)
		doctor_mend(d, "ip link set %s up", n->netdev);
}

static void look_at_port(struct doctor *d, const char *name)
{
	const struct nic *n = nics_find(d->nics, d->n_nics, name);
	if (!nic_is_bdf(name)) {
		doctor_found(d, DOCTOR_ERROR, "port '%s': not a PCI address in full", name);
		doctor_mend(
			d,
			"# in weir.yaml write it as lspci -D does: sensor: {ports: "
			"[\"0000:81:00.0\"]}"
		);
	} else if (!n) {
		doctor_found(d, DOCTOR_ERROR, "port %s: no network card at this PCI address", name);
		doctor_mend(d, "lspci -Dnn -d ::02xx");
	} else if (*n->use) {
		found_in_use(d, n);
	} else if (nic_keeps_kernel_driver(n)) {
		look_at_mellanox(d, n);
	} else if (nic_is_dpdk_driver(n->driver)) {
		doctor_found(d, DOCTOR_OK, "%s is bound to %s", n->bdf, n->driver);
	} else {
		doctor_found(
			d,
			DOCTOR_ERROR,
			"%s (%04x:%04x, %s) has the driver %s, DPDK wants %s",
			n->bdf,
			n->vendor,
			n->device,
			*n->netdev ? n->netdev : "no network device",
			*n->driver ? n->driver : "none",
			n->recommended
		);
		mend_bind(d, n->bdf, n->recommended);
	}
}

// The NIC to propose: one with a link that nobody uses, else one that nobody uses.
static const struct nic *candidate(const struct doctor *d)
{
	const struct nic *best = NULL;
	for (size_t i = 0; i < d->n_nics; i++) {
		const struct nic *n = &d->nics[i];
		if (!*n->use && (!best || (n->link == NIC_LINK_UP && best->link != NIC_LINK_UP)))
			best = n;
	}
	return best;
}

static void found_no_port(struct doctor *d)
{
	const struct nic *n = candidate(d);
	doctor_found(
		d,
		DOCTOR_WARNING,
		"the settings name nothing to listen on (sensor.ports, vdevs, pcap); of %zu "
		"network cards %s could be taken",
		d->n_nics,
		n ? n->bdf : "none"
	);
	if (n && !nic_keeps_kernel_driver(n) && !nic_is_dpdk_driver(n->driver))
		mend_bind(d, n->bdf, n->recommended);
	if (n)
		doctor_mend(d, "# in weir.yaml: sensor: {ports: [\"%s\"]}", n->bdf);
	else
		doctor_mend(
			d,
			"# in weir.yaml listen beside the system: sensor: {vdevs: "
			"[\"net_af_packet0,iface=%s," DOCTOR_AF_PACKET_RING "\"]}",
			d->n_nics && *d->nics[0].netdev ? d->nics[0].netdev : "eth0"
		);
}

void check_nic(struct doctor *d)
{
	const struct doctor_needs *needs = d->needs;
	for (size_t i = 0; i < needs->ports.n; i++)
		look_at_port(d, needs->ports.items[i]);
	if (needs->ports.n)
		return;
	if (needs->vdevs.n || needs->has_capture)
		doctor_found(d, DOCTOR_OK, "the settings take no network card (sensor.ports)");
	else
		found_no_port(d);
}

// Whether a worker of the port, whose place among all is `index`, runs on another node.
static bool is_far(const struct doctor *d, size_t index, const struct cpulist *near)
{
	struct cpulist mine;
	doctor_cpus(d, &mine);
	for (uint64_t q = 0; mine.n && q < d->needs->n_queues; q++) {
		unsigned worker = (unsigned)(index * d->needs->n_queues + q);
		if (!cpulist_has(near, cpulist_worker(&mine, worker)))
			return true;
	}
	return false;
}

void check_nic_node(struct doctor *d)
{
	const struct doctor_needs *needs = d->needs;
	bool any = false;
	for (size_t i = 0; i < needs->ports.n; i++) {
		const struct nic *n = doctor_port(d, i);
		struct cpulist near;
		char text[CPULIST_TEXT_LEN];
		if (!n || n->node < 0 ||
		    host_cpus(d->root, &near, "/sys/devices/system/node/node%d/cpulist", n->node) <
			    0)
			continue;
		if (near.n == 0 || !is_far(d, needs->vdevs.n + i, &near)) // vdevs come first
			continue;
		any = true;
		doctor_found(
			d,
			DOCTOR_WARNING,
			"%s is on NUMA node %d (CPUs %.120s), but its workers would run elsewhere",
			n->bdf,
			n->node,
			cpulist_format(&near, text)
		);
		doctor_mend_affinity(d, &near);
	}
	if (!any)
		doctor_found(
			d,
			DOCTOR_OK,
			needs->ports.n ? "workers run on the NUMA node of their ports"
				       : "no port that is on a NUMA node"
		);
}
