// SPDX-License-Identifier: Apache-2.0
#include "sensor/summary.h"

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

void summary_add_worker(struct summary *s, const struct worker_sums *w)
{
	const struct flow_counters *f = &w->flow;
	s->packets += w->worker.received;
	for (int v = 0; v < PACKET_N_VERDICTS; v++)
		s->verdicts[v] += w->worker.verdicts[v];
	s->flow_packets += f->packets;
	s->bytes += f->bytes;
	s->flows += f->flows;
	s->evicted += f->evicted;
	s->hurried += f->hurried;
	s->emergencies += f->emergencies;
	s->ring_full += f->lost;
	s->n_flows += w->n_flows;
	s->hits += w->inspect.hits;
	s->fragments.seen += w->fragments.seen;
	s->fragments.resolved += w->fragments.resolved;
	s->fragments.without += w->fragments.without;
	s->fragments.overlapping += w->fragments.overlapping;
	s->fragments.evicted += w->fragments.evicted;
	for (size_t i = 0; i < names_n_infos; i++)
		*name_counter(&s->names, i) += *name_counter((struct names_counters *)&w->names, i);
}

void summary_add_targets(struct summary *s, const struct targets_counters *t)
{
	s->copies = t->copies;
	for (unsigned i = 0; i < t->n; i++) {
		const struct exporter_counters *e = &t->of[i];
		s->exported += e->exported;
		s->no_target += e->no_target;
		s->unfit += e->unfit;
		s->unsent += e->unsent;
		s->target_full += t->full[i];
	}
}

static uint64_t packet_drops(const struct summary *s)
{
	uint64_t sum = s->port.missed + s->port.errors + s->port.no_buffer;
	for (int v = PACKET_KEEP + 1; v < PACKET_N_VERDICTS; v++)
		sum += s->verdicts[v];
	return sum;
}

static uint64_t flows_left(const struct summary *s)
{
	uint64_t copies = (s->flows - s->ring_full) * (s->copies ? s->copies : 1);
	return copies - s->exported - s->target_full - s->no_target - s->unfit - s->unsent -
	       s->in_flight;
}

void summary_let_fly(struct summary *s)
{
	s->in_flight += flows_left(s);
}

int64_t summary_residue(const struct summary *s)
{
	int64_t packets = (int64_t)(s->packets - s->flow_packets - packet_drops(s));
	return packets ? packets : (int64_t)flows_left(s);
}

static void put(json_t *object, const char *name, uint64_t n)
{
	json_object_set_new(object, name, json_integer((json_int_t)n));
}

json_t *summary_drops(const struct summary *s, bool zeros)
{
	const struct {
		const char *name;
		uint64_t n;
	} others[] = {
		{"port_missed", s->port.missed},
		{"port_errors", s->port.errors},
		{"port_no_buffer", s->port.no_buffer},
		{"flow_ring_full", s->ring_full},
		{"flow_target_full", s->target_full},
		{"flow_no_target", s->no_target},
		{"flow_unfit", s->unfit},
		{"flow_unsent", s->unsent},
	};
	json_t *o = json_object();
	for (int v = PACKET_KEEP + 1; v < PACKET_N_VERDICTS; v++)
		if (zeros || s->verdicts[v])
			put(o, verdicts[v].name, s->verdicts[v]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (zeros || others[i].n)
			put(o, others[i].name, others[i].n);
	return o;
}

json_t *summary_names(const struct summary *s, bool zeros)
{
	json_t *o = json_object();
	for (size_t i = 0; i < names_n_infos; i++) {
		uint64_t n = *name_counter((struct names_counters *)&s->names, i);
		if (zeros || n)
			put(o, names_infos[i].name, n);
	}
	return o;
}

static json_t *fragments(const struct fragment_counters *f)
{
	json_t *o = json_object();
	put(o, "seen", f->seen);
	put(o, "resolved", f->resolved);
	put(o, "without_ports", f->without);
	put(o, "overlapping", f->overlapping);
	put(o, "datagrams_evicted", f->evicted);
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
	json_object_set_new(o, "dropped", summary_drops(s, false));
	json_object_set_new(o, "names", summary_names(s, false));
	if (s->evicted || s->emergencies) {
		json_t *full = json_object();
		put(full, "evicted", s->evicted);
		put(full, "ended_by_emergency_timeout", s->hurried);
		put(full, "emergencies", s->emergencies);
		json_object_set_new(o, "table_full", full);
	}
	if (s->fragments.seen)
		json_object_set_new(o, "fragments", fragments(&s->fragments));
	char *text = json_dumps(o, JSON_PRESERVE_ORDER);
	json_decref(o);
	return text;
}
