// SPDX-License-Identifier: Apache-2.0
#pragma once

// Network cards of the false machine.

#include "tests/unit/tree.h"

struct nic_options {
	const char *bdf;
	const char *id;	    // "8086:1572"
	const char *class;  // NULL: "0x020000"
	const char *driver; // NULL: none
	const char *netdev; // NULL: none
	const char *state;  // its operstate
	int node;	    // NUMA; -1: not known
	int group;	    // IOMMU; 0: none
};

static inline void tree_group(const struct tree *t, int group, const char *bdf)
{
	char path[128], target[128];
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/devices/%s", group, bdf);
	snprintf(target, sizeof(target), "../../../../bus/pci/devices/%s", bdf);
	tree_link(t, path, target);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	snprintf(target, sizeof(target), "../../../kernel/iommu_groups/%d", group);
	tree_link(t, path, target);
}

static inline void tree_netdev(const struct tree *t, const char *name, const char *state)
{
	char path[128], text[32];
	snprintf(path, sizeof(path), "/sys/class/net/%s/operstate", name);
	snprintf(text, sizeof(text), "%s\n", state);
	tree_file(t, path, text);
	snprintf(path, sizeof(path), "/sys/class/net/%s/flags", name);
	tree_file(t, path, strcmp(state, "down") == 0 ? "0x1002\n" : "0x1003\n");
	snprintf(path, sizeof(path), "/sys/class/net/%s/mtu", name);
	tree_file(t, path, "1500\n");
}

static inline void tree_nic(const struct tree *t, const struct nic_options *o)
{
	char path[160], text[64];
#define NIC_FILE(file, fmt, ...)                                                                   \
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/" file, o->bdf);                     \
	snprintf(text, sizeof(text), fmt "\n", __VA_ARGS__);                                       \
	tree_file(t, path, text)
	NIC_FILE("vendor", "0x%.4s", o->id);
	NIC_FILE("device", "0x%.4s", o->id + 5);
	NIC_FILE("class", "%s", o->class ? o->class : "0x020000");
	NIC_FILE("numa_node", "%d", o->node);
#undef NIC_FILE
	if (o->driver) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", o->bdf);
		snprintf(text, sizeof(text), "../../../bus/pci/drivers/%s", o->driver);
		tree_link(t, path, text);
		snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s", o->driver);
		tree_dir(t, path);
	}
	if (o->netdev) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/net/%s", o->bdf, o->netdev);
		tree_dir(t, path);
		tree_netdev(t, o->netdev, o->state ? o->state : "up");
	}
	if (o->group)
		tree_group(t, o->group, o->bdf);
}

#define ROUTE4_HEAD                                                                                \
	"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"

// Routes of IPv4, by interface and destination as the kernel writes them: "eth0 000200C0".
static inline void tree_routes4(const struct tree *t, const char *const *routes)
{
	char text[2048] = ROUTE4_HEAD;
	for (; *routes; routes++) {
		size_t at = strlen(text), n = strcspn(*routes, " ");
		snprintf(
			text + at,
			sizeof(text) - at,
			"%.*s\t%s\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
			(int)n,
			*routes,
			*routes + n + 1
		);
	}
	tree_file(t, "/proc/net/route", text);
}
