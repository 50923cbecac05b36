// SPDX-License-Identifier: Apache-2.0
#include "sensor/sensor.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "sensor/advice.h"
#include "sensor/eal.h"
#include "sensor/packet/capture.h"
#include "sensor/service.h"

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECT_WAIT_NS (10 * NS_PER_SEC)
#define STATISTICS_WAIT_NS (2 * NS_PER_MSEC)
#define ASK_WAIT_NS (200 * NS_PER_MSEC) // a worker answers after each burst

struct sensor {
	const struct sensor_config *config;
	int pcap_fd; // -1: none
	struct capture_info capture;
	struct port ports[PORTS_MAX];
	unsigned n_ports;
	struct worker **workers;
	unsigned n_workers;
	struct targets *targets;
	struct sensor_intel *intel; // NULL: none
	struct service *service;
	uint64_t begin_ns;
	pthread_mutex_t asking, telling;      // taken in this order
	struct targets_counters targets_told; // last
	struct worker_sums *told;	      // likewise, by each worker
	struct ipfix_statistics *statistics;  // likewise, by the exporter
};

static int capture_open(struct sensor *s)
{
	const char *path = s->config->pcap, *what;
	struct stat st;
	if (!*path)
		return 0;
	s->pcap_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->pcap_fd < 0)
		return log_errno(-errno, "capture %s", path);
	if (fstat(s->pcap_fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		log_err("capture %s: not a regular file", path);
		return -EIO;
	}
	int ret = capture_scan(s->pcap_fd, &s->capture, &what);
	if (ret < 0) {
		log_err("capture %s: %s", path, what);
		return -EIO;
	}
	if (s->capture.n_packets == 0) {
		log_err("capture %s: there is no packet in it", path);
		return -EIO;
	}
	if (s->capture.truncated)
		log_warn(
			"capture %s: ends within a packet; the %" PRIu64 " whole ones are read",
			path,
			s->capture.n_packets
		);
	if (s->capture.nanoseconds && !s->config->loop)
		log_info("capture %s: its nanoseconds are cut to microseconds", path);
	return 0;
}

static void capture_close(struct sensor *s)
{
	if (s->pcap_fd >= 0)
		close(s->pcap_fd);
}

static void workers_free(struct sensor *s)
{
	for (unsigned i = 0; i < s->n_workers; i++) {
		worker_fini(s->workers[i]);
		free(s->workers[i]);
	}
	free(s->workers);
	free(s->told);
	free(s->statistics);
}

static int load_intel(struct sensor *s)
{
	const struct sensor_config *c = s->config;
	struct sensor_intel_options o = {
		.files = &c->intel_files,
		.own = &c->own,
		.cache_dir = c->intel_cache,
	};
	for (unsigned i = 0; i < s->n_ports; i++)
		o.n_workers += s->ports[i].n_queues;
	return c->intel_files.n ? sensor_intel_create(&o, &s->intel) : 0;
}

void sensor_reload(struct sensor *s)
{
	if (s->intel)
		sensor_intel_reload(s->intel);
}

static int worker_create(struct sensor *s, const struct port *p, uint16_t queue)
{
	struct worker *w = aligned_alloc(alignof(struct worker), sizeof(*w));
	if (!w)
		return -ENOMEM;
	s->workers[s->n_workers++] = w;
	struct worker_place at = {
		.port = p, .queue = queue, .number = s->n_workers - 1, .intel = s->intel};
	int ret = worker_init(w, s->config, &at);
	w->n_expect = s->capture.n_packets;
	return ret;
}

static int workers_create(struct sensor *s)
{
	int ret = 0;
	size_t max = PORTS_MAX * (size_t)s->config->n_queues;
	s->workers = calloc(max, sizeof(s->workers[0]));
	s->told = calloc(max, sizeof(s->told[0]));
	s->statistics = calloc(max, sizeof(s->statistics[0]));
	if (!s->workers || !s->told || !s->statistics) {
		workers_free(s);
		return log_errno(-ENOMEM, "workers");
	}
	for (unsigned i = 0; i < s->n_ports; i++)
		for (uint16_t q = 0; q < s->ports[i].n_queues && ret == 0; q++)
			ret = worker_create(s, &s->ports[i], q);
	if (ret < 0) {
		workers_free(s);
		return log_errno(ret, "flow table of %" PRId64 " flows", s->config->n_flows);
	}
	return 0;
}

// Of the flow records, what a worker counts. The exporter must not wait for a worker that waits for
// it, nor for who asks both: then it is told what it was told last.
static void statistics_of(void *ctx, unsigned source, struct ipfix_statistics *ret)
{
	struct sensor *s = ctx;
	struct worker *w = s->workers[source];
	struct ipfix_statistics *told = &s->statistics[source];
	bool may_ask = pthread_mutex_trylock(&s->asking) == 0;
	bool is_new = may_ask && worker_sums(w, STATISTICS_WAIT_NS, &s->told[source]);
	pthread_mutex_lock(&s->telling);
	if (is_new) {
		const struct worker_sums *sums = &s->told[source];
		*told = (struct ipfix_statistics){.observed_flows = sums->flow.flows};
		for (int v = PACKET_KEEP + 1; v < PACKET_N_VERDICTS; v++)
			told->ignored_packets += sums->worker.verdicts[v];
	}
	ret->observed_flows = told->observed_flows;
	ret->ignored_packets = told->ignored_packets;
	pthread_mutex_unlock(&s->telling);
	if (may_ask)
		pthread_mutex_unlock(&s->asking);
	if (w->queue == 0) { // the port's, told by one of its workers
		struct port_drops lost = port_drops(w->port);
		ret->dropped_packets = lost.missed + lost.errors + lost.no_buffer;
	}
}

static int start_exporter(struct sensor *s)
{
	const struct sensor_config *c = s->config;
	struct ipfix_interface interfaces[PORTS_MAX];
	for (unsigned i = 0; i < s->n_ports; i++)
		interfaces[i] = (struct ipfix_interface){
			.index = s->ports[i].id + 1u,
			.name = s->ports[i].name,
			.description = s->ports[i].description,
		};
	struct exporter_source *sources = calloc(s->n_workers, sizeof(*sources));
	if (!sources)
		return log_errno(-ENOMEM, "exporter");
	for (unsigned i = 0; i < s->n_workers; i++)
		sources[i] = (struct exporter_source){
			.ring = s->workers[i]->ring,
			.lost = &flow_table_counters(s->workers[i]->table)->lost,
			.domain = (uint32_t)c->domain + i,
		};
	struct targets_options o = {
		.targets = &c->targets,
		.one_each = c->spread,
		.ring = (uint32_t)c->ring,
		.can_wait = *c->pcap && !c->loop,
		.exporter =
			{
				.tls = {.ca = c->export_ca,
					.cert = c->export_cert,
					.key = c->export_key},
				.max_len = (uint16_t)c->message_len,
				.biflow = c->biflow,
				.pen = (uint32_t)c->pen,
				.template_interval_ns = (uint64_t)c->template_interval_ns,
				.rate = (uint64_t)c->export_rate,
				.patience_ns = c->once ? CONNECT_WAIT_NS : 0,
				.sources = sources,
				.n_sources = s->n_workers,
				.interfaces = interfaces,
				.n_interfaces = s->n_ports,
				.sampling =
					{.n = (uint32_t)c->sampling,
					 .is_random = c->sampling_random},
				.statistics = statistics_of,
				.ctx = s,
			},
	};
	const char *which;
	int ret = targets_start(&o, &s->targets, &which);
	free(sources);
	return ret < 0 ? log_errno(ret, "export to %s", which) : 0;
}

// Flows are told by the workers and then by the exporter: asked in the other order, none of them
// has been exported before it ended.
static void report(void *ctx, struct report *ret_report)
{
	struct sensor *s = ctx;
	struct report *r = ret_report;
	*r = (struct report){
		.up_ns = clock_mono_ns() - s->begin_ns,
		.cycles_per_sec = rte_get_tsc_hz(),
		.to = &s->config->targets,
		.ports = s->ports,
		.n_ports = s->n_ports,
		.workers = calloc(s->n_workers, sizeof(r->workers[0])),
	};
	r->n_workers = r->workers ? s->n_workers : 0;
	pthread_mutex_lock(&s->asking);
	(void)targets_counters(s->targets, ASK_WAIT_NS, &s->targets_told);
	r->targets = s->targets_told;
	for (unsigned i = 0; i < r->n_workers; i++) {
		struct worker *w = s->workers[i];
		r->workers[i] = (struct report_worker){.port = w->port, .queue = w->queue};
		r->workers[i].is_silent = !worker_sums(w, ASK_WAIT_NS, &s->told[i]);
		r->workers[i].sums = s->told[i];
		summary_add_worker(&r->sum, &s->told[i]);
	}
	pthread_mutex_unlock(&s->asking);
	summary_add_targets(&r->sum, &r->targets);
	summary_let_fly(&r->sum);
	for (unsigned i = 0; i < s->n_ports; i++) {
		r->traffic[i] = port_traffic(&s->ports[i]);
		summary_add_port(&r->sum, &s->ports[i]);
	}
}

static int start_service(struct sensor *s)
{
	struct service_options o = {
		.control = s->config->control,
		.metrics = s->config->metrics,
		.telemetry = s->config->telemetry,
		.begin_ns = s->begin_ns,
		.report = report,
		.ctx = s,
	};
	return service_start(&o, &s->service);
}

static int launch(struct sensor *s)
{
	unsigned lcore = rte_get_next_lcore(-1, 1, 0);
	for (unsigned i = 0; i < s->n_workers; i++) {
		int ret = rte_eal_remote_launch(worker_run, s->workers[i], lcore);
		if (ret < 0)
			return log_errno(ret, "worker lcore %u", lcore);
		lcore = rte_get_next_lcore(lcore, 1, 0);
	}
	return 0;
}

static void stop_workers(struct sensor *s)
{
	for (unsigned i = 0; i < s->n_workers; i++)
		atomic_store(&s->workers[i]->stop, true);
	rte_eal_mp_wait_lcore();
}

static unsigned workers_wanted(const struct sensor_config *c)
{
	return *c->pcap ? 1 : (unsigned)((c->vdevs.n + c->ports.n) * (size_t)c->n_queues);
}

int sensor_start(const struct sensor_config *c, char **rest, struct sensor **ret_sensor)
{
	struct targets_counters none;
	struct sensor *s = calloc(1, sizeof(*s));
	if (!s)
		return log_errno(-ENOMEM, "sensor");
	s->config = c;
	s->pcap_fd = -1;
	s->begin_ns = clock_mono_ns();
	pthread_mutex_init(&s->asking, NULL);
	pthread_mutex_init(&s->telling, NULL);
	int ret = capture_open(s);
	if (ret < 0)
		goto close_capture;
	if ((ret = eal_start(c, workers_wanted(c), rest)) < 0) {
		sensor_advise(c, rest);
		goto close_capture;
	}
	if ((ret = ports_start(c, s->pcap_fd, s->ports, &s->n_ports)) < 0) {
		sensor_advise(c, rest);
		goto stop_eal;
	}
	if ((ret = load_intel(s)) < 0)
		goto stop_ports;
	if ((ret = workers_create(s)) < 0)
		goto free_intel;
	if ((ret = start_exporter(s)) < 0)
		goto free_workers;
	if ((ret = launch(s)) < 0 || (ret = start_service(s)) < 0)
		goto stop_exporter;
	*ret_sensor = s;
	return 0;
stop_exporter:
	targets_hurry(s->targets);
	stop_workers(s);
	targets_stop(s->targets, &none);
free_workers:
	workers_free(s);
free_intel:
	sensor_intel_free(s->intel);
stop_ports:
	ports_stop(s->ports, s->n_ports);
stop_eal:
	eal_stop();
close_capture:
	capture_close(s);
	free(s);
	return ret;
}

bool sensor_ended(struct sensor *s)
{
	for (unsigned i = 0; i < s->n_workers; i++)
		if (!atomic_load_explicit(&s->workers[i]->done, memory_order_acquire))
			return false;
	return true;
}

bool sensor_goes_on(struct sensor *s)
{
	bool all = true;
	for (unsigned i = 0; i < s->n_workers; i++) {
		struct worker *w = s->workers[i];
		uint64_t n = atomic_load_explicit(&w->n_turns, memory_order_relaxed);
		all &= n != w->n_turns_seen || (w->is_replay && !w->is_loop);
		w->n_turns_seen = n;
	}
	return all;
}

// What went wrong during the run, if anything.
static int verdict_of(struct sensor *s, const struct summary *sum, const struct targets_counters *t)
{
	for (unsigned i = 0; i < s->n_workers; i++)
		if (s->workers[i]->error < 0)
			return log_errno(s->workers[i]->error, "replay of %s", s->config->pcap);
	if (summary_residue(sum) != 0) {
		log_err("%" PRId64 " packets or flows are not accounted for", summary_residue(sum));
		return -EIO;
	}
	if (sum->evicted)
		log_warn(
			"%" PRIu64 " flows ended early: their bucket was full (sensor.flows)",
			sum->evicted
		);
	for (unsigned i = 0; i < t->n && s->config->once; i++) {
		const struct exporter_counters *e = &t->of[i];
		if (e->unsent)
			return log_errno(
				-EHOSTUNREACH,
				"%" PRIu64 " flows could not be sent to %s: %s",
				e->unsent,
				s->config->targets.items[i],
				strerror(-e->error)
			);
	}
	return 0;
}

int sensor_stop(struct sensor *s, struct summary *ret_summary)
{
	struct targets_counters counters;
	struct summary sum = {};
	service_stop(s->service);
	if (!sensor_ended(s))
		targets_hurry(s->targets);
	stop_workers(s);
	targets_stop(s->targets, &counters);
	for (unsigned i = 0; i < s->n_workers; i++) {
		struct worker_sums sums = {};
		if (worker_sums(s->workers[i], 0, &sums)) // it stands still
			summary_add_worker(&sum, &sums);
	}
	for (unsigned i = 0; i < s->n_ports; i++)
		summary_add_port(&sum, &s->ports[i]);
	summary_add_targets(&sum, &counters);
	int ret = verdict_of(s, &sum, &counters);
	ports_stop(s->ports, s->n_ports);
	workers_free(s);
	sensor_intel_free(s->intel);
	eal_stop();
	capture_close(s);
	free(s);
	*ret_summary = sum;
	return ret;
}
