// SPDX-License-Identifier: Apache-2.0
#include "sensor/report.h"

#include "lib/base/openmetrics.h"

#include <inttypes.h>
#include <string.h>

#define NAMES "weir_sensor_"
#define PER_SEC 1e9

// The sums that have no label.
#define SUM(member) offsetof(struct report, sum.member)

static const struct {
	const char *name, *help;
	size_t offset;
	const char *type;
} terms[] = {
	{"packets", "Packets on the wire: received, or lost by a port.", SUM(packets), "counter"},
	{"flow_packets", "Packets in flows.", SUM(flow_packets), "counter"},
	{"flow_bytes", "IP bytes of packets in flows.", SUM(bytes), "counter"},
	{"flows", "Flow records made.", SUM(flows), "counter"},
	{"active_flows", "Flows at hand.", SUM(n_flows), "gauge"},
	{"exported_flows", "Flow records sent.", SUM(exported), "counter"},
	{"in_flight_flows", "Flow records on their way to be sent.", SUM(in_flight), "gauge"},
	{"evicted_flows",
	 "Flows that ended early to make room (flowEndReason 5).",
	 SUM(evicted),
	 "counter"},
	{"hurried_flows",
	 "Unanswered flows that ended by the emergency timeout.",
	 SUM(hurried),
	 "counter"},
	{"fragments", "Packets that are fragments.", SUM(fragments.seen), "counter"},
	{"fragments_without_ports",
	 "Of them: without ports, as the first one had not been seen.",
	 SUM(fragments.without),
	 "counter"},
	{"fragments_overlapping",
	 "Of them: with bytes that another one had.",
	 SUM(fragments.overlapping),
	 "counter"},
	{"hits", "Flows that an indicator matched.", SUM(hits), "counter"},
};

// Of each collector.
#define OF(member) offsetof(struct exporter_counters, member)

static const struct {
	const char *name, *help;
	size_t offset;
} target_terms[] = {
	{"flows", "Flow records sent to the collector.", OF(exported)},
	{"unsent_flows", "Lost: it was away, or sending failed.", OF(unsent)},
	{"unfit_flows", "Left out: the format cannot tell of them.", OF(unfit)},
	{"hits", "Hits sent at once, before their flow's record.", OF(hits_told)},
	{"messages", "Messages sent, with templates.", OF(messages)},
	{"bytes", "Bytes of these messages.", OF(bytes)},
};
#define N_TARGET_TERMS (sizeof(target_terms) / sizeof(target_terms[0]))

static const char *target_name(const struct report *r, unsigned i)
{
	return i < r->to->n ? r->to->items[i] : "";
}

static uint64_t target_term(const struct report *r, unsigned target, size_t i)
{
	const char *of = (const char *)&r->targets.of[target];
	return *(const uint64_t *)(const void *)(of + target_terms[i].offset);
}

static uint64_t term(const struct report *r, size_t i)
{
	return *(const uint64_t *)(const void *)((const char *)r + terms[i].offset);
}

double report_imbalance(const struct report *r, unsigned port)
{
	uint64_t sum = 0, max = 0;
	unsigned n = 0;
	for (unsigned i = 0; i < r->n_workers; i++) {
		uint64_t packets = r->workers[i].sums.worker.received;
		if (r->workers[i].port != &r->ports[port])
			continue;
		n++;
		sum += packets;
		max = packets > max ? packets : max;
	}
	return sum ? (double)max * n / (double)sum : 0;
}

static json_t *worker_json(const struct report_worker *w)
{
	const struct worker_sums *s = &w->sums;
	return json_pack(
		"{s:s,s:i,s:b,s:I,s:I,s:I,s:I}",
		"port",
		w->port->name,
		"queue",
		(int)w->queue,
		"silent",
		(int)w->is_silent,
		"packets",
		(json_int_t)s->worker.received,
		"active_flows",
		(json_int_t)s->n_flows,
		"busy_cycles",
		(json_int_t)s->worker.busy_cycles,
		"idle_cycles",
		(json_int_t)s->worker.idle_cycles
	);
}

static json_t *target_json(const struct report *r, unsigned i)
{
	json_t *o = json_object();
	json_object_set_new(o, "target", json_string(target_name(r, i)));
	for (size_t k = 0; k < N_TARGET_TERMS; k++)
		json_object_set_new(
			o, target_terms[k].name, json_integer((json_int_t)target_term(r, i, k))
		);
	json_object_set_new(o, "ring_full_flows", json_integer((json_int_t)r->targets.full[i]));
	return o;
}

static json_t *port_json(const struct report *r, unsigned i)
{
	const struct port_traffic *t = &r->traffic[i];
	return json_pack(
		"{s:s,s:I,s:I,s:I,s:I,s:I,s:f}",
		"port",
		r->ports[i].name,
		"packets",
		(json_int_t)t->packets,
		"bytes",
		(json_int_t)t->bytes,
		"imissed",
		(json_int_t)t->drops.missed,
		"ierrors",
		(json_int_t)t->drops.errors,
		"rx_nombuf",
		(json_int_t)t->drops.no_buffer,
		"imbalance",
		report_imbalance(r, i)
	);
}

json_t *report_ledger(const struct report *r)
{
	json_t *counters = json_object(), *workers = json_array(), *ports = json_array();
	json_t *targets = json_array();
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
		json_object_set_new(counters, terms[i].name, json_integer((json_int_t)term(r, i)));
	for (unsigned i = 0; i < r->n_workers; i++)
		json_array_append_new(workers, worker_json(&r->workers[i]));
	for (unsigned i = 0; i < r->n_ports; i++)
		json_array_append_new(ports, port_json(r, i));
	for (unsigned i = 0; i < r->targets.n && i < r->to->n; i++)
		json_array_append_new(targets, target_json(r, i));
	return json_pack(
		"{s:s,s:o,s:I,s:o,s:o,s:o,s:I,s:o,s:o}",
		"program",
		"weir-sensor",
		"targets",
		targets,
		"uptime_sec",
		(json_int_t)(r->up_ns / NS_PER_SEC),
		"counters",
		counters,
		"drops",
		summary_drops(&r->sum, true),
		"names",
		summary_names(&r->sum, true),
		"residue",
		(json_int_t)summary_residue(&r->sum),
		"workers",
		workers,
		"ports",
		ports
	);
}

static void print_object(FILE *out, const char *name, const char *label, json_t *object)
{
	const char *key;
	json_t *value;
	json_object_foreach(object, key, value)
		fprintf(out,
			NAMES "%s_total{%s=\"%s\"} %" JSON_INTEGER_FORMAT "\n",
			name,
			label,
			key,
			json_integer_value(value));
	json_decref(object);
}

static void print_sums(const struct report *r, FILE *out, bool open)
{
	char name[64];
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		snprintf(name, sizeof(name), NAMES "%s", terms[i].name);
		openmetrics_head(out, open, name, terms[i].type, terms[i].help);
		fprintf(out,
			"%s%s %" PRIu64 "\n",
			name,
			strcmp(terms[i].type, "counter") == 0 ? "_total" : "",
			term(r, i));
	}
	openmetrics_head(
		out, open, NAMES "drops", "counter", "Packets and flows dropped, by reason."
	);
	print_object(out, "drops", "reason", summary_drops(&r->sum, true));
	openmetrics_head(out, open, NAMES "names", "counter", "Of names in payloads.");
	print_object(out, "names", "name", summary_names(&r->sum, true));
	openmetrics_head(
		out,
		open,
		NAMES "residue",
		"gauge",
		"What the ledger does not account for; a fault unless 0."
	);
	fprintf(out, NAMES "residue %" PRId64 "\n", summary_residue(&r->sum));
}

static void print_workers(const struct report *r, FILE *out, bool open)
{
	openmetrics_head(out, open, NAMES "queue_packets", "counter", "Received, by queue.");
	for (unsigned i = 0; i < r->n_workers; i++)
		fprintf(out,
			NAMES "queue_packets_total{port=\"%s\",queue=\"%u\"} %" PRIu64 "\n",
			r->workers[i].port->name,
			r->workers[i].queue,
			r->workers[i].sums.worker.received);
	openmetrics_head(
		out,
		open,
		NAMES "worker_seconds",
		"counter",
		"Time of a queue's worker, in turns with packets and without."
	);
	for (unsigned i = 0; i < 2 * r->n_workers; i++) {
		const struct report_worker *w = &r->workers[i / 2];
		uint64_t cycles = i % 2 ? w->sums.worker.idle_cycles : w->sums.worker.busy_cycles;
		fprintf(out,
			NAMES "worker_seconds_total{port=\"%s\",queue=\"%u\",state=\"%s\"} %.6f\n",
			w->port->name,
			w->queue,
			i % 2 ? "idle" : "busy",
			(double)cycles / (double)r->cycles_per_sec);
	}
	openmetrics_head(out, open, NAMES "worker_up", "gauge", "Whether the worker answers.");
	for (unsigned i = 0; i < r->n_workers; i++)
		fprintf(out,
			NAMES "worker_up{port=\"%s\",queue=\"%u\"} %d\n",
			r->workers[i].port->name,
			r->workers[i].queue,
			!r->workers[i].is_silent);
}

// The name as a label's value: what would end it is replaced.
static void print_target(FILE *out, const char *name, const char *target, uint64_t n)
{
	fprintf(out, NAMES "target_%s_total{target=\"", name);
	for (; *target; target++)
		putc(strchr("\"\\\n", *target) ? '_' : *target, out);
	fprintf(out, "\"} %" PRIu64 "\n", n);
}

static void print_targets(const struct report *r, FILE *out, bool open)
{
	char name[64];
	for (size_t k = 0; k < N_TARGET_TERMS; k++) {
		snprintf(name, sizeof(name), NAMES "target_%s", target_terms[k].name);
		openmetrics_head(out, open, name, "counter", target_terms[k].help);
		for (unsigned i = 0; i < r->targets.n && i < r->to->n; i++)
			print_target(
				out, target_terms[k].name, target_name(r, i), target_term(r, i, k)
			);
	}
	openmetrics_head(
		out,
		open,
		NAMES "target_ring_full_flows",
		"counter",
		"Lost: too many waited for the collector."
	);
	for (unsigned i = 0; i < r->targets.n && i < r->to->n; i++)
		print_target(out, "ring_full_flows", target_name(r, i), r->targets.full[i]);
}

static void print_ports(const struct report *r, FILE *out, bool open)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} of[] = {
		{NAMES "port_packets",
		 "Received by the port.",
		 offsetof(struct port_traffic, packets)},
		{NAMES "port_bytes", "Bytes of them.", offsetof(struct port_traffic, bytes)},
		{NAMES "port_imissed",
		 "Lost: no descriptor free.",
		 offsetof(struct port_traffic, drops.missed)},
		{NAMES "port_ierrors",
		 "Lost: damaged.",
		 offsetof(struct port_traffic, drops.errors)},
		{NAMES "port_rx_nombuf",
		 "Lost: no packet buffer free.",
		 offsetof(struct port_traffic, drops.no_buffer)},
	};
	for (size_t k = 0; k < sizeof(of) / sizeof(of[0]); k++) {
		openmetrics_head(out, open, of[k].name, "counter", of[k].help);
		for (unsigned i = 0; i < r->n_ports; i++) {
			const char *t = (const char *)&r->traffic[i];
			fprintf(out,
				"%s_total{port=\"%s\"} %" PRIu64 "\n",
				of[k].name,
				r->ports[i].name,
				*(const uint64_t *)(const void *)(t + of[k].offset));
		}
	}
	openmetrics_head(
		out,
		open,
		NAMES "queue_imbalance_ratio",
		"gauge",
		"The busiest queue's packets over the mean of the port's queues."
	);
	for (unsigned i = 0; i < r->n_ports; i++)
		fprintf(out,
			NAMES "queue_imbalance_ratio{port=\"%s\"} %.3f\n",
			r->ports[i].name,
			report_imbalance(r, i));
}

void report_metrics(const struct report *r, FILE *out, bool open)
{
	print_sums(r, out, open);
	print_targets(r, out, open);
	print_workers(r, out, open);
	print_ports(r, out, open);
	openmetrics_head(out, open, NAMES "uptime_seconds", "gauge", "Since the start.");
	fprintf(out, NAMES "uptime_seconds %.3f\n", (double)r->up_ns / PER_SEC);
	openmetrics_head(out, open, NAMES "build_info", "gauge", "The program's version.");
	fprintf(out, NAMES "build_info{version=\"%s\"} 1\n", WEIR_VERSION);
}
