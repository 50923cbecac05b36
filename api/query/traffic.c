// SPDX-License-Identifier: Apache-2.0
#include "api/query/traffic.h"

#include "api/query/host.h"

#include <errno.h>
#include <stdio.h>

#define ICMP 1
#define TCP 6
#define UDP 17
#define GRE 47
#define ESP 50
#define ICMP6 58

const char *const traffic_names[TRAFFIC_N] = {
	[TRAFFIC_TOTAL] = "total",
	[TRAFFIC_ICMP] = "icmp",
	[TRAFFIC_UDP] = "udp",
	[TRAFFIC_TCP] = "tcp",
	[TRAFFIC_MAIL] = "mail",
	[TRAFFIC_DNS] = "dns",
	[TRAFFIC_VPN] = "vpn",
	[TRAFFIC_FTP] = "ftp",
	[TRAFFIC_WEB] = "web",
	[TRAFFIC_PROXY] = "proxy",
	[TRAFFIC_QUIC] = "quic",
	[TRAFFIC_SIP] = "sip",
};

unsigned traffic_classes(uint8_t proto, uint16_t far_port)
{
	static const struct {
		uint16_t port;
		uint8_t proto, class;
	} ports[] = {
		{80, TCP, TRAFFIC_WEB},	    {443, TCP, TRAFFIC_WEB},	{20, TCP, TRAFFIC_FTP},
		{21, TCP, TRAFFIC_FTP},	    {25, TCP, TRAFFIC_MAIL},	{110, TCP, TRAFFIC_MAIL},
		{143, TCP, TRAFFIC_MAIL},   {587, TCP, TRAFFIC_MAIL},	{53, TCP, TRAFFIC_DNS},
		{1080, TCP, TRAFFIC_PROXY}, {3128, TCP, TRAFFIC_PROXY}, {8080, TCP, TRAFFIC_PROXY},
		{8888, TCP, TRAFFIC_PROXY}, {53, UDP, TRAFFIC_DNS},	{1701, UDP, TRAFFIC_VPN},
		{51820, UDP, TRAFFIC_VPN},  {80, UDP, TRAFFIC_QUIC},	{443, UDP, TRAFFIC_QUIC},
		{5060, UDP, TRAFFIC_SIP},
	};
	unsigned classes = 1u << TRAFFIC_TOTAL;
	if (proto == ICMP || proto == ICMP6)
		classes |= 1u << TRAFFIC_ICMP;
	else if (proto == TCP)
		classes |= 1u << TRAFFIC_TCP;
	else if (proto == UDP)
		classes |= 1u << TRAFFIC_UDP;
	else if (proto == GRE || proto == ESP)
		classes |= 1u << TRAFFIC_VPN;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i].proto == proto && ports[i].port == far_port)
			classes |= 1u << ports[i].class;
	return classes;
}

static bool is_ours(const struct traffic *t, const struct addr *a)
{
	if (t->host)
		return addr_eq(t->host, a);
	for (size_t i = 0; i < t->n_nets; i++)
		if (prefix_contains(&t->nets[i], a))
			return true;
	return t->n_nets == 0;
}

static void
add(struct traffic *t, uint64_t start_ns, uint8_t proto, uint16_t far_port, uint64_t bytes)
{
	uint64_t bin = (start_ns - t->from_ns) / t->bin_ns;
	if (bin >= t->n_bins)
		return;
	for (unsigned left = traffic_classes(proto, far_port); left; left &= left - 1)
		t->bins[bin].bytes[__builtin_ctz(left)] += bytes;
}

static int take(void *ctx, const struct record_batch *b, const uint32_t *rows, uint32_t n)
{
	struct traffic *t = ctx;
	for (uint32_t k = 0; k < n; k++) {
		struct record r;
		record_batch_get(b, rows[k], &r);
		// What came to the one end is what the other sent; the far end is the other one.
		if (is_ours(t, &r.dst))
			add(t, r.start_ns, r.proto, r.sport, t->sent ? r.rev_bytes : r.bytes);
		if (is_ours(t, &r.src))
			add(t, r.start_ns, r.proto, r.dport, t->sent ? r.bytes : r.rev_bytes);
	}
	return 0;
}

int traffic_run(struct traffic *t, const struct run *run)
{
	struct walk_counts counts;
	struct filter *filter = t->host ? host_filter(t->host) : NULL;
	struct walk w = {
		.run = *run,
		.filter = filter,
		.fields = RECORD_BIT(src) | RECORD_BIT(dst) | RECORD_BIT(sport) |
			  RECORD_BIT(dport) | RECORD_BIT(proto) | RECORD_BIT(bytes) |
			  RECORD_BIT(rev_bytes),
		.rows = take,
		.ctx = t,
	};
	if (t->host && !filter)
		return -ENOMEM;
	int ret = walk_rows(&w, &counts);
	filter_free(filter);
	return ret;
}
