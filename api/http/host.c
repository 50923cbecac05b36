// SPDX-License-Identifier: Apache-2.0

// GET /api/v1/hosts/{ip}: what a host sent and received by the hour or day, with whom and on which
// ports, and the indicators it met.
// Thread: worker.

#include "api/query/host.h"

#include "api/http/native.h"
#include "api/query/group.h"
#include "api/query/time.h"
#include "collector/store/hit.h"
#include "collector/store/hit_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define DAY_NS (24 * NS_PER_HOUR)
#define BINS_MAX 8784 // hours of a year; days of more
#define TOP_DEFAULT 10
#define TOP_MAX 100
#define HITS_MAX 100

struct host {
	struct native native; // window, entity; JSON
	struct addr addr;
	struct host_sums sums;
	uint64_t top;
	struct walk_counts counts;
	struct native_out out;
};

static int take_step(struct call *c, struct host *h)
{
	static const char *const names[] = {"hour", "day", NULL};
	const struct window *w = &h->native.window;
	int step = w->to_ns - w->from_ns >= 7 * DAY_NS;
	if (native_choice(c, "step", names, &step) < 0)
		return -EINVAL;
	h->sums.bin_ns = step ? DAY_NS : NS_PER_HOUR;
	h->sums.from_ns = w->from_ns - w->from_ns % h->sums.bin_ns;
	uint64_t n = (w->to_ns - h->sums.from_ns) / h->sums.bin_ns + 1;
	if (n > BINS_MAX) {
		response_error(c->response, 400, "more than %d steps: ask for days", BINS_MAX);
		return -EINVAL;
	}
	h->sums.n_bins = (uint32_t)n;
	return 0;
}

static int parse(struct call *c, struct host *h)
{
	h->top = TOP_DEFAULT;
	if (addr_parse(c->path_value, &h->addr) < 0) {
		response_error(c->response, 400, "the path does not end in an address");
		return -EINVAL;
	}
	h->sums.host = &h->addr;
	if (native_parse(c, &h->native) < 0)
		return -EINVAL;
	h->native.format = NATIVE_JSON;
	if (take_step(c, h) < 0 || native_number(c, "top", 0, TOP_MAX, &h->top) < 0)
		return -EINVAL;
	h->sums.bins = calloc(h->sums.n_bins, sizeof(*h->sums.bins));
	if (!h->sums.bins)
		call_failed(c, -ENOMEM);
	return h->sums.bins ? 0 : -ENOMEM;
}

static void put_sums(FILE *out, const struct rollup_host *s)
{
	fprintf(out,
		"\"received\":{\"flows\":%" PRIu64 ",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64
		"},\"sent\":{\"flows\":%" PRIu64 ",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64
		"},\"denied\":%" PRIu64,
		s->in_flows,
		s->in_packets,
		s->in_bytes,
		s->out_flows,
		s->out_packets,
		s->out_bytes,
		s->denied);
}

static void put_steps(const struct host *h)
{
	struct rollup_host all = {};
	char at[TIME_TEXT_LEN];
	FILE *out = h->out.file;
	bool first = true;
	fputs("\"series\":[", out);
	for (uint32_t i = 0; i < h->sums.n_bins; i++) {
		const struct rollup_host *s = &h->sums.bins[i];
		if (!s->in_flows && !s->out_flows)
			continue;
		uint64_t start = h->sums.from_ns + i * h->sums.bin_ns;
		fprintf(out, "%s{\"start\":\"%s\",", first ? "" : ",", time_format(start, at));
		put_sums(out, s);
		putc('}', out);
		first = false;
		all.in_flows += s->in_flows;
		all.in_packets += s->in_packets;
		all.in_bytes += s->in_bytes;
		all.out_flows += s->out_flows;
		all.out_packets += s->out_packets;
		all.out_bytes += s->out_bytes;
		all.denied += s->denied;
	}
	fputs("],\"total\":{", out);
	put_sums(out, &all);
	putc('}', out);
}

// --- peers, ports, protocols --------------------------------------------------------------------

static void put_name(struct call *c, FILE *out, const struct addr *a)
{
	char name[1][CACHE_NAME_LEN] = {""};
	resolver_lookup(c->app->resolver, a, 1, 0, name); // what is known; others are asked for
	json_t *text = json_string(name[0]);
	char *quoted = text ? json_dumps(text, JSON_ENCODE_ANY) : NULL;
	fprintf(out, "\"name\":%s", quoted ? quoted : "\"\"");
	free(quoted);
	json_decref(text);
}

static void put_groups(
	struct call *c, struct host *h, struct groups *g, const struct cell_columns *by, bool peers
)
{
	size_t n, told = 0;
	const struct group_row *rows = groups_largest(g, GROUP_BYTES, h->top + peers, &n);
	for (size_t i = 0; i < n && told < h->top; i++) {
		struct cell first = groups_cell(g, &rows[i], 0);
		if (peers && addr_eq(&first.addr, &h->addr))
			continue; // the host itself is at the other end of each
		native_row_begin(&h->out, NATIVE_JSON, told++ == 0);
		for (size_t k = 0; k < by->n; k++) {
			struct cell v = groups_cell(g, &rows[i], k);
			native_cell(&h->out, NATIVE_JSON, &by->c[k], &v, k == 0);
		}
		if (peers) {
			putc(',', h->out.file);
			put_name(c, h->out.file, &first.addr);
		}
		for (int m = 0; m < GROUP_N_METRICS; m++)
			native_count(
				&h->out, NATIVE_JSON, group_metrics[m], rows[i].sums.v[m], false
			);
		native_row_end(&h->out, NATIVE_JSON);
	}
}

static int
put_top(struct call *c, struct host *h, const struct filter *f, const char *name, const char *fields
)
{
	struct cell_columns by;
	char bad[CELL_NAME_LEN];
	struct groups *g = NULL;
	struct run run = native_run(c, &h->native);
	int ret = cell_groups_parse(fields, GROUP_COLUMNS_MAX, &by, bad);
	if (ret == 0)
		ret = groups_create(&by, 0, (size_t)c->app->config->query_memory, &g);
	if (ret == 0 && h->native.entity >= 0)
		ret = groups_run(g, &run, f, &h->counts);
	fprintf(h->out.file, ",\"%s\":[", name);
	if (ret == 0)
		put_groups(c, h, g, &by, strcmp(fields, "ip") == 0);
	putc(']', h->out.file);
	groups_free(g);
	return ret;
}

static int put_tops(struct call *c, struct host *h)
{
	struct filter *f = host_filter(&h->addr);
	int ret = f ? 0 : -ENOMEM;
	if (ret == 0 && h->top)
		ret = put_top(c, h, f, "peers", "ip");
	if (ret == 0 && h->top)
		ret = put_top(c, h, f, "ports", "proto_name,dst_port");
	if (ret == 0 && h->top)
		ret = put_top(c, h, f, "protocols", "proto_name");
	filter_free(f);
	return ret;
}

// --- hits ---------------------------------------------------------------------------------------

struct hits_put {
	struct host *host;
	const struct query_stop *stop;
	unsigned n;
	uint32_t hour;
};

static int put_hit(void *ctx, const struct hit *hit)
{
	struct hits_put *x = ctx;
	const struct window *w = &x->host->native.window;
	int ret = hit->hour != x->hour ? query_stopped(x->stop) : 0;
	x->hour = hit->hour;
	if (ret < 0)
		return ret;
	if (hit->last_ns < w->from_ns || hit->first_ns > w->to_ns ||
	    (!addr_eq(&hit->inside, &x->host->addr) && !addr_eq(&hit->outside, &x->host->addr)))
		return 0;
	json_t *doc = hit_json(hit);
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	json_decref(doc);
	if (!text)
		return -ENOMEM;
	fprintf(x->host->out.file, "%s%s", x->n ? "," : "", text);
	free(text);
	return ++x->n == HITS_MAX;
}

static int put_hits(struct call *c, struct host *h)
{
	struct hits_put x = {.host = h, .stop = &c->request->stop};
	const struct window *w = &h->native.window;
	fputs(",\"hits\":[", h->out.file);
	int ret = 0;
	if (h->native.entity >= 0)
		ret = store_view_hits(
			c->view,
			(uint16_t)h->native.entity,
			store_hour_of(w->from_ns),
			store_hour_of(w->to_ns),
			put_hit,
			&x
		);
	putc(']', h->out.file);
	return ret < 0 ? ret : 0;
}

static void answer(struct call *c, struct host *h)
{
	char ip[ADDR_TEXT_LEN];
	struct run run = native_run(c, &h->native);
	int ret = h->native.entity >= 0 ? host_run(&h->sums, &run) : 0;
	if (ret < 0) {
		call_failed(c, ret);
		return;
	}
	if (native_open(c, &h->out) < 0)
		return;
	fprintf(h->out.file, "{\"ip\":\"%s\",", addr_format(&h->addr, ip));
	put_name(c, h->out.file, &h->addr);
	putc(',', h->out.file);
	put_steps(h);
	ret = put_tops(c, h);
	if (ret == 0)
		ret = put_hits(c, h);
	fputs(",\"meta\":", h->out.file);
	native_meta(&h->out, &h->native, &h->counts);
	fputs("}}\n", h->out.file);
	if (ret == 0) {
		native_close(c, &h->native, &h->out);
		return;
	}
	fclose(h->out.file);
	free(h->out.text);
	call_failed(c, ret);
}

void host_get(struct call *c)
{
	struct host h = {};
	if (parse(c, &h) == 0)
		answer(c, &h);
	free(h.sums.bins);
	native_fini(&h.native);
}
