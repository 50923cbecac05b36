// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/nics.h"

#include "lib/doctor/host.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define VENDOR_MELLANOX 0x15b3
#define MLX4_LAST_DEVICE 0x1010 // ConnectX-3 Pro; what follows is mlx5's
#define CLASS_NETWORK 0x02

bool nic_is_bdf(const char *text)
{
	static const char form[] = "xxxx:xx:xx.x";
	size_t i = 0;
	for (; form[i]; i++)
		if (form[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != form[i])
			return false;
	return text[i] == '\0' && text[i - 1] <= '7';
}

bool nic_keeps_kernel_driver(const struct nic *n)
{
	return n->vendor == VENDOR_MELLANOX;
}

bool nic_is_dpdk_driver(const char *driver)
{
	return strcmp(driver, "vfio-pci") == 0 || strcmp(driver, "igb_uio") == 0 ||
	       strcmp(driver, "uio_pci_generic") == 0;
}

const char *nic_link_name(enum nic_link link)
{
	static const char *const names[] = {
		[NIC_LINK_UNKNOWN] = "unknown", [NIC_LINK_DOWN] = "down", [NIC_LINK_UP] = "up"};
	return names[link];
}

static enum nic_link link_of(const char *root, const char *netdev)
{
	char state[32];
	int64_t carrier;
	(void)host_read(root, state, sizeof(state), "/sys/class/net/%s/operstate", netdev);
	if (strcmp(state, "up") == 0)
		return NIC_LINK_UP;
	if (strcmp(state, "down") == 0 || strcmp(state, "lowerlayerdown") == 0)
		return NIC_LINK_DOWN;
	if (host_number(root, &carrier, "/sys/class/net/%s/carrier", netdev) == 0)
		return carrier ? NIC_LINK_UP : NIC_LINK_DOWN;
	return NIC_LINK_UNKNOWN;
}

// Routes of IPv4's main table; those of link-local addresses (169.254/16) lead nowhere.
static unsigned count_routes4(const char *root, const char *netdev)
{
	char line[256], name[IFNAMSIZ];
	unsigned n = 0, dest;
	FILE *f = host_fopen(root, "/proc/net/route");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%15s %8x", name, &dest) == 2 && strcmp(name, netdev) == 0)
			n += (dest & 0xffff) != 0xfea9; // as it lies in memory, little-endian
	if (f)
		fclose(f);
	return n;
}

// What the kernel makes by itself for every interface that is up: fe80::/10 and ff00::/8.
static bool is_automatic(const char *dest)
{
	bool is_link_local = strncmp(dest, "fe", 2) == 0 && strchr("89ab", dest[2]);
	return is_link_local || strncmp(dest, "ff", 2) == 0;
}

// That does not count, nor do the entries of our own addresses.
static unsigned count_routes6(const char *root, const char *netdev)
{
	char line[256], name[IFNAMSIZ], dest[33];
	unsigned n = 0, flags;
	FILE *f = host_fopen(root, "/proc/net/ipv6_route");
	while (f && fgets(line, sizeof(line), f)) {
		int got =
			sscanf(line, "%32s %*x %*s %*x %*s %*x %*x %*x %x %15s", dest, &flags, name
			);
		bool is_local = flags & 0x80100000; // RTF_LOCAL, RTF_ANYCAST
		if (got == 3 && strcmp(name, netdev) == 0 && !is_local)
			n += !is_automatic(dest);
	}
	if (f)
		fclose(f);
	return n;
}

static unsigned count_addresses6(const char *root, const char *netdev)
{
	char line[256], name[IFNAMSIZ];
	unsigned n = 0, scope;
	FILE *f = host_fopen(root, "/proc/net/if_inet6");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %*x %*x %x %*x %15s", &scope, name) == 2 &&
		    strcmp(name, netdev) == 0)
			n += scope != 0x20; // of the link
	if (f)
		fclose(f);
	return n;
}

static __attribute__((format(printf, 2, 3))) void
append(char use[static NIC_TEXT_LEN], const char *fmt, ...)
{
	size_t at = strlen(use);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(use + at, NIC_TEXT_LEN - at, fmt, ap);
	va_end(ap);
}

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

static void add_use(const char *root, const char *netdev, char use[static NIC_TEXT_LEN], int depth)
{
	unsigned routes = count_routes4(root, netdev) + count_routes6(root, netdev);
	unsigned addresses = count_addresses6(root, netdev);
	struct dirent *entry;

	if (routes || addresses)
		append(use, "%s%s:", *use ? "; " : "", netdev);
	if (routes)
		append(use, " %u route%s", routes, plural(routes));
	if (addresses)
		append(use,
		       "%s %u address%s",
		       routes ? "," : "",
		       addresses,
		       addresses > 1 ? "es" : "");
	DIR *dir = host_opendir(root, "/sys/class/net/%s", netdev);
	while (depth > 0 && (entry = host_readdir(dir))) {
		char above[IFNAMSIZ];
		if (sscanf(entry->d_name, "upper_%15s", above) != 1)
			continue;
		append(use, "%s%s is part of %s", *use ? "; " : "", netdev, above);
		add_use(root, above, use, depth - 1);
	}
	if (dir)
		closedir(dir);
}

void nic_use(const char *root, const char *netdev, char ret_use[static NIC_TEXT_LEN])
{
	ret_use[0] = '\0';
	if (*netdev)
		add_use(root, netdev, ret_use, 4); // VLAN on bridge on bond: no more than this
}

// The network devices in a folder "net": the first by name goes into the NIC, the uses of all.
static void read_netdevs(const char *root, struct nic *n, DIR *dir)
{
	struct dirent *entry;
	while ((entry = host_readdir(dir))) {
		char use[NIC_TEXT_LEN];
		if (strlen(entry->d_name) >= IFNAMSIZ)
			continue;
		if (!*n->netdev || strcmp(entry->d_name, n->netdev) < 0)
			strcpy(n->netdev, entry->d_name);
		nic_use(root, entry->d_name, use);
		if (*use)
			append(n->use, "%s%s", *n->use ? "; " : "", use);
	}
	closedir(dir);
	if (*n->netdev)
		n->link = link_of(root, n->netdev);
}

// On virtio the network device hangs below a device in between: virtioN/net/eth0.
static DIR *open_netdevs(const char *root, const char *bdf)
{
	struct dirent *entry;
	DIR *net = host_opendir(root, "/sys/bus/pci/devices/%s/net", bdf);
	if (net)
		return net;
	DIR *dir = host_opendir(root, "/sys/bus/pci/devices/%s", bdf);
	while (!net && (entry = host_readdir(dir)))
		if (strncmp(entry->d_name, "virtio", 6) == 0)
			net = host_opendir(
				root, "/sys/bus/pci/devices/%s/%.32s/net", bdf, entry->d_name
			);
	if (dir)
		closedir(dir);
	return net;
}

static const char *recommended(const struct nic *n)
{
	if (nic_keeps_kernel_driver(n))
		return n->device <= MLX4_LAST_DEVICE ? "mlx4_core" : "mlx5_core";
	return *n->use ? NULL : "vfio-pci";
}

static int64_t number(const char *root, const char *bdf, const char *file, int64_t otherwise)
{
	int64_t value;
	if (host_number(root, &value, "/sys/bus/pci/devices/%s/%s", bdf, file) < 0)
		return otherwise;
	return value;
}

static void read_members(const char *root, struct nic *n)
{
	struct dirent *entry;
	DIR *dir = host_opendir(root, "/sys/kernel/iommu_groups/%d/devices", n->group);
	while ((entry = host_readdir(dir)))
		if (strcmp(entry->d_name, n->bdf) != 0)
			append(n->members, "%s%s", *n->members ? " " : "", entry->d_name);
	if (dir)
		closedir(dir);
}

static void read_nic(const char *root, struct nic *n)
{
	char group[16];
	n->vendor = (uint16_t)number(root, n->bdf, "vendor", 0);
	n->device = (uint16_t)number(root, n->bdf, "device", 0);
	n->node = (int)number(root, n->bdf, "numa_node", -1);
	n->group = -1;
	(void
	)host_link(root, n->driver, sizeof(n->driver), "/sys/bus/pci/devices/%s/driver", n->bdf);
	if (host_link(root, group, sizeof(group), "/sys/bus/pci/devices/%s/iommu_group", n->bdf) ==
	    0)
		n->group = atoi(group);
	if (n->group >= 0)
		read_members(root, n);
	DIR *dir = open_netdevs(root, n->bdf);
	if (dir)
		read_netdevs(root, n, dir);
	bool is_kernels = *n->driver && !nic_is_dpdk_driver(n->driver);
	if (is_kernels && !*n->netdev && !nic_keeps_kernel_driver(n))
		append(n->use, "its interface is not to be seen: in another network name space?");
	n->recommended = recommended(n);
}

static int by_bdf(const void *a, const void *b)
{
	return strcmp(((const struct nic *)a)->bdf, ((const struct nic *)b)->bdf);
}

int nics_scan(const char *root, struct nic **ret_nics, size_t *ret_n)
{
	struct nic *nics = NULL;
	struct dirent *entry;
	size_t n = 0;
	int ret = 0;
	DIR *dir = host_opendir(root, "/sys/bus/pci/devices");

	while (ret == 0 && (entry = host_readdir(dir))) {
		if (!nic_is_bdf(entry->d_name) ||
		    number(root, entry->d_name, "class", 0) >> 16 != CLASS_NETWORK)
			continue;
		struct nic *more = reallocarray(nics, n + 1, sizeof(*nics));
		if (!more) {
			ret = -ENOMEM;
			break;
		}
		nics = more;
		nics[n] = (struct nic){};
		strcpy(nics[n].bdf, entry->d_name);
		read_nic(root, &nics[n++]);
	}
	if (dir)
		closedir(dir);
	if (ret < 0) {
		free(nics);
		return ret;
	}
	if (n)
		qsort(nics, n, sizeof(*nics), by_bdf);
	*ret_nics = nics;
	*ret_n = n;
	return 0;
}

const struct nic *nics_find(const struct nic *nics, size_t n, const char *bdf)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(nics[i].bdf, bdf) == 0)
			return &nics[i];
	return NULL;
}
