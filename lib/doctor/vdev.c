// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/checks.h"
#include "lib/doctor/host.h"

#include <linux/capability.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define RING_FRAMES 4096 // of net_af_packet that ride out a pause of some milliseconds
#define MBUF_ROOM 2048	 // of a packet buffer: net_af_packet copies whole frames into it, unlooked

// A virtual device's driver, and the arguments DPDK 22.11 has for it. It says no more of a wrong
// one than that the bus could not be probed, and sometimes nothing.
struct driver {
	const char *name;
	const char *keys;     // apart by a space
	const char *required; // NULL: none
};

// clang-format off
static const struct driver drivers[] = {
	{"net_pcap", "rx_pcap tx_pcap rx_iface rx_iface_in tx_iface iface phy_mac infinite_rx", NULL},
	{"net_af_packet", "iface qpairs blocksz framesz framecnt qdisc_bypass", "iface"},
	{"net_af_xdp", "iface start_queue queue_count shared_umem xdp_prog busy_budget force_copy", "iface"},
	{"net_memif", "id role bsize rsize socket socket-abstract mac zero-copy secret", NULL},
	{"net_tap", "iface mac remote persist", NULL},
	{"net_tun", "iface persist", NULL},
	{"net_null", "size copy no-rx", NULL},
	{"net_ring", "nodeaction internal", NULL},
	{"net_virtio_user", "path mac cq queue_size queues iface server mrg_rxbuf in_order packed_vq speed vectorized", "path"},
	{"net_vhost", "iface queues client iommu-support postcopy-support tso linear-buffer ext-buffer", "iface"},
};
// clang-format on

// DPDK finds the driver by the longest name that the device's begins with.
static const struct driver *find_driver(const char *vdev)
{
	const struct driver *best = NULL;
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		const struct driver *r = &drivers[i];
		if (strncmp(vdev, r->name, strlen(r->name)) == 0 &&
		    (!best || strlen(r->name) > strlen(best->name)))
			best = r;
	}
	return best;
}

// The value of an argument of "net_x0,key=value,…"; false when it is not given.
static bool argument(const char *vdev, const char *key, char *ret_value, size_t len)
{
	size_t n = strlen(key);
	for (const char *p = strchr(vdev, ','); p; p = strchr(p + 1, ',')) {
		if (strncmp(p + 1, key, n) != 0 || p[1 + n] != '=')
			continue;
		const char *value = p + n + 2;
		snprintf(ret_value, len, "%.*s", (int)strcspn(value, ","), value);
		return true;
	}
	return false;
}

static uint64_t number(const char *vdev, const char *key, uint64_t otherwise)
{
	char text[32];
	return argument(vdev, key, text, sizeof(text)) ? strtoull(text, NULL, 0) : otherwise;
}

static bool knows(const struct driver *r, const char *key, size_t n)
{
	for (const char *k = r->keys; *k; k += strspn(k, " ")) {
		size_t len = strcspn(k, " ");
		if (len == n && strncmp(k, key, n) == 0)
			return true;
		k += len;
	}
	return false;
}

static void mend_keys(struct doctor *d, const struct driver *r)
{
	doctor_mend(d, "# arguments of %s are: %s", r->name, r->keys);
}

// The form of the arguments; false when a fault was told.
static bool look_at_keys(struct doctor *d, const char *vdev, const struct driver *r)
{
	char value[8];
	for (const char *p = strchr(vdev, ','); p; p = strchr(p + 1, ',')) {
		size_t n = strcspn(p + 1, ",="), m = strcspn(p + 1, ",");
		if (knows(r, p + 1, n) && n < m)
			continue;
		doctor_found(
			d,
			DOCTOR_ERROR,
			"vdev '%s': %s '%.*s': DPDK would not make it, and hardly say why",
			vdev,
			n < m ? "unknown argument" : "not of the form key=value",
			(int)m,
			p + 1
		);
		mend_keys(d, r);
		return false;
	}
	if (!r->required || argument(vdev, r->required, value, sizeof(value)))
		return true;
	doctor_found(d, DOCTOR_ERROR, "vdev '%s': the argument %s= is missing", vdev, r->required);
	mend_keys(d, r);
	return false;
}

static bool is_up(const struct doctor *d, const char *netdev)
{
	int64_t flags = IFF_UP;
	(void)host_number(d->root, &flags, "/sys/class/net/%s/flags", netdev);
	return flags & IFF_UP;
}

static void mend_interface(struct doctor *d)
{
	struct dirent *entry;
	char names[200] = "";
	size_t at = 0;
	DIR *dir = host_opendir(d->root, "/sys/class/net");
	while ((entry = host_readdir(dir)) && at + IFNAMSIZ + 1 < sizeof(names))
		at += (size_t
		)snprintf(names + at, sizeof(names) - at, " %.*s", IFNAMSIZ - 1, entry->d_name);
	if (dir)
		closedir(dir);
	doctor_mend(d, "# interfaces there are:%s", *names ? names : " none");
}

// In a network name space of its own /sys may still show the interfaces of another.
static bool is_there(const struct doctor *d, const char *name)
{
	char line[512], other[IFNAMSIZ + 1];
	bool found = !strchr(name, '/') && host_exists(d->root, "/sys/class/net/%s", name);
	FILE *f = host_fopen(d->root, "/proc/net/dev");
	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, " %16[^: ]:", other) == 1 && strcmp(other, name) == 0;
	if (f)
		fclose(f);
	return found;
}

// The interface of the kernel that the device listens on; false when a fault was told.
static bool look_at_interface(struct doctor *d, const char *vdev, const char *name)
{
	if (!is_there(d, name)) {
		doctor_found(d, DOCTOR_ERROR, "vdev '%s': there is no interface '%s'", vdev, name);
		mend_interface(d);
		return false;
	}
	if (is_up(d, name))
		return true; // or not to be seen
	doctor_found(d, DOCTOR_WARNING, "vdev '%s': %s is not up: nothing will come", vdev, name);
	doctor_mend(d, "ip link set %s up", name);
	return false;
}

static bool look_at_frames(struct doctor *d, const char *vdev, const char *name)
{
	int64_t mtu = 0;
	uint64_t framesz = number(vdev, "framesz", MBUF_ROOM);
	(void)host_number(d->root, &mtu, "/sys/class/net/%s/mtu", name);
	if (framesz > MBUF_ROOM) {
		doctor_found(
			d,
			DOCTOR_ERROR,
			"vdev '%s': framesz=%llu is more than the %d bytes of a packet buffer: "
			"DPDK "
			"22.11 would write past its end",
			vdev,
			(unsigned long long)framesz,
			MBUF_ROOM
		);
		doctor_mend(d, "# leave framesz out: longer frames are cut, their lengths kept");
		return false;
	}
	uint64_t framecnt = number(vdev, "framecnt", 512);
	if (framecnt < RING_FRAMES) {
		doctor_found(
			d,
			DOCTOR_WARNING,
			"vdev '%s': its ring holds %llu packets: what comes beyond in a burst is "
			"lost",
			vdev,
			(unsigned long long)framecnt
		);
		doctor_mend(
			d,
			"# in weir.yaml: sensor: {vdevs: "
			"[\"net_af_packet0,iface=%s," DOCTOR_AF_PACKET_RING "\"]}",
			name
		);
		return false;
	}
	if (mtu + 100 <= (int64_t)framesz || strcmp(name, "lo") == 0)
		return true;
	doctor_found(
		d,
		DOCTOR_WARNING,
		"vdev '%s': %s has an MTU of %lld, frames of more than about %llu bytes are cut",
		vdev,
		name,
		(long long)mtu,
		(unsigned long long)framesz - 100
	);
	doctor_mend(d, "ip link set %s mtu 1500", name);
	return false;
}

// A packet that the card puts into a queue nobody listens on never comes.
static bool look_at_queues(struct doctor *d, const char *vdev, const char *name)
{
	struct dirent *entry;
	uint64_t first = number(vdev, "start_queue", 0), n = number(vdev, "queue_count", 1);
	uint64_t there = 0;
	DIR *dir = host_opendir(d->root, "/sys/class/net/%s/queues", name);
	while ((entry = host_readdir(dir)))
		there += strncmp(entry->d_name, "rx-", 3) == 0;
	if (dir)
		closedir(dir);
	if (there == 0 || (first == 0 && n == there))
		return true;
	doctor_found(
		d,
		first + n > there ? DOCTOR_ERROR : DOCTOR_WARNING,
		"vdev '%s': it listens on queues %llu to %llu, %s has %llu: %s",
		vdev,
		(unsigned long long)first,
		(unsigned long long)(first + n - 1),
		name,
		(unsigned long long)there,
		first + n > there ? "DPDK would not make it" : "packets in the others do not come"
	);
	doctor_mend(d, "ethtool -L %s combined %llu", name, (unsigned long long)n);
	return false;
}

static bool look_at_file(struct doctor *d, const char *vdev, const char *path)
{
	if (host_exists(d->root, "%s", path))
		return true;
	doctor_found(d, DOCTOR_ERROR, "vdev '%s': there is no file %s", vdev, path);
	doctor_mend(d, "# give the whole path of a capture: rx_pcap=/path/to/file.pcap");
	return false;
}

struct capability {
	const char *driver;
	unsigned cap;
	const char *name;
};

static const struct capability capabilities[] = {
	{"net_af_packet", CAP_NET_RAW, "CAP_NET_RAW"},
	{"net_af_xdp", CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
	{"net_tap", CAP_NET_ADMIN, "CAP_NET_ADMIN"},
	{"net_tun", CAP_NET_ADMIN, "CAP_NET_ADMIN"},
	{},
};

// What the kernel asks of who makes the device; false when a fault was told.
static bool look_at_capability(struct doctor *d, const char *vdev, const struct driver *r)
{
	const struct capability *c = capabilities;
	char pid[16];
	doctor_process(d, "weir-sensor", pid);
	while (c->driver && strcmp(r->name, c->driver) != 0)
		c++;
	if (!c->driver || doctor_has_capability(d, pid, c->cap))
		return true;
	doctor_found(d, DOCTOR_ERROR, "vdev '%s': only with %s, or as root", vdev, c->name);
	if (c->cap == CAP_SYS_ADMIN) // its unit does not have it, for it is much
		doctor_mend(
			d,
			"mkdir -p /etc/systemd/system/weir-sensor.service.d && printf "
			"'[Service]\\nAmbientCapabilities=CAP_SYS_ADMIN\\n"
			"CapabilityBoundingSet=CAP_SYS_ADMIN\\nSystemCallFilter=bpf\\n' > "
			"/etc/systemd/system/weir-sensor.service.d/af_xdp.conf && "
			"systemctl daemon-reload && systemctl restart weir-sensor"
		);
	else
		doctor_mend(d, "systemctl start weir-sensor");
	return false;
}

static bool look_at_meaning(struct doctor *d, const char *vdev, const struct driver *r)
{
	static const char *const interfaces[] = {"iface", "rx_iface", "rx_iface_in", "remote"};
	char value[256];
	// of the rest, iface= is what they make themselves
	bool is_listener = strcmp(r->name, "net_af_packet") == 0 ||
			   strcmp(r->name, "net_af_xdp") == 0 || strcmp(r->name, "net_pcap") == 0;
	for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++)
		if ((is_listener || strcmp(interfaces[i], "remote") == 0) &&
		    argument(vdev, interfaces[i], value, sizeof(value)) &&
		    !look_at_interface(d, vdev, value))
			return false;
	if (argument(vdev, "rx_pcap", value, sizeof(value)))
		return look_at_file(d, vdev, value);
	if (!argument(vdev, "iface", value, sizeof(value)))
		return true;
	if (strcmp(r->name, "net_af_packet") == 0)
		return look_at_frames(d, vdev, value);
	return strcmp(r->name, "net_af_xdp") != 0 || look_at_queues(d, vdev, value);
}

static void look_at_vdev(struct doctor *d, const char *vdev)
{
	const struct driver *r = find_driver(vdev);
	if (!r) {
		doctor_found(
			d,
			DOCTOR_WARNING,
			"vdev '%s': a driver the doctor does not know: not looked at",
			vdev
		);
		doctor_mend(
			d,
			"# known are net_af_packet, net_af_xdp, net_memif, net_pcap, net_tap, "
			"net_tun, net_null, net_ring, net_virtio_user, net_vhost"
		);
		return;
	}
	if (look_at_keys(d, vdev, r) && look_at_meaning(d, vdev, r) &&
	    look_at_capability(d, vdev, r))
		doctor_found(d, DOCTOR_OK, "vdev '%s' has what it needs", vdev);
}

void check_vdev(struct doctor *d)
{
	for (size_t i = 0; i < d->needs->vdevs.n; i++)
		look_at_vdev(d, d->needs->vdevs.items[i]);
	if (d->needs->vdevs.n == 0)
		doctor_found(d, DOCTOR_OK, "the settings take no virtual device (sensor.vdevs)");
}
