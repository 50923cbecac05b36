// SPDX-License-Identifier: Apache-2.0

// GET /mbox/api/netflow/kpi: totals, top talkers, ports, protocols and an hourly series of a
// window.
// Thread: worker.

#include "api/http/native.h"
#include "api/query/services.h"
#include "api/query/sums.h"
#include "api/query/time.h"

#include <math.h>
#include <stdlib.h>

#define TOP_N 10
#define HOURS_MAX (24 * 366 * 10) // ten years

static json_t *number(uint64_t v)
{
	return json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v);
}

static json_t *rounded(double v, double places)
{
	return json_real(round(v * places) / places);
}

static json_t *totals_json(const struct rollup *r, const struct window *w)
{
	struct rollup_totals t = rollup_totals(r);
	char volume[16];
	return json_pack(
		"{s:s,s:o,s:o,s:o,s:o}",
		"total_traffic",
		record_format_volume(t.bytes, volume),
		"total_bytes",
		number(t.bytes),
		"active_flows",
		number(t.flows),
		"avg_throughput_mbps",
		rounded((double)t.bytes * 8 / (double)window_sec(w) / 1e6, 1e3),
		"denied_flows",
		number(t.denied)
	);
}

static json_t *hosts_json(const struct rollup *r, enum rollup_order by)
{
	struct rollup_host hosts[TOP_N];
	char text[ADDR_TEXT_LEN];
	bool out = by == ROLLUP_BY_OUT_BYTES;
	size_t n = rollup_hosts(r, by, hosts, TOP_N);
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list,
			json_pack(
				"{s:s,s:o,s:o,s:o}",
				"ip",
				addr_format(&hosts[i].addr, text),
				"bytes",
				number(out ? hosts[i].out_bytes : hosts[i].in_bytes),
				"packets",
				number(out ? hosts[i].out_packets : hosts[i].in_packets),
				"flows",
				number(out ? hosts[i].out_flows : hosts[i].in_flows)
			)
		);
	return list;
}

// A port of several protocols is one line, as the seed's clients expect.
static void merge_ports(struct rollup_port *ports, size_t *n)
{
	uint32_t *slot = calloc(65536, sizeof(*slot)); // 1 + place among the merged
	size_t kept = 0;
	for (size_t i = 0; slot && i < *n; i++) {
		uint32_t *s = &slot[ports[i].port];
		if (*s == 0) {
			ports[kept++] = ports[i];
			*s = (uint32_t)kept;
		} else {
			ports[*s - 1].flows += ports[i].flows;
			ports[*s - 1].bytes += ports[i].bytes;
		}
	}
	*n = kept;
	free(slot);
}

static int more_flows(const void *va, const void *vb)
{
	const struct rollup_port *a = va, *b = vb;
	if (a->flows != b->flows)
		return a->flows > b->flows ? -1 : 1;
	return (int)a->port - (int)b->port;
}

static json_t *ports_json(const struct rollup *r)
{
	size_t n = rollup_ports(r, ROLLUP_BY_FLOWS, NULL, 0);
	struct rollup_port *ports = calloc(n ? n : 1, sizeof(*ports));
	json_t *list = json_array();
	if (ports) {
		n = rollup_ports(r, ROLLUP_BY_FLOWS, ports, n);
		merge_ports(ports, &n);
		qsort(ports, n, sizeof(*ports), more_flows);
	}
	for (size_t i = 0; ports && i < n && i < TOP_N; i++)
		json_array_append_new(
			list,
			json_pack(
				"{s:i,s:s,s:o,s:o}",
				"port",
				(int)ports[i].port,
				"label",
				services_find(ports[i].port),
				"flows",
				number(ports[i].flows),
				"bytes",
				number(ports[i].bytes)
			)
		);
	free(ports);
	return list;
}

static json_t *protos_json(const struct rollup *r)
{
	struct rollup_totals t = rollup_totals(r);
	struct rollup_proto protos[256];
	char name[16];
	size_t n = rollup_protos(r, ROLLUP_BY_BYTES, protos, 256);
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++) {
		// exporters that count no bytes still have a share: that of the flows
		double part = t.bytes ? (double)protos[i].bytes : (double)protos[i].flows;
		double all = t.bytes ? (double)t.bytes : (double)t.flows;
		json_array_append_new(
			list,
			json_pack(
				"{s:s,s:i,s:o,s:o,s:o}",
				"proto",
				record_format_proto(protos[i].proto, name),
				"proto_num",
				(int)protos[i].proto,
				"bytes",
				number(protos[i].bytes),
				"flows",
				number(protos[i].flows),
				"pct",
				rounded(all > 0 ? 100 * part / all : 0, 1e2)
			)
		);
	}
	return list;
}

static json_t *series_json(const struct rollup *r, const struct window *w)
{
	uint32_t n = window_hours(w), first = store_hour_of(w->from_ns), k = 0;
	size_t held = rollup_hours(r, NULL, 0);
	struct rollup_hour *hours = calloc(held ? held : 1, sizeof(*hours));
	json_t *list = json_array();
	char text[32];

	if (!hours) {
		json_decref(list);
		return NULL;
	}
	held = rollup_hours(r, hours, held);
	for (uint32_t i = 0; i < n; i++) {
		struct rollup_hour h = {.hour = first + i};
		while (k < held && hours[k].hour < h.hour)
			k++;
		if (k < held && hours[k].hour == h.hour)
			h = hours[k];
		json_array_append_new(
			list,
			json_pack(
				"{s:s,s:o,s:o}",
				"timestamp",
				clock_format(
					store_hour_start(h.hour),
					"%Y-%m-%dT%H:%M:%SZ",
					text,
					sizeof(text)
				),
				"bytes",
				number(h.bytes),
				"flows",
				number(h.flows)
			)
		);
	}
	free(hours);
	return list;
}

static void answer(struct call *c, const struct rollup *r, const struct window *w, bool scanned)
{
	response_ok(
		c->response,
		json_pack(
			"{s:{s:s,s:s,s:s},s:o,s:o,s:o,s:o,s:o,s:o}",
			"meta",
			"start",
			w->start,
			"end",
			w->end,
			"source",
			scanned ? "fallback" : "hourly_cache",
			"kpi",
			totals_json(r, w),
			"top_src",
			hosts_json(r, ROLLUP_BY_OUT_BYTES),
			"top_dst_ip",
			hosts_json(r, ROLLUP_BY_IN_BYTES),
			"top_dst",
			ports_json(r),
			"protocols",
			protos_json(r),
			"timeseries",
			series_json(r, w)
		)
	);
}

void kpi_get(struct call *c)
{
	struct window w;
	char fault[QUERY_ERROR_LEN];
	bool scanned = false;
	struct rollup *r = NULL;

	if (window_parse(&c->query, &w, fault) < 0) {
		response_error(c->response, 400, "%s", fault);
		return;
	}
	if (window_hours(&w) > HOURS_MAX) {
		response_error(
			c->response, 400, "the window from 'start' to 'end' is above ten years"
		);
		return;
	}
	int entity = call_entity(c);
	if (entity == -EPERM)
		return;
	int ret = rollup_create(&r);
	if (ret == 0 && entity >= 0) {
		struct run run = {c->view, (uint16_t)entity, &w, &c->request->stop};
		ret = run_sums(&run, r, &scanned);
	}
	if (ret < 0)
		call_failed(c, ret);
	else
		answer(c, r, &w, scanned);
	rollup_free(r);
}

// GET /api/v1/kpi: the same in the form of the native routes, of any window and filter.
static void
answer_native(struct call *c, const struct rollup *r, const struct native *n, bool scanned)
{
	struct rollup_totals t = rollup_totals(r);
	char start[TIME_TEXT_LEN], end[TIME_TEXT_LEN];
	double sec = (double)(n->window.to_ns - n->window.from_ns + 1) / (double)NS_PER_SEC;
	json_t *kpi = json_pack(
		"{s:o,s:o,s:o,s:o,s:o,s:o}",
		"bytes",
		number(t.bytes),
		"packets",
		number(t.packets),
		"flows",
		number(t.flows),
		"denied",
		number(t.denied),
		"mbps",
		rounded((double)t.bytes * 8 / sec / 1e6, 1e3),
		"hosts",
		number(rollup_n_hosts(r))
	);
	response_json(
		c->response,
		200,
		json_pack(
			"{s:o,s:o,s:o,s:o,s:o,s:o,s:{s:s,s:s,s:s}}",
			"kpi",
			kpi,
			"top_senders",
			hosts_json(r, ROLLUP_BY_OUT_BYTES),
			"top_receivers",
			hosts_json(r, ROLLUP_BY_IN_BYTES),
			"top_ports",
			ports_json(r),
			"protocols",
			protos_json(r),
			"hours",
			series_json(r, &n->window),
			"meta",
			"start",
			time_format(n->window.from_ns, start),
			"end",
			time_format(n->window.to_ns + 1, end),
			"source",
			scanned ? "scan" : "tables"
		)
	);
}

void kpi_native_get(struct call *c)
{
	struct native n;
	struct rollup *r = NULL;
	struct walk_counts counts;
	bool scanned = false;
	if (native_parse(c, &n) < 0)
		return;
	if (window_hours(&n.window) > HOURS_MAX) {
		response_error(c->response, 400, "the window is above ten years");
		native_fini(&n);
		return;
	}
	struct run run = native_run(c, &n);
	int ret = rollup_create(&r);
	if (ret == 0 && n.entity >= 0) {
		scanned = !filter_is_any(n.filter);
		ret = scanned ? sums_run(&run, n.filter, r, &counts) : run_sums(&run, r, &scanned);
	}
	if (ret < 0)
		call_failed(c, ret);
	else
		answer_native(c, r, &n, scanned);
	rollup_free(r);
	native_fini(&n);
}
