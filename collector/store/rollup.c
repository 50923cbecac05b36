// SPDX-License-Identifier: Apache-2.0
#include "collector/store/rollup.h"

#include "collector/store/hosts.h"
#include "collector/store/model.h"
#include "collector/store/top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define N_PORTS 65536

struct sums {
	uint64_t flows, packets, bytes;
};

// The protocols whose ports are counted, in rising order.
static const uint8_t port_protos[] = {6, 17, 33, 132, 136};
#define N_PORT_PROTOS (sizeof(port_protos))

struct ports {
	uint64_t seen[N_PORTS / 64]; // a bit each: few are, and the sums take megabytes
	struct sums sums[N_PORTS];
};

struct rollup {
	struct hosts hosts;
	struct sums protos[256];
	struct ports *ports[N_PORT_PROTOS]; // made when the protocol is first seen
	struct rollup_hour *hours;	    // ascending
	size_t n_hours, cap_hours;
	size_t last_hour; // where the row before was counted
	uint64_t denied;
};

int rollup_create(struct rollup **ret_rollup)
{
	return rollup_create_capped(ROLLUP_HOSTS_MAX, ret_rollup);
}

int rollup_create_capped(size_t hosts_max, struct rollup **ret_rollup)
{
	struct rollup *r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	hosts_init(&r->hosts, hosts_max);
	*ret_rollup = r;
	return 0;
}

void rollup_free(struct rollup *r)
{
	if (!r)
		return;
	hosts_fini(&r->hosts);
	for (size_t i = 0; i < N_PORT_PROTOS; i++)
		free(r->ports[i]);
	free(r->hours);
	free(r);
}

static void sums_add(struct sums *s, uint64_t flows, uint64_t packets, uint64_t bytes)
{
	s->flows += flows;
	s->packets += packets;
	s->bytes += bytes;
}

// NULL for a protocol without ports, and (told apart by *ret_error) without memory.
static struct sums *port_at(struct rollup *r, uint8_t proto, uint16_t port, int *ret_error)
{
	for (size_t i = 0; i < N_PORT_PROTOS; i++) {
		if (port_protos[i] != proto)
			continue;
		if (!r->ports[i] && !(r->ports[i] = calloc(1, sizeof(struct ports)))) {
			*ret_error = -ENOMEM;
			return NULL;
		}
		r->ports[i]->seen[port / 64] |= 1ull << port % 64;
		return &r->ports[i]->sums[port];
	}
	return NULL;
}

static int hour_insert(struct rollup *r, size_t at, uint32_t hour)
{
	if (r->n_hours == r->cap_hours) {
		size_t cap = r->cap_hours ? r->cap_hours * 2 : 32;
		struct rollup_hour *hours = realloc(r->hours, cap * sizeof(*hours));
		if (!hours)
			return -ENOMEM;
		r->hours = hours;
		r->cap_hours = cap;
	}
	memmove(r->hours + at + 1, r->hours + at, (r->n_hours - at) * sizeof(*r->hours));
	r->hours[at] = (struct rollup_hour){.hour = hour};
	r->n_hours++;
	return 0;
}

static struct rollup_hour *hour_at(struct rollup *r, uint32_t hour)
{
	if (r->last_hour < r->n_hours && r->hours[r->last_hour].hour == hour)
		return &r->hours[r->last_hour];
	size_t low = 0, high = r->n_hours;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (r->hours[mid].hour < hour)
			low = mid + 1;
		else
			high = mid;
	}
	if ((low == r->n_hours || r->hours[low].hour != hour) && hour_insert(r, low, hour) < 0)
		return NULL;
	r->last_hour = low;
	return &r->hours[low];
}

// The columns a rollup reads; NULL: all 0.
struct view {
	const uint64_t *start, *packets, *bytes, *rev_packets, *rev_bytes;
	const struct addr *src, *dst;
	const uint16_t *dport;
	const uint8_t *proto, *verdict;
};

struct row {
	struct addr src, dst;
	uint64_t start, packets, bytes, rev_packets, rev_bytes;
	uint16_t dport;
	uint8_t proto;
	bool denied;
};

static struct view view_of(const struct record_batch *b)
{
	return (struct view){
		.start = RECORD_COLUMN(b, start_ns),
		.packets = RECORD_COLUMN(b, packets),
		.bytes = RECORD_COLUMN(b, bytes),
		.rev_packets = RECORD_COLUMN(b, rev_packets),
		.rev_bytes = RECORD_COLUMN(b, rev_bytes),
		.src = RECORD_COLUMN(b, src),
		.dst = RECORD_COLUMN(b, dst),
		.dport = RECORD_COLUMN(b, dport),
		.proto = RECORD_COLUMN(b, proto),
		.verdict = RECORD_COLUMN(b, verdict),
	};
}

static struct row row_of(const struct view *v, uint32_t i)
{
	struct row row = {
		.start = v->start ? v->start[i] : 0,
		.packets = v->packets ? v->packets[i] : 0,
		.bytes = v->bytes ? v->bytes[i] : 0,
		.rev_packets = v->rev_packets ? v->rev_packets[i] : 0,
		.rev_bytes = v->rev_bytes ? v->rev_bytes[i] : 0,
		.dport = v->dport ? v->dport[i] : 0,
		.proto = v->proto ? v->proto[i] : 0,
		.denied = v->verdict && v->verdict[i] == VERDICT_DENY,
	};
	if (v->src)
		row.src = v->src[i];
	if (v->dst)
		row.dst = v->dst[i];
	return row;
}

static void host_sent(struct rollup_host *h, uint64_t packets, uint64_t bytes)
{
	h->out_flows++;
	h->out_packets += packets;
	h->out_bytes += bytes;
}

static void host_received(struct rollup_host *h, uint64_t packets, uint64_t bytes)
{
	h->in_flows++;
	h->in_packets += packets;
	h->in_bytes += bytes;
}

// Both ends of a row, one after the other: an entry moves when the next is made.
static int add_ends(struct rollup *r, const struct row *row)
{
	bool answered = row->rev_packets > 0;
	struct rollup_host *src = hosts_at(&r->hosts, &row->src);
	if (!src)
		return -ENOMEM;
	host_sent(src, row->packets, row->bytes);
	if (answered)
		host_received(src, row->rev_packets, row->rev_bytes);
	src->denied += row->denied;

	struct rollup_host *dst = hosts_at(&r->hosts, &row->dst);
	if (!dst)
		return -ENOMEM;
	host_received(dst, row->packets, row->bytes);
	if (answered)
		host_sent(dst, row->rev_packets, row->rev_bytes);
	if (!addr_eq(&row->src, &row->dst))
		dst->denied += row->denied;
	return 0;
}

static int add_row(struct rollup *r, const struct row *row)
{
	uint64_t packets = row->packets + row->rev_packets;
	uint64_t bytes = row->bytes + row->rev_bytes;
	struct rollup_hour *hour = hour_at(r, store_hour_of(row->start));
	int ret = 0;
	struct sums *port = port_at(r, row->proto, row->dport, &ret);
	if (!hour || ret < 0 || (ret = add_ends(r, row)) < 0)
		return -ENOMEM;
	if (port)
		sums_add(port, 1, packets, bytes);
	sums_add(&r->protos[row->proto], 1, packets, bytes);
	hour->flows++;
	hour->packets += packets;
	hour->bytes += bytes;
	r->denied += row->denied;
	return 0;
}

int rollup_add_batch(
	struct rollup *r, const struct record_batch *b, uint64_t from_ns, uint64_t to_ns
)
{
	struct view v = view_of(b);
	for (uint32_t i = 0; i < b->n_rows; i++) {
		uint64_t start = v.start ? v.start[i] : 0;
		if (start < from_ns || start > to_ns)
			continue;
		struct row row = row_of(&v, i);
		if (add_row(r, &row) < 0)
			return -ENOMEM;
	}
	return 0;
}

int rollup_add_totals(struct rollup *r, uint32_t hour, const struct rollup_totals *t)
{
	struct rollup_hour *at = hour_at(r, hour);
	if (!at)
		return -ENOMEM;
	at->flows += t->flows;
	at->packets += t->packets;
	at->bytes += t->bytes;
	r->denied += t->denied;
	return 0;
}

int rollup_add_host(struct rollup *r, const struct rollup_host *h)
{
	struct rollup_host *at = hosts_at(&r->hosts, &h->addr);
	if (!at)
		return -ENOMEM;
	at->out_flows += h->out_flows;
	at->out_packets += h->out_packets;
	at->out_bytes += h->out_bytes;
	at->in_flows += h->in_flows;
	at->in_packets += h->in_packets;
	at->in_bytes += h->in_bytes;
	at->denied += h->denied;
	return 0;
}

int rollup_add_port(struct rollup *r, const struct rollup_port *p)
{
	int ret = 0;
	struct sums *at = port_at(r, p->proto, p->port, &ret);
	if (at)
		sums_add(at, p->flows, p->packets, p->bytes);
	return ret;
}

void rollup_add_proto(struct rollup *r, const struct rollup_proto *p)
{
	sums_add(&r->protos[p->proto], p->flows, p->packets, p->bytes);
}

struct rollup_totals rollup_totals(const struct rollup *r)
{
	struct rollup_totals t = {.denied = r->denied};
	for (size_t i = 0; i < r->n_hours; i++) {
		t.flows += r->hours[i].flows;
		t.packets += r->hours[i].packets;
		t.bytes += r->hours[i].bytes;
	}
	return t;
}

size_t rollup_n_hosts(const struct rollup *r)
{
	return r->hosts.n;
}

static int cmp_falling(uint64_t left, uint64_t right)
{
	return left > right ? -1 : left < right;
}

static int cmp_host_key(const void *left, const void *right)
{
	const struct rollup_host *l = left, *r = right;
	return addr_cmp(&l->addr, &r->addr);
}

static int cmp_host_out(const void *left, const void *right)
{
	const struct rollup_host *l = left, *r = right;
	int c = cmp_falling(l->out_bytes, r->out_bytes);
	return c ? c : cmp_host_key(left, right);
}

static int cmp_host_in(const void *left, const void *right)
{
	const struct rollup_host *l = left, *r = right;
	int c = cmp_falling(l->in_bytes, r->in_bytes);
	return c ? c : cmp_host_key(left, right);
}

static bool host_wanted(const struct rollup_host *h, enum rollup_order by)
{
	if (by == ROLLUP_BY_OUT_BYTES)
		return h->out_flows > 0;
	return by != ROLLUP_BY_IN_BYTES || h->in_flows > 0;
}

size_t rollup_hosts(const struct rollup *r, enum rollup_order by, struct rollup_host *ret, size_t n)
{
	struct top top = {.items = ret, .width = sizeof(*ret), .cap = n, .cmp = cmp_host_key};
	size_t all = 0;
	if (by == ROLLUP_BY_OUT_BYTES)
		top.cmp = cmp_host_out;
	if (by == ROLLUP_BY_IN_BYTES)
		top.cmp = cmp_host_in;
	for (size_t i = 0; i < r->hosts.n; i++) {
		if (!host_wanted(&r->hosts.entries[i], by))
			continue;
		all++;
		if (ret)
			top_add(&top, &r->hosts.entries[i]);
	}
	top_sort(&top);
	return ret ? top.n : all;
}

static int cmp_port_key(const void *left, const void *right)
{
	const struct rollup_port *l = left, *r = right;
	return l->proto != r->proto ? l->proto - r->proto : l->port - r->port;
}

static int cmp_port_flows(const void *left, const void *right)
{
	const struct rollup_port *l = left, *r = right;
	int c = cmp_falling(l->flows, r->flows);
	return c ? c : cmp_port_key(left, right);
}

static int cmp_port_bytes(const void *left, const void *right)
{
	const struct rollup_port *l = left, *r = right;
	int c = cmp_falling(l->bytes, r->bytes);
	return c ? c : cmp_port_key(left, right);
}

static size_t add_word(const struct ports *ports, uint32_t word, uint8_t proto, struct top *top)
{
	size_t all = 0;
	for (uint64_t left = ports->seen[word]; left; left &= left - 1) {
		uint32_t port = word * 64 + (uint32_t)__builtin_ctzll(left);
		const struct sums *s = &ports->sums[port];
		struct rollup_port p = {(uint16_t)port, proto, s->flows, s->packets, s->bytes};
		if (!(s->flows | s->packets | s->bytes))
			continue;
		all++;
		if (top->items)
			top_add(top, &p);
	}
	return all;
}

static size_t add_ports(const struct rollup *r, size_t i, struct top *top)
{
	size_t all = 0;
	for (uint32_t word = 0; r->ports[i] && word < N_PORTS / 64; word++)
		all += add_word(r->ports[i], word, port_protos[i], top);
	return all;
}

size_t rollup_ports(const struct rollup *r, enum rollup_order by, struct rollup_port *ret, size_t n)
{
	struct top top = {.items = ret, .width = sizeof(*ret), .cap = n, .cmp = cmp_port_key};
	size_t all = 0;
	if (by == ROLLUP_BY_FLOWS)
		top.cmp = cmp_port_flows;
	if (by == ROLLUP_BY_BYTES)
		top.cmp = cmp_port_bytes;
	for (size_t i = 0; i < N_PORT_PROTOS; i++)
		all += add_ports(r, i, &top);
	top_sort(&top);
	return ret ? top.n : all;
}

static int cmp_proto_key(const void *left, const void *right)
{
	const struct rollup_proto *l = left, *r = right;
	return l->proto - r->proto;
}

static int cmp_proto_flows(const void *left, const void *right)
{
	const struct rollup_proto *l = left, *r = right;
	int c = cmp_falling(l->flows, r->flows);
	return c ? c : cmp_proto_key(left, right);
}

static int cmp_proto_bytes(const void *left, const void *right)
{
	const struct rollup_proto *l = left, *r = right;
	int c = cmp_falling(l->bytes, r->bytes);
	return c ? c : cmp_proto_key(left, right);
}

size_t
rollup_protos(const struct rollup *r, enum rollup_order by, struct rollup_proto *ret, size_t n)
{
	struct top top = {.items = ret, .width = sizeof(*ret), .cap = n, .cmp = cmp_proto_key};
	size_t all = 0;
	if (by == ROLLUP_BY_FLOWS)
		top.cmp = cmp_proto_flows;
	if (by == ROLLUP_BY_BYTES)
		top.cmp = cmp_proto_bytes;
	for (int i = 0; i < 256; i++) {
		const struct sums *s = &r->protos[i];
		struct rollup_proto p = {(uint8_t)i, s->flows, s->packets, s->bytes};
		if (!(s->flows | s->packets | s->bytes))
			continue;
		all++;
		if (ret)
			top_add(&top, &p);
	}
	top_sort(&top);
	return ret ? top.n : all;
}

size_t rollup_hours(const struct rollup *r, struct rollup_hour *ret, size_t n)
{
	size_t out = r->n_hours < n ? r->n_hours : n;
	if (!ret)
		return r->n_hours;
	if (out)
		memcpy(ret, r->hours, out * sizeof(*ret));
	return out;
}
