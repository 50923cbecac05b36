// SPDX-License-Identifier: Apache-2.0
#include "sensor/summary.h"

#include <jansson.h>

void summary_add_port(struct summary *s, const struct port *p)
{
	struct port_drops d = port_drops(p);
	s->port.missed += d.missed;
	s->port.errors += d.errors;
	s->port.no_buffer += d.no_buffer;
	s->packets += d.missed + d.errors + d.no_buffer;
}

static uint64_t *name_counter(struct names_counters *c, size_t i)
{
	return (uint64_t *)(void *)((char *)c + names_infos[i].offset);
}

void summary_add_worker(struct summary *s, const struct worker *w)
{
	const struct flow_counters *f = flow_table_counters(w->table);
	s->packets += w->counters.received;
	for (int v = 0; v < PACKET_N_VERDICTS; v++)
		s->verdicts[v] += w->counters.verdicts[v];
	s->flow_packets += f->packets;
	s->bytes += f->bytes;
	s->flows += f->flows;
	s->evicted += f->evicted;
	s->ring_full += f->lost;
	s->hits += inspect_counters(w->inspect)->hits;
	for (size_t i = 0; w->names && i < names_n_infos; i++)
		*name_counter(&s->names, i) +=
			*name_counter((struct names_counters *)names_counters(w->names), i);
}

void summary_add_exporter(struct summary *s, const struct exporter_counters *e)
{
	s->exported += e->exported;
	s->no_target += e->no_target;
	s->unsent += e->unsent;
}

static uint64_t packet_drops(const struct summary *s)
{
	uint64_t sum = s->port.missed + s->port.errors + s->port.no_buffer;
	for (int v = PACKET_KEEP + 1; v < PACKET_N_VERDICTS; v++)
		sum += s->verdicts[v];
	return sum;
}

int64_t summary_residue(const struct summary *s)
{
	int64_t packets = (int64_t)(s->packets - s->flow_packets - packet_drops(s));
	int64_t flows = (int64_t)(s->flows - s->exported - s->ring_full - s->no_target - s->unsent);
	return packets ? packets : flows;
}

static void put(json_t *object, const char *name, uint64_t n)
{
	json_object_set_new(object, name, json_integer((json_int_t)n));
}

static void put_drop(json_t *object, const char *name, uint64_t n)
{
	if (n > 0)
		put(object, name, n);
}

static json_t *drops(const struct summary *s)
{
	json_t *o = json_object();
	for (int v = PACKET_KEEP + 1; v < PACKET_N_VERDICTS; v++)
		put_drop(o, verdicts[v].name, s->verdicts[v]);
	put_drop(o, "port_missed", s->port.missed);
	put_drop(o, "port_errors", s->port.errors);
	put_drop(o, "port_no_buffer", s->port.no_buffer);
	put_drop(o, "flow_ring_full", s->ring_full);
	put_drop(o, "flow_no_target", s->no_target);
	put_drop(o, "flow_unsent", s->unsent);
	return o;
}

// Of the names, what was found or went wrong.
static json_t *names(const struct summary *s)
{
	json_t *o = json_object();
	for (size_t i = 0; i < names_n_infos; i++)
		put_drop(
			o, names_infos[i].name, *name_counter((struct names_counters *)&s->names, i)
		);
	return o;
}

char *summary_format(const struct summary *s)
{
	json_t *o = json_object();
	put(o, "packets", s->packets);
	put(o, "bytes", s->bytes);
	put(o, "flows", s->flows);
	put(o, "exported", s->exported);
	put(o, "hits", s->hits);
	json_object_set_new(o, "dropped", drops(s));
	json_object_set_new(o, "names", names(s));
	char *text = json_dumps(o, JSON_PRESERVE_ORDER);
	json_decref(o);
	return text;
}
