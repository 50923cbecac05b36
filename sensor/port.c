// SPDX-License-Identifier: Apache-2.0
#include "sensor/port.h"

#include "lib/base/log.h"
#include "sensor/af_packet.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define RX_DESCRIPTORS 1024
#define TX_DESCRIPTORS 64
#define RSS_KEY_LEN 64

// A virtual device from "name,argument=value,...". Its port id.
static int vdev_open(const char *text, uint16_t *ret_id)
{
	char name[64];
	size_t n = strcspn(text, ",");
	if (n == 0 || n >= sizeof(name))
		return log_errno(-EINVAL, "vdev '%s': expected DRIVERn,argument=value", text);
	memcpy(name, text, n);
	name[n] = '\0';
	int ret = rte_eal_hotplug_add("vdev", name, text[n] ? text + n + 1 : "");
	if (ret < 0 && geteuid() != 0 && ret != -EINVAL) // drivers answer -1 to anything
		return log_errno(
			-EPERM, "vdev '%s' (without root; or its arguments are wrong)", text
		);
	if (ret < 0) {
		log_err("vdev '%s' cannot be made: driver not known or not installed "
			"(librte-net-...), or its arguments are wrong",
			text);
		return -EINVAL;
	}
	ret = rte_eth_dev_get_port_by_name(name, ret_id);
	return ret < 0 ? log_errno(-EINVAL, "vdev '%s' is no network device", text) : 0;
}

// A key of one 16-bit pattern gives both directions the same hash; the pattern is random so that
// nobody outside knows which flows share a queue.
static void rss_key(uint8_t key[RSS_KEY_LEN])
{
	uint8_t pattern[2] = {};
	while (!pattern[0] || !pattern[1])
		if (getrandom(pattern, sizeof(pattern), 0) < 0)
			break;
	for (int i = 0; i < RSS_KEY_LEN; i++)
		key[i] = pattern[i % 2];
}

// Whether a driver wants a queue to send on beside each it receives on, although nothing is sent:
// net_memif never connects without, the others refuse.
static bool wants_pairs(const char *driver)
{
	static const char *const drivers[] = {"net_af_xdp", "net_memif", "net_tap", "net_tun"};
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (strcmp(driver, drivers[i]) == 0)
			return true;
	return false;
}

static int configure(struct port *p, const struct rte_eth_dev_info *info, uint8_t key[RSS_KEY_LEN])
{
	struct rte_eth_conf conf = {};
	conf.rxmode.offloads = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	if (p->n_queues > 1) {
		rss_key(key);
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){
			.rss_key = info->hash_key_size <= RSS_KEY_LEN ? key : NULL,
			.rss_key_len = info->hash_key_size <= RSS_KEY_LEN ? info->hash_key_size : 0,
			.rss_hf = (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP) &
				  info->flow_type_rss_offloads,
		};
	}
	if (wants_pairs(info->driver_name))
		p->n_tx_queues = p->n_queues;
	return rte_eth_dev_configure(p->id, p->n_queues, p->n_tx_queues, &conf);
}

static int setup_queues(struct port *p, uint32_t n_mbufs)
{
	uint16_t n_rx = RX_DESCRIPTORS, n_tx = TX_DESCRIPTORS;
	int socket = rte_eth_dev_socket_id(p->id);
	int ret = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &n_rx, &n_tx);
	if (ret < 0)
		return ret;
	if (n_mbufs < 2u * n_rx * p->n_queues && !p->is_virtual) {
		log_err("port %s: %u buffers are too few for %u queues of %u (--mbufs)",
			p->name,
			n_mbufs,
			p->n_queues,
			n_rx);
		return -EINVAL;
	}
	for (uint16_t q = 0; q < p->n_queues && ret == 0; q++)
		ret = rte_eth_rx_queue_setup(
			p->id, q, n_rx, socket < 0 ? 0 : (unsigned)socket, NULL, p->pool
		);
	for (uint16_t q = 0; q < p->n_tx_queues && ret == 0; q++)
		ret = rte_eth_tx_queue_setup(
			p->id, q, n_tx, socket < 0 ? 0 : (unsigned)socket, NULL
		);
	return ret;
}

// Everything between a port's appearance and its first packet. On failure the port is closed.
static int port_start(struct port *p, const struct sensor_config *c)
{
	struct rte_eth_dev_info info;
	uint8_t key[RSS_KEY_LEN];
	char pool[32];
	uint32_t n_mbufs = (uint32_t)c->n_mbufs;

	int ret = rte_eth_dev_info_get(p->id, &info);
	if (ret < 0)
		goto fail;
	p->n_queues = (uint16_t)c->n_queues;
	if (p->n_queues > info.max_rx_queues) {
		log_warn("port %s has %u receive queues", p->name, info.max_rx_queues);
		p->n_queues = info.max_rx_queues;
	}
	snprintf(pool, sizeof(pool), "weir_%u", p->id);
	p->pool = rte_pktmbuf_pool_create(
		pool,
		n_mbufs,
		n_mbufs / 4 < 256 ? n_mbufs / 4 : 256,
		0,
		RTE_MBUF_DEFAULT_BUF_SIZE,
		rte_eth_dev_socket_id(p->id)
	);
	ret = p->pool ? configure(p, &info, key) : -rte_errno;
	if (ret == 0)
		ret = setup_queues(p, n_mbufs);
	if (ret == 0)
		ret = rte_eth_dev_start(p->id);
	if (ret < 0)
		goto fail;
	(void)rte_eth_promiscuous_enable(p->id); // not every device can, nor needs to
	return 0;
fail:
	log_errno(ret, "port %s", p->name);
	rte_eth_dev_close(p->id);
	rte_mempool_free(p->pool);
	return ret;
}

static int vdev_start(
	const char *text,
	bool pcap, // the capture
	const struct sensor_config *c,
	struct port *ports,
	unsigned *n
)
{
	struct port p = {.is_virtual = true};
	static_assert(sizeof(p.name) >= RTE_ETH_NAME_MAX_LEN);
	struct af_packet before;
	if (*n == PORTS_MAX)
		return log_errno(-EINVAL, "more than %d ports", PORTS_MAX);
	af_packet_find(&before, NULL);
	int ret = vdev_open(text, &p.id);
	if (ret < 0)
		return ret;
	(void)rte_eth_dev_get_name_by_port(p.id, p.name);
	snprintf(p.description, sizeof(p.description), "%s", pcap ? c->pcap : text);
	ret = port_start(&p, c);
	if (ret < 0)
		return ret;
	if (strncmp(text, "net_af_packet", 13) == 0 && (p.kernel = malloc(sizeof(*p.kernel))))
		af_packet_find(p.kernel, &before);
	ports[(*n)++] = p;
	return 0;
}

static void describe_nic(struct port *p)
{
	struct rte_eth_dev_info info;
	if (rte_eth_dev_info_get(p->id, &info) == 0)
		snprintf(p->description, sizeof(p->description), "%s", info.driver_name);
}

// The NICs that the EAL found by the PCI addresses given.
static int nics_start(const struct sensor_config *c, struct port *ports, unsigned *n)
{
	for (size_t i = 0; i < c->ports.n; i++) {
		struct port p = {};
		if (*n == PORTS_MAX)
			return log_errno(-EINVAL, "more than %d ports", PORTS_MAX);
		if (rte_eth_dev_get_port_by_name(c->ports.items[i], &p.id) < 0)
			return log_errno(
				-ENODEV,
				"no DPDK port at %s (bound to vfio-pci?)",
				c->ports.items[i]
			);
		snprintf(p.name, sizeof(p.name), "%s", c->ports.items[i]);
		describe_nic(&p);
		int ret = port_start(&p, c);
		if (ret < 0)
			return ret;
		ports[(*n)++] = p;
	}
	return 0;
}

int ports_start(
	const struct sensor_config *c, int pcap_fd, struct port ports[PORTS_MAX], unsigned *ret_n
)
{
	unsigned n = 0;
	int ret = 0;
	if (pcap_fd >= 0) {
		char text[64];
		// by descriptor: a comma in the file's name would end the argument
		snprintf(text, sizeof(text), "net_pcap0,rx_pcap=/proc/self/fd/%d", pcap_fd);
		ret = vdev_start(text, true, c, ports, &n);
	}
	for (size_t i = 0; i < c->vdevs.n && ret == 0; i++)
		ret = vdev_start(c->vdevs.items[i], false, c, ports, &n);
	if (ret == 0)
		ret = nics_start(c, ports, &n);
	if (ret < 0) {
		ports_stop(ports, n);
		return ret;
	}
	*ret_n = n;
	return 0;
}

void ports_stop(struct port *ports, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		(void)rte_eth_dev_stop(ports[i].id);
		rte_eth_dev_close(ports[i].id);
		rte_mempool_free(ports[i].pool);
		free(ports[i].kernel);
	}
}

int port_restart(const struct port *p)
{
	int ret = rte_eth_dev_stop(p->id);
	return ret < 0 ? ret : rte_eth_dev_start(p->id);
}

struct port_traffic port_traffic(const struct port *p)
{
	struct rte_eth_stats s = {};
	if (rte_eth_stats_get(p->id, &s) < 0)
		return (struct port_traffic){};
	return (struct port_traffic){
		.packets = s.ipackets,
		.bytes = s.ibytes,
		.drops.missed = s.imissed + (p->kernel ? af_packet_drops(p->kernel) : 0),
		.drops.errors = s.ierrors,
		.drops.no_buffer = s.rx_nombuf,
	};
}

struct port_drops port_drops(const struct port *p)
{
	return port_traffic(p).drops;
}
