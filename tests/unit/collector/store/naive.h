// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a rollup must say, counted in the most simple way: entries in plain arrays, found by looking
// at each. Written from the comments of collector/store/rollup.h, not from its source.

#include "collector/store/model.h"
#include "collector/store/rollup.h"
#include "tests/unit/collector/store/rows.h"

#define NAIVE_HOSTS 4096
#define NAIVE_PORTS 8192
#define NAIVE_HOURS 64

struct naive {
	struct rollup_totals totals;
	struct rollup_host hosts[NAIVE_HOSTS];
	struct rollup_port ports[NAIVE_PORTS];
	struct rollup_hour hours[NAIVE_HOURS];
	struct rollup_proto protos[256];
	size_t n_hosts, n_ports, n_hours;
};

static inline struct rollup_host *naive_host(struct naive *n, const struct addr *addr)
{
	size_t i = 0;
	while (i < n->n_hosts && !addr_eq(&n->hosts[i].addr, addr))
		i++;
	assert_true(i < NAIVE_HOSTS);
	n->hosts[i].addr = *addr;
	n->n_hosts += i == n->n_hosts;
	return &n->hosts[i];
}

static inline struct rollup_port *naive_port(struct naive *n, uint8_t proto, uint16_t port)
{
	size_t i = 0;
	while (i < n->n_ports && (n->ports[i].proto != proto || n->ports[i].port != port))
		i++;
	assert_true(i < NAIVE_PORTS);
	n->ports[i].proto = proto;
	n->ports[i].port = port;
	n->n_ports += i == n->n_ports;
	return &n->ports[i];
}

static inline struct rollup_hour *naive_hour(struct naive *n, uint32_t hour)
{
	size_t i = 0;
	while (i < n->n_hours && n->hours[i].hour != hour)
		i++;
	assert_true(i < NAIVE_HOURS);
	n->hours[i].hour = hour;
	n->n_hours += i == n->n_hours;
	return &n->hours[i];
}

static inline void naive_add_ends(struct naive *n, const struct record *r)
{
	bool denied = r->verdict == VERDICT_DENY, same = addr_eq(&r->src, &r->dst);
	struct rollup_host *src = naive_host(n, &r->src), *dst = naive_host(n, &r->dst);
	src->out_flows++;
	src->out_packets += r->packets;
	src->out_bytes += r->bytes;
	dst->in_flows++;
	dst->in_packets += r->packets;
	dst->in_bytes += r->bytes;
	src->denied += denied;
	dst->denied += denied && !same;
	if (r->rev_packets == 0)
		return;
	dst->out_flows++;
	dst->out_packets += r->rev_packets;
	dst->out_bytes += r->rev_bytes;
	src->in_flows++;
	src->in_packets += r->rev_packets;
	src->in_bytes += r->rev_bytes;
}

static inline bool naive_has_ports(uint8_t proto)
{
	return proto == 6 || proto == 17 || proto == 33 || proto == 132 || proto == 136;
}

static inline void naive_add(struct naive *n, const struct record *r)
{
	uint64_t packets = r->packets + r->rev_packets, bytes = r->bytes + r->rev_bytes;
	struct rollup_hour *hour = naive_hour(n, (uint32_t)(r->start_ns / NS_PER_HOUR));
	n->totals.flows++;
	n->totals.packets += packets;
	n->totals.bytes += bytes;
	n->totals.denied += r->verdict == VERDICT_DENY;
	hour->flows++;
	hour->packets += packets;
	hour->bytes += bytes;
	n->protos[r->proto].proto = r->proto;
	n->protos[r->proto].flows++;
	n->protos[r->proto].packets += packets;
	n->protos[r->proto].bytes += bytes;
	if (naive_has_ports(r->proto)) {
		struct rollup_port *port = naive_port(n, r->proto, r->dport);
		port->flows++;
		port->packets += packets;
		port->bytes += bytes;
	}
	naive_add_ends(n, r);
}

// Rows that start in [from_ns, to_ns].
static inline void
naive_add_batch(struct naive *n, const struct record_batch *b, uint64_t from_ns, uint64_t to_ns)
{
	for (uint32_t i = 0; i < b->n_rows; i++) {
		struct record r;
		record_batch_get(b, i, &r);
		if (r.start_ns >= from_ns && r.start_ns <= to_ns)
			naive_add(n, &r);
	}
}

// Compares every entry, whatever their order.
static inline void naive_check(struct naive *n, const struct rollup *r)
{
	struct rollup_totals totals = rollup_totals(r);
	struct rollup_hour hours[NAIVE_HOURS];
	struct rollup_proto protos[256];
	struct rollup_port *ports = calloc(NAIVE_PORTS, sizeof(*ports));
	struct rollup_host *hosts = calloc(NAIVE_HOSTS, sizeof(*hosts));
	assert_memory_equal(&totals, &n->totals, sizeof(totals));

	assert_int_equal(rollup_n_hosts(r), n->n_hosts);
	assert_int_equal(rollup_hosts(r, ROLLUP_BY_KEY, hosts, NAIVE_HOSTS), n->n_hosts);
	for (size_t i = 0; i < n->n_hosts; i++)
		assert_memory_equal(&hosts[i], naive_host(n, &hosts[i].addr), sizeof(hosts[i]));

	assert_int_equal(rollup_ports(r, ROLLUP_BY_KEY, ports, NAIVE_PORTS), n->n_ports);
	for (size_t i = 0; i < n->n_ports; i++) {
		struct rollup_port *want = naive_port(n, ports[i].proto, ports[i].port);
		assert_int_equal(ports[i].flows, want->flows);
		assert_int_equal(ports[i].packets, want->packets);
		assert_int_equal(ports[i].bytes, want->bytes);
	}
	assert_int_equal(rollup_hours(r, hours, NAIVE_HOURS), n->n_hours);
	for (size_t i = 0; i < n->n_hours; i++) {
		struct rollup_hour *want = naive_hour(n, hours[i].hour);
		assert_int_equal(hours[i].flows, want->flows);
		assert_int_equal(hours[i].packets, want->packets);
		assert_int_equal(hours[i].bytes, want->bytes);
	}
	uint64_t flows = 0;
	size_t n_protos = rollup_protos(r, ROLLUP_BY_KEY, protos, 256);
	for (size_t i = 0; i < n_protos; i++) {
		const struct rollup_proto *want = &n->protos[protos[i].proto];
		flows += want->flows;
		assert_int_equal(protos[i].flows, want->flows);
		assert_int_equal(protos[i].packets, want->packets);
		assert_int_equal(protos[i].bytes, want->bytes);
	}
	assert_int_equal(flows, n->totals.flows);
	free(ports);
	free(hosts);
}
