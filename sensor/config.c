// SPDX-License-Identifier: Apache-2.0
#include "sensor/config.h"

#include "lib/base/endpoint.h"
#include "lib/base/prefixes.h"
#include "sensor/export/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct sensor_config, member)
#define SEC 1000000000ll
#define UDP_LEN_MAX 65507 // over IPv4

// clang-format off
static const struct config_item items[] = {
	{"sensor.pcap", "pcap", "FILE", CONFIG_STRING, AT(pcap), 0, 0, NULL,
	 "replay this capture (pcap, pcapng), with its times"},
	{"sensor.vdevs", "vdev", "STR", CONFIG_LIST, AT(vdevs), 0, 0, NULL,
	 "listen on a DPDK virtual device: net_af_packet0,iface=eth0"},
	{"sensor.ports", "port", "PCI", CONFIG_LIST, AT(ports), 0, 0, NULL,
	 "listen on a NIC bound to DPDK: 0000:81:00.0"},
	{"sensor.queues", "queues", "N", CONFIG_INT, AT(n_queues), 1, 64, "1",
	 "receive queues of a port, each with a core of its own"},
	{"sensor.mbufs", "mbufs", "N", CONFIG_INT, AT(n_mbufs), 1023, 4194303, "16383",
	 "packet buffers of a port"},
	{"sensor.export", "export", "udp|tcp|tls:HOST:PORT", CONFIG_LIST, AT(targets), 0, 0, NULL,
	 "send IPFIX to this collector, or to unix:PATH; v9+udp:… or v5+udp:… for NetFlow; may be repeated"},
	{"sensor.export_spread", NULL, NULL, CONFIG_BOOL, AT(spread), 0, 0, "no",
	 "each flow to one of the collectors, by its key, not to all of them"},
	{"sensor.export_ca", NULL, NULL, CONFIG_STRING, AT(export_ca), 0, 0, NULL,
	 "PEM file of who vouches for the collector over TLS; the system's without"},
	{"sensor.export_cert", NULL, NULL, CONFIG_STRING, AT(export_cert), 0, 0, NULL,
	 "PEM file of our certificate, for collectors that ask for one"},
	{"sensor.export_key", NULL, NULL, CONFIG_STRING, AT(export_key), 0, 0, NULL,
	 "PEM file of its key, unless it is in the same file"},
	{NULL, "once", NULL, CONFIG_BOOL, AT(once), 0, 0, "no",
	 "end after the capture, print the sums as JSON"},
	{"sensor.loop", "loop", NULL, CONFIG_BOOL, AT(loop), 0, 0, "no",
	 "replay the capture endlessly, as if it came now"},
	{"sensor.rate", "rate", "PPS", CONFIG_INT, AT(rate), 0, 1000000000, "0",
	 "packets per second of the replay; 0: as fast as it goes"},
	{"sensor.idle_timeout", "idle-timeout", "TIME", CONFIG_DURATION, AT(idle_ns), SEC, 86400 * SEC, "30s",
	 "a flow ends after so long without a packet"},
	{"sensor.active_timeout", "active-timeout", "TIME", CONFIG_DURATION, AT(active_ns), SEC, 86400 * SEC, "300s",
	 "a longer flow is reported in parts of this length"},
	{"sensor.flows", "flows", "N", CONFIG_SIZE, AT(n_flows), 16, 1ll << 28, "1M",
	 "flows at the same time, per queue (145 bytes each, 209 with TCP metrics)"},
	{"sensor.flow_of", "flow-of", "inner|outer", CONFIG_STRING, AT(flow_of), 0, 0, "inner",
	 "flows of the packets in tunnels, or of the tunnels"},
	{"sensor.vxlan_ports", NULL, NULL, CONFIG_LIST, AT(vxlan_ports), 0, 0, "4789",
	 "UDP ports of VXLAN, at most 8"},
	{"sensor.key_vlan", NULL, NULL, CONFIG_BOOL, AT(key_vlan), 0, 0, "yes",
	 "packets of different VLANs are different flows"},
	{"sensor.key_tunnel", NULL, NULL, CONFIG_BOOL, AT(key_tunnel), 0, 0, "yes",
	 "packets of different tunnels are different flows"},
	{"sensor.emergency_timeout", NULL, NULL, CONFIG_DURATION, AT(emergency_ns), SEC, 86400 * SEC, "2s",
	 "idle timeout of unanswered flows while there are more than sensor.flows"},
	{"sensor.fragments", NULL, NULL, CONFIG_SIZE, AT(n_fragments), 16, 1 << 24, "8K",
	 "datagrams in fragments whose ports are kept, per queue (136 bytes each)"},
	{"sensor.tcp_metrics", "tcp-metrics", "yes|no", CONFIG_BOOL, AT(tcp_metrics), 0, 0, "no",
	 "sizes and TTL of all flows, retransmissions, shut windows and round trips of TCP"},
	{"sensor.biflow", "biflow", "yes|no", CONFIG_BOOL, AT(biflow), 0, 0, "yes",
	 "both directions in one record (RFC 5103)"},
	{"sensor.template_interval", NULL, NULL, CONFIG_DURATION, AT(template_interval_ns), SEC, 86400 * SEC, "60s",
	 "how often templates are sent again over UDP"},
	{"sensor.message_len", NULL, NULL, CONFIG_INT, AT(message_len), 1024, 65535, "1420",
	 "bytes of an IPFIX message at most: below the path's MTU over UDP"},
	{"sensor.export_rate", "export-rate", "BYTES", CONFIG_SIZE, AT(export_rate), 0, 1ll << 40, "0",
	 "bytes per second to the collector at most; 0: no limit"},
	{"sensor.export_ring", NULL, NULL, CONFIG_INT, AT(ring), 64, 1 << 24, "65536",
	 "ended flows that may wait for the exporter, per queue"},
	{"sensor.domain", "domain", "ID", CONFIG_INT, AT(domain), 0, UINT32_MAX - 4096ll, "1",
	 "observation domain of the first queue; the others follow"},
	{"sensor.pen", NULL, NULL, CONFIG_INT, AT(pen), 0, UINT32_MAX, "0",
	 "private enterprise number of our own elements; 0: 32473"},
	{"sensor.idle_sleep", "idle-sleep", "yes|no", CONFIG_BOOL, AT(idle_sleep), 0, 0, "yes",
	 "workers of virtual devices sleep while nothing comes"},
	{"sensor.sampling", "sampling", "N", CONFIG_INT, AT(sampling), 1, 1 << 24, "1",
	 "look at one of N packets; collectors are told"},
	{"sensor.sampling_random", NULL, NULL, CONFIG_BOOL, AT(sampling_random), 0, 0, "yes",
	 "any one of each N, not always the last"},
	{"sensor.names", "names", "yes|no", CONFIG_BOOL, AT(names), 0, 0, "yes",
	 "server names (TLS, QUIC, DNS, HTTP) and JA4 of the flows' first payloads"},
	{"sensor.names_memory", NULL, NULL, CONFIG_SIZE, AT(names_memory), 1 << 20, 1ll << 36, "256M",
	 "bytes for names and hits of the flows at hand, per queue (a name: about 128)"},
	{"intel.files", "intel", "FILE", CONFIG_LIST, AT(intel_files), 0, 0, NULL,
	 "a file of indicators in any format; read again when it changes; may be repeated"},
	{"intel.own", NULL, NULL, CONFIG_LIST, AT(own), 0, 0, NULL,
	 "our own networks: never a hit, beside the private and reserved ones"},
	{"sensor.intel_cache", NULL, NULL, CONFIG_STRING, AT(intel_cache), 0, 0, NULL,
	 "directory for compiled indicators: a start with the same ones takes no time"},
	{"sensor.control", "control", "PATH", CONFIG_STRING, AT(control), 0, 0, NULL,
	 "socket for weir ledger"},
	{"sensor.metrics", "metrics", "HOST:PORT", CONFIG_STRING, AT(metrics), 0, 0, NULL,
	 "answer Prometheus there: GET /metrics"},
	{"sensor.telemetry", NULL, NULL, CONFIG_BOOL, AT(telemetry), 0, 0, "no",
	 "DPDK's own telemetry socket, with /weir/ledger and /weir/workers"},
	{"sensor.memory", NULL, NULL, CONFIG_INT, AT(memory), 64, 1 << 20, "512",
	 "MiB for DPDK where there are no hugepages"},
};
// clang-format on

static const char *check_target(const struct sensor_config *c, const char *target)
{
	struct endpoint to;
	uint16_t version;
	int ret = transport_parse(target, &to, &version);
	if (ret == -EINVAL)
		return "--export: expected udp:HOST:PORT, tcp:HOST:PORT, tls:HOST:PORT or "
		       "unix:PATH, after v5+ or v9+ if it is to be NetFlow";
	if (ret == 0 && to.kind == TRANSPORT_UDP && c->message_len > UDP_LEN_MAX)
		return "sensor.message_len: no datagram has more than 65507 bytes";
	return NULL; // a name that is not known may be so at the start
}

static const char *check_targets(const struct sensor_config *c)
{
	const char *what = NULL;
	if (c->targets.n > TARGETS_MAX)
		return "--export: eight collectors at most";
	for (size_t i = 0; !what && i < c->targets.n; i++)
		what = check_target(c, c->targets.items[i]);
	return what;
}

static const char *check_metrics(const struct sensor_config *c)
{
	static const char *const kinds[] = {"http", NULL};
	struct endpoint ep;
	bool bad = *c->metrics && endpoint_parse(c->metrics, kinds, &ep) == -EINVAL;
	return bad ? "--metrics: expected HOST:PORT" : NULL;
}

static bool port_of(const char *text, uint16_t *ret_port)
{
	char *end;
	errno = 0;
	unsigned long v = strtoul(text, &end, 10);
	if (errno || *end || text[0] < '0' || text[0] > '9' || v == 0 || v > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)v;
	return true;
}

static const char *check_tunnels(const struct sensor_config *c)
{
	uint16_t port;
	if (strcmp(c->flow_of, "inner") != 0 && strcmp(c->flow_of, "outer") != 0)
		return "sensor.flow_of: expected inner or outer";
	if (c->vxlan_ports.n > PARSE_VXLAN_PORTS_MAX)
		return "sensor.vxlan_ports: more than 8";
	for (size_t i = 0; i < c->vxlan_ports.n; i++)
		if (!port_of(c->vxlan_ports.items[i], &port))
			return "sensor.vxlan_ports: expected ports from 1 to 65535";
	return NULL;
}

void sensor_config_parse(const struct sensor_config *c, struct parse_options *ret_options)
{
	uint16_t ports[PARSE_VXLAN_PORTS_MAX];
	unsigned n = 0;
	for (size_t i = 0; i < c->vxlan_ports.n && n < PARSE_VXLAN_PORTS_MAX; i++)
		n += port_of(c->vxlan_ports.items[i], &ports[n]);
	parse_options_init(ret_options, strcmp(c->flow_of, "outer") != 0, ports, n);
}

static int check(const void *config, const char **ret_what)
{
	const struct sensor_config *c = config;
	*ret_what = NULL;
	if (!*c->pcap && c->vdevs.n == 0 && c->ports.n == 0)
		*ret_what = "nothing to listen on: give --pcap FILE, --vdev STR or --port PCI";
	else if ((c->once || c->loop || c->rate) && !*c->pcap)
		*ret_what = "--once, --loop and --rate need --pcap FILE";
	else if (*c->pcap && (c->vdevs.n || c->ports.n))
		*ret_what =
			"--pcap goes alone: its times are the capture's, a port's are the clock's";
	else if (c->once && c->loop)
		*ret_what = "--once ends what --loop begins anew: choose one";
	else if (!prefixes_are_valid(&c->own))
		*ret_what = "intel.own: expected networks: 192.0.2.0/24, 2001:db8::/32";
	else if (!(*ret_what = check_tunnels(c)) && !(*ret_what = check_targets(c)))
		*ret_what = check_metrics(c);
	return *ret_what ? -EINVAL : 0;
}

static const char *const others[] = {"intel.feeds", NULL};

const struct config_program sensor_program = {
	.name = "weir-sensor",
	.section = "sensor",
	.synopsis = "[-c FILE] --pcap FILE | --vdev STR... | --port PCI... [--export "
		    "udp|tcp|tls:HOST:PORT]... "
		    "[--intel FILE]... [--once] [-- EAL ARGUMENTS]",
	.about = "Makes flow records of the packets it sees and sends them as IPFIX.",
	.items = items,
	.n_items = sizeof(items) / sizeof(items[0]),
	.size = sizeof(struct sensor_config),
	.others = others,
	.check = check,
};
