// SPDX-License-Identifier: Apache-2.0
#include "sensor/worker.h"

#include "lib/base/clock.h"
#include "sensor/packet/parse.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_random.h>

#include <errno.h>
#include <time.h>

#define PREFETCH_AHEAD 8
#define PAYLOAD_MAX 2048 // bytes of one packet that names are looked for in
#define SILENT_POLLS 64	 // of a capture: its end, whatever was counted before
#define IDLE_POLLS 512	 // of a port, before the worker sleeps
#define IDLE_SLEEP_NS 50000
#define PACE_SLEEP_NS 1000000

static void sleep_ns(long ns)
{
	struct timespec ts = {.tv_nsec = ns};
	nanosleep(&ts, NULL);
}

// The headers of a frame that is spread over segments, gathered. Lengths are the segments' own:
// what the driver says of the whole is not relied upon.
static __attribute__((noinline)) size_t
gather(const struct rte_mbuf *m, uint8_t headers[PARSE_HEADERS_LEN])
{
	size_t len = 0;
	for (; m && len < PARSE_HEADERS_LEN; m = m->next) {
		size_t room = PARSE_HEADERS_LEN - len;
		size_t part = m->data_len < room ? m->data_len : room;
		memcpy(headers + len, rte_pktmbuf_mtod(m, const uint8_t *), part);
		len += part;
	}
	return len;
}

// Apart, so that others have no such frame on the stack.
static __attribute__((noinline)) enum verdict
parse_gathered(const struct worker *w, const struct rte_mbuf *m, struct packet *ret_packet)
{
	uint8_t headers[PARSE_HEADERS_LEN];
	return parse_frame(&w->parse, headers, gather(m, headers), m->pkt_len, ret_packet);
}

static enum verdict
parse_mbuf(const struct worker *w, const struct rte_mbuf *m, struct packet *ret_packet)
{
	if (__builtin_expect(m->next && m->data_len < PARSE_HEADERS_LEN, 0))
		return parse_gathered(w, m, ret_packet);
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	return parse_frame(&w->parse, frame, m->data_len, m->pkt_len, ret_packet);
}

// net_pcap writes the capture's times in microseconds.
static uint64_t time_of(const struct worker *w, const struct rte_mbuf *m)
{
	if (w->by_clock || !(m->ol_flags & w->time_flag))
		return w->now_ns;
	return *RTE_MBUF_DYNFIELD(m, w->time_offset, const rte_mbuf_timestamp_t *) * NS_PER_USEC;
}

static void prefetch_frame(const struct rte_mbuf *m)
{
	__builtin_prefetch(rte_pktmbuf_mtod(m, const void *));
}

// First of the passes: frames to packets; those that are dropped are counted and left out.
static uint32_t parse_burst(struct worker *w, uint32_t n)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < n && i < PREFETCH_AHEAD; i++)
		prefetch_frame(w->mbufs[i]);
	for (uint32_t i = 0; i < n; i++) {
		if (i + PREFETCH_AHEAD < n)
			prefetch_frame(w->mbufs[i + PREFETCH_AHEAD]);
		if (!sample_takes(&w->sample)) {
			w->counters.verdicts[PACKET_NOT_SAMPLED]++;
			continue;
		}
		struct packet *p = &w->packets[kept];
		enum verdict verdict = parse_mbuf(w, w->mbufs[i], p);
		w->frames[kept] = w->mbufs[i];
		p->time_ns = time_of(w, w->mbufs[i]);
		p->port = (uint8_t)w->port->id;
		w->counters.verdicts[verdict]++;
		if (__builtin_expect(p->fragment && verdict == PACKET_KEEP, 0))
			fragments_resolve(w->fragments, p);
		kept += verdict == PACKET_KEEP;
	}
	if (n > 0 && !w->by_clock)
		w->now_ns = time_of(w, w->mbufs[n - 1]);
	return kept;
}

// Looks at the payload of a packet whose flow is not known well enough yet.
static __attribute__((noinline)) void look(struct worker *w, uint32_t i)
{
	uint8_t gathered[PAYLOAD_MAX];
	const struct packet *p = &w->packets[i];
	const struct rte_mbuf *m = w->frames[i];
	if (!flow_key_eq(&w->flows[i]->key, &w->probes[i].key))
		return; // the flow has gone already, to make room
	uint32_t len = p->payload_len < PAYLOAD_MAX ? p->payload_len : PAYLOAD_MAX;
	const void *payload = rte_pktmbuf_read(m, p->payload_at, len, gathered);
	if (payload)
		inspect_payload(w->inspect, w->flows[i], &w->probes[i], p, payload, len);
}

// Last of the passes: names out of payloads, flows and names against the intelligence.
static void inspect_burst(struct worker *w, uint32_t n, uint64_t begun)
{
	inspect_begin(w->inspect, w->table, w->now_ns);
	for (uint32_t i = 0; w->names && i < n; i++) {
		if (inspect_wants(w->flows[i], &w->packets[i]))
			look(w, i);
	}
	const struct intel_db *db = w->intel ? sensor_intel_get(w->intel) : NULL;
	inspect_flows(w->inspect, begun, w->flows, w->probes, db);
	if (w->intel)
		sensor_intel_pass(w->intel, w->number);
}

// One turn: receive, parse, find, update, inspect, expire (which pushes what ended to the
// exporter).
static uint32_t turn(struct worker *w, uint16_t max)
{
	uint32_t n = rte_eth_rx_burst(w->port->id, w->queue, w->mbufs, max);
	if (w->by_clock)
		w->now_ns = clock_now_ns();
	uint32_t kept = parse_burst(w, n);
	flow_table_probe(w->table, w->packets, kept, w->probes);
	uint64_t begun = flow_table_update(w->table, w->packets, kept, w->probes, w->flows);
	inspect_burst(w, kept, begun);
	flow_table_expire(w->table, w->now_ns);
	rte_pktmbuf_free_bulk(w->mbufs, n);
	w->counters.received += n;
	w->round_received += n;
	return n;
}

// How many packets the pace of the replay allows now.
static uint16_t quota(struct worker *w)
{
	if (w->rate == 0)
		return FLOW_BURST;
	uint64_t now = clock_mono_ns();
	uint64_t sent = w->counters.received - w->begin_received;
	if (w->begin_ns == 0 || now - w->begin_ns > 60 * NS_PER_SEC) { // a product that stays small
		w->begin_ns = now;
		w->begin_received = w->counters.received;
		return 1;
	}
	uint64_t allowed =
		(uint64_t)((unsigned __int128)(now - w->begin_ns) * w->rate / NS_PER_SEC);
	if (allowed <= sent)
		return 0;
	return allowed - sent < FLOW_BURST ? (uint16_t)(allowed - sent) : FLOW_BURST;
}

static uint64_t lost_by_port(const struct worker *w)
{
	struct port_drops d = port_drops(w->port);
	return d.missed + d.errors + d.no_buffer;
}

// net_pcap does not tell the end of its file: it is when all packets that were counted beforehand
// came or were lost, or, should the file have changed since, when nothing comes any more.
static bool capture_ended(struct worker *w)
{
	uint64_t lost = lost_by_port(w) - w->round_drops;
	return w->round_received + lost >= w->n_expect || w->n_silent >= SILENT_POLLS;
}

// After a poll without packets; false when there is nothing more to come.
static bool on_silence(struct worker *w)
{
	w->n_silent++;
	if (!w->is_replay) {
		if (w->idle_sleep && w->n_silent > IDLE_POLLS)
			sleep_ns(IDLE_SLEEP_NS);
		return true;
	}
	if (!capture_ended(w))
		return true;
	if (!w->is_loop)
		return false;
	w->error = w->round_received ? port_restart(w->port) : -ENODATA;
	w->round_received = 0;
	w->round_drops = lost_by_port(w);
	w->n_silent = 0;
	return w->error == 0;
}

static void sum_up(const struct worker *w, struct worker_sums *ret_sums)
{
	ret_sums->worker = w->counters;
	ret_sums->flow = *flow_table_counters(w->table);
	ret_sums->n_flows = flow_table_n(w->table);
	if (w->fragments)
		ret_sums->fragments = *fragments_counters(w->fragments);
	ret_sums->inspect = *inspect_counters(w->inspect);
	if (w->names)
		ret_sums->names = *names_counters(w->names);
}

bool worker_sums(struct worker *w, uint64_t wait_ns, struct worker_sums *ret_sums)
{
	if (atomic_load_explicit(&w->done, memory_order_acquire))
		sum_up(w, ret_sums);
	else if (ask_wait(&w->ask, wait_ns))
		*ret_sums = w->sums;
	else if (atomic_load_explicit(&w->done, memory_order_acquire)) // it ended meanwhile
		sum_up(w, ret_sums);
	else
		return false;
	return true;
}

// After a turn: whose time it was, and an answer for who asks.
static void end_turn(struct worker *w, uint64_t *since, bool was_busy)
{
	uint64_t now = rte_rdtsc();
	*(was_busy ? &w->counters.busy_cycles : &w->counters.idle_cycles) += now - *since;
	*since = now;
	if (ask_is_open(&w->ask)) {
		sum_up(w, &w->sums);
		ask_answer(&w->ask);
	}
}

int worker_run(void *worker)
{
	struct worker *w = worker;
	uint64_t n_turns = 0, since = rte_rdtsc();
	if (w->intel)
		sensor_intel_enter(w->intel, w->number);
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		uint16_t max = quota(w);
		uint64_t before = w->counters.received;
		atomic_store_explicit(&w->n_turns, ++n_turns, memory_order_relaxed);
		if (max == 0) {
			w->now_ns = w->by_clock ? clock_now_ns() : w->now_ns;
			flow_table_expire(w->table, w->now_ns);
			if (w->intel)
				sensor_intel_pass(w->intel, w->number);
			sleep_ns(PACE_SLEEP_NS);
		} else if (turn(w, max) > 0) {
			w->n_silent = 0;
		} else if (!on_silence(w)) {
			break;
		}
		end_turn(w, &since, w->counters.received != before);
	}
	if (w->intel)
		sensor_intel_leave(w->intel, w->number);
	flow_ring_let_wait(w->ring); // nothing is received any more
	flow_table_flush(w->table);
	atomic_store_explicit(&w->done, true, memory_order_release);
	return 0;
}

static int make_names(struct worker *w, const struct sensor_config *c)
{
	struct names_options o = NAMES_OPTIONS_DEFAULT;
	if (!w->by_clock)
		o.max_permille = 0; // a replay takes the time it needs
	return c->names ? names_create(&o, &w->names) : 0;
}

int worker_init(struct worker *w, const struct sensor_config *c, const struct worker_place *at)
{
	bool is_replay = *c->pcap != '\0';
	*w = (struct worker){
		.port = at->port,
		.queue = at->queue,
		.number = at->number,
		.intel = at->intel,
		.is_replay = is_replay,
		.is_loop = c->loop,
		.by_clock = !is_replay || c->loop,
		.idle_sleep = c->idle_sleep && at->port->is_virtual,
		.rate = (uint64_t)c->rate,
		.sample = sample_of((uint32_t)c->sampling, c->sampling_random, rte_rand()),
	};
	sensor_config_parse(c, &w->parse);
	if (rte_mbuf_dyn_rx_timestamp_register(&w->time_offset, &w->time_flag) < 0)
		return -ENOTSUP;
	int ret = make_names(w, c);
	if (ret < 0)
		return ret;
	struct inspect_options inspect = {.names = w->names, .thread = w->number};
	w->inspect = inspect_create(&inspect);
	w->ring = flow_ring_create((uint32_t)c->ring, is_replay && !c->loop);
	w->fragments = fragments_create((size_t)c->n_fragments);
	if (!w->inspect || !w->ring || !w->fragments)
		return -ENOMEM;
	struct flow_table_options o = {
		.n_flows = (size_t)c->n_flows,
		.idle_ns = (uint64_t)c->idle_ns,
		.active_ns = (uint64_t)c->active_ns,
		.key_vlan = c->key_vlan,
		.key_tunnel = c->key_tunnel,
		.metrics = c->tcp_metrics,
		.emergency_ns = (uint64_t)c->emergency_ns,
		.extra_bytes = w->names || w->intel ? (size_t)c->names_memory : 0,
		.names = w->names,
		.out = w->ring,
	};
	return flow_table_create(&o, &w->table);
}

void worker_fini(struct worker *w)
{
	flow_table_free(w->table);
	fragments_free(w->fragments);
	flow_ring_free(w->ring);
	inspect_free(w->inspect);
	names_free(w->names);
}
