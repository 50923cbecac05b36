// SPDX-License-Identifier: Apache-2.0
#include "api/query/traffic.h"

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

static struct filter *filter_of(const struct addr *host)
{
	char text[ADDR_TEXT_LEN + 4] = "ip ";
	struct filter *f = NULL;
	struct filter_error e;
	addr_format(host, text + 3);
	return filter_parse(text, strlen(text), NULL, &f, &e) == 0 ? f : NULL;
}

int traffic_run(struct traffic *t, const struct run *run)
{
	struct walk_counts counts;
	struct filter *filter = t->host ? filter_of(t->host) : NULL;
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

struct sums {
	const struct addr *host;
	uint64_t received, sent;
};

static int take_sums(void *ctx, const struct record_batch *b, const uint32_t *rows, uint32_t n)
{
	struct sums *s = ctx;
	const struct addr *src = RECORD_COLUMN(b, src), *dst = RECORD_COLUMN(b, dst);
	const uint64_t *bytes = RECORD_COLUMN(b, bytes), *rev = RECORD_COLUMN(b, rev_bytes);
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = rows[k];
		uint64_t fwd = bytes ? bytes[i] : 0, back = rev ? rev[i] : 0;
		if (src && addr_eq(&src[i], s->host)) {
			s->sent += fwd;
			s->received += back;
		}
		if (dst && addr_eq(&dst[i], s->host)) {
			s->received += fwd;
			s->sent += back;
		}
	}
	return 0;
}

// The rows of a span that are not in the hour's table: all of them when the hour is cut.
static int
scan_host(const struct run *run, struct filter *f, const struct window *w, bool all, struct sums *s)
{
	struct walk_counts counts;
	struct walk walk = {
		.run = *run,
		.filter = f,
		.fields = RECORD_BIT(src) | RECORD_BIT(dst) | RECORD_BIT(bytes) |
			  RECORD_BIT(rev_bytes),
		.journal_only = !all,
		.rows = take_sums,
		.ctx = s,
	};
	walk.run.window = w;
	return walk_rows(&walk, &counts);
}

static int
host_hour(const struct run *run, const struct store_hour *h, struct filter *f, struct sums *s)
{
	uint64_t first = store_hour_start(h->hour), last = first + NS_PER_HOUR - 1;
	bool whole = first >= run->window->from_ns && last <= run->window->to_ns;
	struct rollup_host host;
	if (whole && h->sealed_rows) {
		int ret = store_view_host(run->view, run->entity, h->hour, s->host, &host);
		if (ret < 0)
			return ret;
		s->received += ret ? host.in_bytes : 0;
		s->sent += ret ? host.out_bytes : 0;
	}
	if (whole && !h->journal_rows)
		return 0;
	struct window part = {
		.from_ns = first > run->window->from_ns ? first : run->window->from_ns,
		.to_ns = last < run->window->to_ns ? last : run->window->to_ns,
	};
	return scan_host(run, f, &part, !whole, s);
}

int traffic_host(
	const struct run *run, const struct addr *host, uint64_t *ret_received, uint64_t *ret_sent
)
{
	uint32_t last = store_hour_of(run->window->to_ns);
	struct sums s = {.host = host};
	struct filter *f = filter_of(host);
	struct store_hour h;
	int ret = f ? 0 : -ENOMEM;
	for (uint32_t next = store_hour_of(run->window->from_ns); ret == 0 && next <= last;
	     next = h.hour + 1) {
		ret = query_stopped(run->stop);
		if (ret == 0)
			ret = store_view_hour(run->view, run->entity, next, &h);
		if (ret <= 0 || h.hour > last)
			break;
		ret = host_hour(run, &h, f, &s);
	}
	filter_free(f);
	*ret_received = s.received;
	*ret_sent = s.sent;
	return ret < 0 ? ret : 0;
}
