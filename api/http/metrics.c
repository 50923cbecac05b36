// SPDX-License-Identifier: Apache-2.0

// GET /metrics: OpenMetrics 1.0, or the older text format for who does not ask for it.
// Thread: worker; counting from the event loops.

#include "api/http/metrics.h"

#include "api/http/live.h"
#include "api/http/native.h"
#include "api/http/route.h"
#include "lib/base/openmetrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

// One for any other.
static const int statuses[] = {
	200, 201, 202, 400, 401, 403, 404, 405, 413, 415, 422, 429, 500, 503, 0};
static const double limits_sec[] = {0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

#define N_STATUSES (sizeof(statuses) / sizeof(statuses[0]))
#define N_LIMITS (sizeof(limits_sec) / sizeof(limits_sec[0]))

struct metrics {
	uint64_t started_ns;
	atomic_uint_least64_t bytes, took_ns;
	atomic_uint_least64_t buckets[N_LIMITS + 1]; // the last: longer than any
	atomic_uint_least64_t counts[];		     // of each route and none, by status
};

struct metrics *metrics_create(void)
{
	struct metrics *m =
		calloc(1, sizeof(*m) + (n_routes + 1) * N_STATUSES * sizeof(m->counts[0]));
	if (m)
		m->started_ns = clock_now_ns();
	return m;
}

void metrics_free(struct metrics *m)
{
	free(m);
}

void metrics_count(
	struct metrics *m, const struct route *route, int status, size_t bytes, uint64_t took_ns
)
{
	size_t r = route ? (size_t)(route - routes) : n_routes, s = 0, b = 0;
	if (!m)
		return;
	while (s < N_STATUSES - 1 && statuses[s] != status)
		s++;
	while (b < N_LIMITS && (double)took_ns > limits_sec[b] * (double)NS_PER_SEC)
		b++;
	atomic_fetch_add_explicit(&m->counts[r * N_STATUSES + s], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->buckets[b], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->bytes, bytes, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->took_ns, took_ns, memory_order_relaxed);
}

static void print_requests(const struct metrics *m, FILE *out, bool open)
{
	openmetrics_head(out, open, "weir_api_requests", "counter", "Requests answered.");
	for (size_t r = 0; r <= n_routes; r++) {
		for (size_t s = 0; s < N_STATUSES; s++) {
			uint64_t n = atomic_load_explicit(
				&m->counts[r * N_STATUSES + s], memory_order_relaxed
			);
			if (!n)
				continue;
			fprintf(out,
				"weir_api_requests_total{method=\"%s\",route=\"%s\",",
				r < n_routes ? routes[r].method : "",
				r < n_routes ? routes[r].path : "");
			if (statuses[s])
				fprintf(out, "code=\"%d\"} %" PRIu64 "\n", statuses[s], n);
			else
				fprintf(out, "code=\"other\"} %" PRIu64 "\n", n);
		}
	}
}

static void print_times(const struct metrics *m, FILE *out, bool open)
{
	const char *name = "weir_api_request_seconds";
	uint64_t n = 0;
	openmetrics_head(out, open, name, "histogram", "From a request's head to its answer.");
	for (size_t b = 0; b <= N_LIMITS; b++) {
		n += atomic_load_explicit(&m->buckets[b], memory_order_relaxed);
		if (b < N_LIMITS)
			fprintf(out, "%s_bucket{le=\"%.3f\"} %" PRIu64 "\n", name, limits_sec[b], n
			);
	}
	double sum = (double)atomic_load_explicit(&m->took_ns, memory_order_relaxed) / 1e9;
	fprintf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, n);
	fprintf(out, "%s_sum %.9f\n%s_count %" PRIu64 "\n", name, sum, name, n);
}

static void print_live(struct live *l, FILE *out, bool open)
{
	struct live_counts n = live_counts(l);
	openmetrics_head(out, open, "weir_api_streams", "gauge", "Live streams under way.");
	fprintf(out, "weir_api_streams %" PRIu64 "\n", n.open);
	openmetrics_head(out, open, "weir_api_streams_opened", "counter", "Live streams begun.");
	fprintf(out, "weir_api_streams_opened_total %" PRIu64 "\n", n.opened);
	openmetrics_head(out, open, "weir_api_streams_refused", "counter", "Beyond the cap.");
	fprintf(out, "weir_api_streams_refused_total %" PRIu64 "\n", n.refused);
	openmetrics_head(
		out, open, "weir_api_streams_cut", "counter", "Readers that did not keep up."
	);
	fprintf(out, "weir_api_streams_cut_total %" PRIu64 "\n", n.cut);
}

static void print_all(struct call *c, FILE *out, bool open)
{
	const struct metrics *m = c->app->metrics;
	struct store_view *view;
	char error[STORE_READ_ERROR_LEN];
	bool up = source_view(c->app->source, &view, error) == 0;
	if (up)
		source_release(c->app->source, view);
	print_requests(m, out, open);
	print_times(m, out, open);
	openmetrics_head(out, open, "weir_api_response_bytes", "counter", "Bodies sent.");
	fprintf(out,
		"weir_api_response_bytes_total %" PRIu64 "\n",
		atomic_load_explicit(&m->bytes, memory_order_relaxed));
	print_live(c->app->live, out, open);
	openmetrics_head(out, open, "weir_api_exports", "gauge", "Bodies of any length under way.");
	fprintf(out, "weir_api_exports %u\n", atomic_load(&c->app->n_exports));
	openmetrics_head(out, open, "weir_api_store_up", "gauge", "Whether the store can be read.");
	fprintf(out, "weir_api_store_up %d\n", up);
	openmetrics_head(
		out, open, "weir_api_start_time_seconds", "gauge", "When the API started."
	);
	fprintf(out, "weir_api_start_time_seconds %.3f\n", (double)m->started_ns / 1e9);
	openmetrics_head(out, open, "weir_api_build_info", "gauge", "The program's version.");
	fprintf(out, "weir_api_build_info{version=\"%s\"} 1\n", WEIR_VERSION);
	openmetrics_end(out, open);
}

void metrics_get(struct call *c)
{
	bool open = openmetrics_is_wanted(c->request->accept);
	struct native_out o;
	struct native n = {};
	if (native_open(c, &o) < 0)
		return;
	print_all(c, o.file, open);
	native_close(c, &n, &o);
	if (c->response->status == 200)
		c->response->content_type = openmetrics_content_type(open);
}
