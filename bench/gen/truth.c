// SPDX-License-Identifier: Apache-2.0
#include "bench/gen/truth.h"

#include "lib/base/clock.h"

#include <jansson.h>

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#define TOP 10
#define HOURS_MAX 256
#define PORT_CLASSES 3

struct host {
	struct addr addr;
	bool used;
	uint64_t sent, sent_packets, sent_flows;
	uint64_t received, received_packets, received_flows;
};

struct sums {
	uint64_t flows, packets, bytes;
};

struct truth {
	struct sums all, malicious, protos[256], hours[HOURS_MAX];
	struct sums ports[PORT_CLASSES][65536];
	uint64_t denied, non_ip, first_us, last_us, first_hour;
	struct host *hosts; // open addressing, power of two
	size_t n_hosts, cap;
};

static const uint8_t port_protos[PORT_CLASSES] = {6, 17, 132};

struct truth *truth_create(void)
{
	struct truth *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->cap = 1024;
	t->hosts = calloc(t->cap, sizeof(*t->hosts));
	if (!t->hosts) {
		free(t);
		return NULL;
	}
	return t;
}

void truth_free(struct truth *t)
{
	if (t)
		free(t->hosts);
	free(t);
}

static struct host *slot_of(struct host *hosts, size_t cap, const struct addr *a)
{
	uint64_t h[2];
	memcpy(h, a->b, sizeof(h));
	size_t i = (be64toh(h[0]) ^ be64toh(h[1])) * 0x9e3779b97f4a7c15 >> 32;
	for (;; i++) {
		struct host *s = &hosts[i & (cap - 1)];
		if (!s->used || addr_eq(&s->addr, a))
			return s;
	}
}

static int grow(struct truth *t)
{
	struct host *bigger = calloc(t->cap * 2, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	for (size_t i = 0; i < t->cap; i++)
		if (t->hosts[i].used)
			*slot_of(bigger, t->cap * 2, &t->hosts[i].addr) = t->hosts[i];
	free(t->hosts);
	t->hosts = bigger;
	t->cap *= 2;
	return 0;
}

static struct host *host_of(struct truth *t, const struct addr *a)
{
	if (t->n_hosts * 2 >= t->cap && grow(t) < 0)
		return NULL;
	struct host *h = slot_of(t->hosts, t->cap, a);
	if (!h->used) {
		*h = (struct host){.addr = *a, .used = true};
		t->n_hosts++;
	}
	return h;
}

static void sums_add(struct sums *s, uint64_t packets, uint64_t bytes)
{
	s->flows++;
	s->packets += packets;
	s->bytes += bytes;
}

static int
add_way(struct truth *t, const struct addr *from, const struct addr *to, const uint64_t sent[2])
{
	if (!sent[0])
		return 0;
	struct host *h = host_of(t, from);
	if (!h)
		return -ENOMEM;
	h->sent_flows++;
	h->sent_packets += sent[0];
	h->sent += sent[1];

	h = host_of(t, to);
	if (!h)
		return -ENOMEM;
	h->received_flows++;
	h->received_packets += sent[0];
	h->received += sent[1];
	return 0;
}

static void add_hour(struct truth *t, uint64_t start_us, uint64_t packets, uint64_t bytes)
{
	uint64_t hour = start_us * NS_PER_USEC / NS_PER_HOUR;
	if (!t->all.flows) // conversations end, and so come here, in any order
		t->first_hour = hour > HOURS_MAX / 2 ? hour - HOURS_MAX / 2 : 0;
	if (hour >= t->first_hour && hour - t->first_hour < HOURS_MAX)
		sums_add(&t->hours[hour - t->first_hour], packets, bytes);
}

int truth_add(struct truth *t, const struct truth_flow *f)
{
	uint64_t packets = f->packets[0] + f->packets[1];
	uint64_t bytes = f->bytes[0] + f->bytes[1];
	const uint64_t there[2] = {f->packets[0], f->bytes[0]};
	const uint64_t back[2] = {f->packets[1], f->bytes[1]};

	add_hour(t, f->start_us, packets, bytes);
	if (!t->all.flows || f->start_us < t->first_us)
		t->first_us = f->start_us;
	if (f->end_us > t->last_us)
		t->last_us = f->end_us;
	sums_add(&t->all, packets, bytes);
	sums_add(&t->protos[f->proto], packets, bytes);
	if (f->malicious)
		sums_add(&t->malicious, packets, bytes);
	t->denied += f->denied;
	for (int i = 0; i < PORT_CLASSES; i++)
		if (f->proto == port_protos[i])
			sums_add(&t->ports[i][f->dport], packets, bytes);

	int ret = add_way(t, &f->src, &f->dst, there);
	return ret < 0 ? ret : add_way(t, &f->dst, &f->src, back);
}

void truth_add_non_ip(struct truth *t, uint64_t n)
{
	t->non_ip += n;
}

static json_t *sums_json(const struct sums *s)
{
	return json_pack(
		"{s:I, s:I, s:I}",
		"flows",
		(json_int_t)s->flows,
		"packets",
		(json_int_t)s->packets,
		"bytes",
		(json_int_t)s->bytes
	);
}

static int by_sent(const void *a, const void *b)
{
	const struct host *x = a, *y = b;
	if (x->sent != y->sent)
		return x->sent < y->sent ? 1 : -1;
	return addr_cmp(&x->addr, &y->addr);
}

static int by_received(const void *a, const void *b)
{
	const struct host *x = a, *y = b;
	if (x->received != y->received)
		return x->received < y->received ? 1 : -1;
	return addr_cmp(&x->addr, &y->addr);
}

static json_t *host_json(const struct host *h, bool sent)
{
	char text[ADDR_TEXT_LEN];
	struct sums s = {h->received_flows, h->received_packets, h->received};
	if (sent)
		s = (struct sums){h->sent_flows, h->sent_packets, h->sent};
	json_t *o = sums_json(&s);
	json_object_set_new(o, "ip", json_string(addr_format(&h->addr, text)));
	return o;
}

static json_t *top_json(const struct truth *t, bool sent)
{
	struct host *all = calloc(t->n_hosts + 1, sizeof(*all));
	json_t *list = json_array();
	size_t n = 0;
	for (size_t i = 0; all && i < t->cap; i++)
		if (t->hosts[i].used && (sent ? t->hosts[i].sent : t->hosts[i].received))
			all[n++] = t->hosts[i];
	if (all)
		qsort(all, n, sizeof(*all), sent ? by_sent : by_received);
	for (size_t i = 0; i < n && i < TOP; i++)
		json_array_append_new(list, host_json(&all[i], sent));
	free(all);
	return list;
}

static json_t *ports_json(const struct truth *t)
{
	json_t *list = json_array();
	for (int c = 0; c < PORT_CLASSES; c++)
		for (unsigned port = 0; port < 65536; port++) {
			if (!t->ports[c][port].flows)
				continue;
			json_t *o = sums_json(&t->ports[c][port]);
			json_object_set_new(o, "proto", json_integer(port_protos[c]));
			json_object_set_new(o, "port", json_integer(port));
			json_array_append_new(list, o);
		}
	return list;
}

static json_t *hours_json(const struct truth *t)
{
	json_t *list = json_array();
	for (uint64_t i = 0; i < HOURS_MAX; i++) {
		if (!t->hours[i].flows)
			continue;
		json_t *o = sums_json(&t->hours[i]);
		json_object_set_new(
			o, "start", json_integer((json_int_t)((t->first_hour + i) * 3600))
		);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *protos_json(const struct truth *t)
{
	json_t *o = json_object();
	char name[4];
	for (int i = 0; i < 256; i++) {
		snprintf(name, sizeof(name), "%u", (unsigned)i & 0xff);
		if (t->protos[i].flows)
			json_object_set_new(o, name, sums_json(&t->protos[i]));
	}
	return o;
}

int truth_write(const struct truth *t, const char *path)
{
	json_t *o = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"conversations",
		(json_int_t)t->all.flows,
		"packets",
		(json_int_t)t->all.packets,
		"ip_bytes",
		(json_int_t)t->all.bytes,
		"non_ip",
		(json_int_t)t->non_ip,
		"denied",
		(json_int_t)t->denied,
		"hosts",
		(json_int_t)t->n_hosts,
		"first_us",
		(json_int_t)t->first_us,
		"last_us",
		(json_int_t)t->last_us
	);
	if (!o)
		return -ENOMEM;
	json_object_set_new(o, "malicious", sums_json(&t->malicious));
	json_object_set_new(o, "protocols", protos_json(t));
	json_object_set_new(o, "top_senders", top_json(t, true));
	json_object_set_new(o, "top_receivers", top_json(t, false));
	json_object_set_new(o, "ports", ports_json(t));
	json_object_set_new(o, "hours", hours_json(t));

	const size_t flags = JSON_INDENT(1);
	int ret = strcmp(path, "-") ? json_dump_file(o, path, flags) : json_dumpf(o, stdout, flags);
	json_decref(o);
	return ret < 0 ? -EIO : 0;
}
