// SPDX-License-Identifier: Apache-2.0

// GET /of/?module=gettraff and ?module=graph, as OphanimFlow answers them: a month's traffic of
// each host, numbers as text; and charts. Times without a zone are UTC. Thread: worker.

#include "api/http/of.h"

#include "api/http/chart.h"
#include "api/http/native.h"
#include "api/query/host.h"
#include "api/query/traffic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define DAY_NS (24 * NS_PER_HOUR)
#define BIN_NS (300 * NS_PER_SEC)
#define BINS_MAX 2000
#define W_DEFAULT 1540
#define H_DEFAULT 400
#define TITLE_LEN 128

struct of {
	struct of_net *nets;
	struct prefix *prefixes; // the same, for traffic_run
	size_t n_nets;
	struct prefix *open;
	size_t n_open;
};

// "10.0.0.0/8 some words": the words, or NULL when it is no network.
static const char *parse_net(const char *text, struct prefix *ret)
{
	char prefix[ADDR_TEXT_LEN + 4];
	size_t n = strcspn(text, " \t");
	if (n >= sizeof(prefix))
		return NULL;
	memcpy(prefix, text, n);
	prefix[n] = '\0';
	if (prefix_parse(prefix, ret) < 0)
		return NULL;
	return text + n + strspn(text + n, " \t");
}

int of_create(const struct api_config *config, struct of **ret_of, const char **ret_bad)
{
	const struct config_list *nets = &config->of_networks, *open = &config->of_open;
	struct of *of = calloc(1, sizeof(*of));
	if (!of)
		return -ENOMEM;
	of->nets = calloc(nets->n + 1, sizeof(*of->nets));
	of->prefixes = calloc(nets->n + 1, sizeof(*of->prefixes));
	of->open = calloc(open->n + 1, sizeof(*of->open));
	int ret = of->nets && of->prefixes && of->open ? 0 : -ENOMEM;
	for (size_t i = 0; ret == 0 && i < nets->n; i++) {
		struct of_net *net = &of->nets[of->n_nets];
		net->text = parse_net(nets->items[i], &net->prefix);
		*ret_bad = nets->items[i];
		ret = net->text ? 0 : -EINVAL;
		of->prefixes[of->n_nets++] = net->prefix;
	}
	for (size_t i = 0; ret == 0 && i < open->n; i++) {
		*ret_bad = open->items[i];
		ret = prefix_parse(open->items[i], &of->open[of->n_open++]);
	}
	if (ret < 0) {
		of_free(of);
		return ret;
	}
	*ret_of = of;
	return 0;
}

void of_free(struct of *of)
{
	if (!of)
		return;
	free(of->nets);
	free(of->prefixes);
	free(of->open);
	free(of);
}

bool of_is_open(const struct of *of, const struct addr *a)
{
	for (size_t i = 0; i < of->n_open; i++)
		if (prefix_contains(&of->open[i], a))
			return true;
	return false;
}

static bool is_ours(const struct of *of, const struct addr *a)
{
	for (size_t i = 0; i < of->n_nets; i++)
		if (prefix_contains(&of->prefixes[i], a))
			return true;
	return of->n_nets == 0;
}

static int refuse(struct call *c, const char *what)
{
	response_error(c->response, 400, "%s", what);
	return -EINVAL;
}

// "ip": absent or empty 0, given 1; -EINVAL with the response set.
static int take_ip(struct call *c, struct addr *ret)
{
	const char *text = query_find(&c->query, "ip");
	if (!text || !*text)
		return 0;
	return addr_parse(text, ret) < 0 ? refuse(c, "parameter 'ip': expected an address") : 1;
}

// --- gettraff -----------------------------------------------------------------------------------

static uint64_t month_start(unsigned year, unsigned month)
{
	struct tm tm = {
		.tm_year = (int)year - 1900 + (int)((month - 1) / 12),
		.tm_mon = (int)((month - 1) % 12),
		.tm_mday = 1,
	};
	return (uint64_t)timegm(&tm) * NS_PER_SEC;
}

// A number that may have zeros in front and may be absent.
static int take_number(struct call *c, const char *name, unsigned lo, unsigned hi, unsigned *v)
{
	const char *text = query_find(&c->query, name);
	uint64_t n = *v;
	if (text && *text) {
		while (text[0] == '0' && text[1])
			text++;
		char *end;
		n = strlen(text) <= 6 && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
		if (n && *end)
			n = 0;
		if (n < lo || n > hi) {
			response_error(
				c->response,
				400,
				"parameter '%s': expected a number from %u to %u",
				name,
				lo,
				hi
			);
			return -EINVAL;
		}
	}
	*v = (unsigned)n;
	return 0;
}

static int take_month(struct call *c, struct window *ret)
{
	time_t now = (time_t)(clock_now_ns() / NS_PER_SEC);
	struct tm tm;
	gmtime_r(&now, &tm);
	unsigned year = (unsigned)tm.tm_year + 1900, month = (unsigned)tm.tm_mon + 1;
	if (take_number(c, "year", 1970, 2499, &year) < 0 ||
	    take_number(c, "month", 1, 12, &month) < 0)
		return -EINVAL;
	*ret = (struct window
	){.from_ns = month_start(year, month), .to_ns = month_start(year, month + 1) - 1};
	return 0;
}

static void put_host(FILE *out, bool *first, const struct addr *a, uint64_t received, uint64_t sent)
{
	char text[ADDR_TEXT_LEN];
	fprintf(out,
		"%s\"%s\":{\"dl\":\"%" PRIu64 "\",\"ul\":\"%" PRIu64 "\"}",
		*first ? "{" : ",",
		addr_format(a, text),
		received,
		sent);
	*first = false;
}

static int put_all(struct call *c, const struct run *run, FILE *out, bool *first)
{
	struct rollup *r = NULL;
	bool scanned;
	int ret = rollup_create(&r);
	if (ret == 0)
		ret = run_sums(run, r, &scanned);
	size_t n = ret == 0 ? rollup_n_hosts(r) : 0;
	struct rollup_host *hosts = ret == 0 ? calloc(n ? n : 1, sizeof(*hosts)) : NULL;
	if (ret == 0 && !hosts)
		ret = -ENOMEM;
	if (ret == 0)
		n = rollup_hosts(r, ROLLUP_BY_KEY, hosts, n);
	for (size_t i = 0; ret == 0 && i < n; i++)
		if (is_ours(c->app->of, &hosts[i].addr))
			put_host(out, first, &hosts[i].addr, hosts[i].in_bytes, hosts[i].out_bytes);
	free(hosts);
	rollup_free(r);
	return ret;
}

static int put_one(const struct run *run, const struct addr *a, FILE *out, bool *first)
{
	struct rollup_host sums = {};
	uint64_t from = run->window->from_ns - run->window->from_ns % NS_PER_HOUR;
	struct host_sums s = {a, from, run->window->to_ns - from + 1, 1, &sums};
	int ret = host_run(&s, run);
	if (ret == 0 && (sums.in_bytes || sums.out_bytes))
		put_host(out, first, a, sums.in_bytes, sums.out_bytes);
	return ret;
}

static void gettraff(struct call *c, int entity)
{
	struct native_out o;
	struct native n = {.format = NATIVE_JSON, .entity = entity};
	struct addr a;
	bool first = true;
	int given = take_ip(c, &a), ret = 0;
	if (given < 0 || take_month(c, &n.window) < 0 || native_open(c, &o) < 0)
		return;
	struct run run = native_run(c, &n);
	if (entity >= 0)
		ret = given ? put_one(&run, &a, o.file, &first) : put_all(c, &run, o.file, &first);
	fputs(first ? "[]" : "}", o.file); // as PHP writes an array of nothing
	if (ret == 0) {
		native_close(c, &n, &o);
		return;
	}
	fclose(o.file);
	free(o.text);
	call_failed(c, ret);
}

// --- graph --------------------------------------------------------------------------------------

struct graph {
	struct chart chart;
	struct traffic traffic;
	struct window window;
	struct addr ip;
	char title[TITLE_LEN];
};

static uint64_t months_before(uint64_t ns, int months)
{
	time_t sec = (time_t)(ns / NS_PER_SEC);
	struct tm tm;
	gmtime_r(&sec, &tm);
	tm.tm_mon -= months;
	return (uint64_t)timegm(&tm) * NS_PER_SEC;
}

static int take_epoch(struct call *c, const char *name, uint64_t *ret_ns)
{
	const char *text = query_find(&c->query, name);
	uint32_t sec = text ? clock_parse_sec(text, strlen(text)) : 0;
	if (!sec)
		return refuse(c, "parameters 'from' and 'to': expected seconds since 1970");
	*ret_ns = sec * NS_PER_SEC;
	return 0;
}

static int take_period(struct call *c, struct window *w)
{
	static const char *const names[] = {
		"day", "hour", "24h", "48h", "week", "month", "year", "explict", "explicit", NULL};
	uint64_t now = clock_now_ns();
	int period = 0;
	const char *text = query_find(&c->query, "period");
	if (text && *text && native_choice(c, "period", names, &period) < 0)
		return -EINVAL;
	const uint64_t starts[] = {
		now - now % DAY_NS,
		now - NS_PER_HOUR,
		now - DAY_NS,
		now - 2 * DAY_NS,
		now - 7 * DAY_NS,
		months_before(now, 1),
		months_before(now, 12),
	};
	*w = (struct window){.to_ns = now};
	if (period < (int)(sizeof(starts) / sizeof(starts[0]))) {
		w->from_ns = starts[period];
	} else if (take_epoch(c, "from", &w->from_ns) < 0 || take_epoch(c, "to", &w->to_ns) < 0) {
		return -EINVAL;
	} else if (w->from_ns >= w->to_ns) {
		return refuse(c, "parameter 'from' is not before 'to'");
	}
	w->from_ns -= w->from_ns % BIN_NS;
	return 0;
}

static int take_size(struct call *c, struct chart *chart)
{
	chart->w = W_DEFAULT;
	chart->h = H_DEFAULT;
	if (take_number(c, "w", CHART_W_MIN, CHART_W_MAX, &chart->w) < 0)
		return -EINVAL;
	return take_number(c, "h", CHART_H_MIN, CHART_H_MAX, &chart->h);
}

// "10.0.0.5 Download (Office LAN)"
static void make_title(const struct of *of, struct graph *g)
{
	char ip[ADDR_TEXT_LEN];
	int n = snprintf(
		g->title,
		TITLE_LEN,
		"%s %s",
		addr_format(&g->ip, ip),
		g->traffic.sent ? "Upload" : "Download"
	);
	for (size_t i = 0; i < of->n_nets; i++) {
		if (!prefix_contains(&of->prefixes[i], &g->ip) || !*of->nets[i].text)
			continue;
		snprintf(g->title + n, TITLE_LEN - (size_t)n, " (%.60s)", of->nets[i].text);
		return;
	}
}

// What is drawn, from the address, the window and the direction.
static void set_bins(const struct call *c, struct graph *g)
{
	static const uint8_t zero[4];
	const struct addr all = addr_of_v4(zero);
	if (addr_eq(&g->ip, &all)) {
		g->traffic.nets = c->app->of->prefixes;
		g->traffic.n_nets = c->app->of->n_nets;
	} else {
		g->traffic.host = &g->ip;
	}
	uint64_t bins = (g->window.to_ns - g->window.from_ns) / BIN_NS + 1;
	uint64_t each = (bins + BINS_MAX - 1) / BINS_MAX;
	g->traffic.from_ns = g->window.from_ns;
	g->traffic.bin_ns = each * BIN_NS;
	g->traffic.n_bins = (uint32_t)((bins + each - 1) / each);
	make_title(c->app->of, g);
}

static int parse_graph(struct call *c, struct graph *g)
{
	const char *dir = query_find(&c->query, "dir");
	int given = take_ip(c, &g->ip);
	if (given == 0)
		return refuse(c, "parameter 'ip' is required");
	if (given < 0 || take_period(c, &g->window) < 0 || take_size(c, &g->chart) < 0)
		return -EINVAL;
	g->traffic.sent = dir && strcmp(dir, "S") == 0;
	set_bins(c, g);
	return 0;
}

// What the chart is drawn from: a line for each bin that has something.
static void dump(struct call *c, const struct graph *g)
{
	struct native_out o;
	struct native n = {.format = NATIVE_CSV};
	if (native_open(c, &o) < 0)
		return;
	fputs("time", o.file);
	for (int k = 0; k < TRAFFIC_N; k++)
		fprintf(o.file, ",%s", traffic_names[k]);
	fputs("\r\n", o.file);
	for (uint32_t i = 0; i < g->traffic.n_bins; i++) {
		const struct traffic_bin *b = &g->traffic.bins[i];
		if (!b->bytes[TRAFFIC_TOTAL])
			continue;
		uint64_t at = (g->traffic.from_ns + i * g->traffic.bin_ns) / NS_PER_SEC;
		fprintf(o.file, "%" PRIu64, at);
		for (int k = 0; k < TRAFFIC_N; k++)
			fprintf(o.file, ",%" PRIu64, b->bytes[k]);
		fputs("\r\n", o.file);
	}
	native_close(c, &n, &o);
}

static void draw(struct call *c, struct graph *g)
{
	char *png;
	size_t len;
	g->chart.title = g->title;
	g->chart.from_ns = g->traffic.from_ns;
	g->chart.bin_ns = g->traffic.bin_ns;
	g->chart.n_bins = g->traffic.n_bins;
	g->chart.bins = g->traffic.bins;
	if (chart_draw(&g->chart, &png, &len) < 0)
		call_failed(c, -ENOMEM);
	else
		response_body(c->response, "image/png", png, len);
}

static void run_graph(struct call *c, struct graph *g, int entity, bool as_numbers)
{
	struct run run = {c->view, (uint16_t)entity, &g->window, &c->request->stop};
	g->traffic.bins = calloc(g->traffic.n_bins, sizeof(*g->traffic.bins));
	int ret = g->traffic.bins ? 0 : -ENOMEM;
	if (ret == 0 && entity >= 0)
		ret = traffic_run(&g->traffic, &run);
	if (ret < 0)
		call_failed(c, ret);
	else if (as_numbers)
		dump(c, g);
	else
		draw(c, g);
	free(g->traffic.bins);
}

static void graph(struct call *c, int entity)
{
	struct graph g = {};
	if (parse_graph(c, &g) == 0)
		run_graph(c, &g, entity, query_find(&c->query, "dumpdata"));
}

// GET /api/v1/graph.png: the same by the words of the native routes.
void graph_get(struct call *c)
{
	static const char *const dirs[] = {"received", "sent", NULL};
	static const char *const formats[] = {"png", "csv", NULL};
	static const uint8_t zero[4];
	struct graph g = {.ip = addr_of_v4(zero)};
	char fault[QUERY_ERROR_LEN];
	int dir = 0, format = 0, entity = call_entity(c);
	if (entity == -EPERM)
		return;
	if (window_parse_native(&c->query, clock_now_ns(), &g.window, fault) < 0) {
		response_error(c->response, 400, "%s", fault);
		return;
	}
	if (take_ip(c, &g.ip) < 0 || native_choice(c, "dir", dirs, &dir) < 0 ||
	    native_choice(c, "format", formats, &format) < 0 || take_size(c, &g.chart) < 0)
		return;
	g.window.from_ns -= g.window.from_ns % BIN_NS;
	g.traffic.sent = dir == 1;
	set_bins(c, &g);
	run_graph(c, &g, entity, format == 1);
}

void of_get(struct call *c)
{
	const char *module = query_find(&c->query, "module");
	int entity = call_entity(c);
	if (entity == -EPERM)
		return;
	if (module && strcmp(module, "gettraff") == 0)
		gettraff(c, entity);
	else if (module && strcmp(module, "graph") == 0)
		graph(c, entity);
	else
		response_error(
			c->response, 404, "parameter 'module': there are graph and gettraff"
		);
}
