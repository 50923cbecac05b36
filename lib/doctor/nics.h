// SPDX-License-Identifier: Apache-2.0
#pragma once

// The machine's network interfaces on the PCI bus, as /sys and /proc tell of them: which driver
// each has, which it should have for DPDK, and whether the system itself uses it, in which case
// nobody may take it away.
// Thread: any.

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NIC_BDF_LEN 16
#define NIC_TEXT_LEN 160

enum nic_link { NIC_LINK_UNKNOWN, NIC_LINK_DOWN, NIC_LINK_UP };

struct nic {
	char bdf[NIC_BDF_LEN]; // "0000:81:00.0"
	uint16_t vendor, device;
	char driver[32];	    // "": none
	char netdev[IFNAMSIZ];	    // of the kernel; "": none, as DPDK has it
	enum nic_link link;	    // as the kernel sees it
	int node;		    // NUMA; -1: not known
	int group;		    // IOMMU; -1: none
	char members[NIC_TEXT_LEN]; // of the group, beside this one: "0000:81:00.1 0000:82:00.0"
	char use[NIC_TEXT_LEN];	    // what the system does with it: "eth0: 2 routes"; "": nothing
	const char *recommended;    // driver for DPDK
};

// "0000:81:00.0", nothing shorter: so DPDK names its ports.
bool nic_is_bdf(const char *text);

// All of them, by address; 0, or -errno. The array is the caller's to free.
[[nodiscard]] int nics_scan(const char *root, struct nic **ret_nics, size_t *ret_n);

// By address; NULL: none there.
const struct nic *nics_find(const struct nic *nics, size_t n, const char *bdf);

// What the system does with a network device, itself or through one above it (bond, bridge, VLAN):
// "eth0: 2 routes, 1 address"; "" when nothing.
void nic_use(const char *root, const char *netdev, char ret_use[static NIC_TEXT_LEN]);

// Mellanox and NVIDIA: DPDK's driver works on top of the kernel's, which must stay.
bool nic_keeps_kernel_driver(const struct nic *n);

// Whether the driver is one that hands the device to DPDK: vfio-pci and the older ones.
bool nic_is_dpdk_driver(const char *driver);

const char *nic_link_name(enum nic_link link); // "unknown", "down", "up"
