// SPDX-License-Identifier: Apache-2.0
#include "sensor/export/exporter.h"

#include "lib/base/clock.h"
#include "lib/ipfix/encode.h"
#include "sensor/ask.h"
#include "sensor/export/record.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DRAIN_MAX 1024			   // flows of one source before the next one's turn
#define IDLE_NS (2 * NS_PER_MSEC)	   // pause when there was nothing to do
#define MESSAGE_AGE_NS (250 * NS_PER_MSEC) // a message waits so long to become full
#define RATE_SLACK_NS (5 * NS_PER_MSEC)	   // how far ahead of the rate a burst may be

struct stream {
	struct exporter_source source;
	struct ipfix_encoder *encoder;
	uint64_t lost_seen;
	uint64_t oldest_ns; // when the message being built got its first record
	uint32_t n_flows;   // in it; it may hold hits beside
	struct ipfix_statistics sent;
};

struct exporter {
	struct transport transport;
	bool has_target;
	bool connected; // templates were sent since
	uint64_t template_interval_ns;
	uint64_t next_templates_ns;
	uint64_t rate;
	uint64_t paid_ns; // the time up to which the rate is used up
	struct exporter_counters counters;
	pthread_t thread;
	atomic_bool stop, hurry;
	unsigned n_interfaces;
	struct ipfix_interface *interfaces;
	struct ipfix_sampling sampling;
	void (*statistics)(void *ctx, unsigned source, struct ipfix_statistics *s);
	void *ctx;
	uint64_t patience_ns;
	uint64_t ready_ns; // when messages could last leave
	struct ask ask;
	struct exporter_counters told; // the answer
	unsigned n_streams;
	struct stream streams[];
};

static void pause_ns(uint64_t ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(ns / NS_PER_SEC), .tv_nsec = (long)(ns % NS_PER_SEC)};
	nanosleep(&ts, NULL);
}

static void keep_rate(struct exporter *e, size_t len)
{
	if (e->rate == 0)
		return;
	uint64_t now = clock_mono_ns();
	if (e->paid_ns < now)
		e->paid_ns = now;
	e->paid_ns += len * NS_PER_SEC / e->rate;
	if (e->paid_ns - now > RATE_SLACK_NS)
		pause_ns(e->paid_ns - now);
}

static int send_message(struct exporter *e, const uint8_t *message, size_t len)
{
	int ret = transport_send(&e->transport, message, len);
	if (ret < 0) {
		e->counters.error = ret;
		e->connected = e->transport.fd >= 0;
		return ret;
	}
	e->counters.messages++;
	e->counters.bytes += len;
	keep_rate(e, len);
	return 0;
}

// Ends and sends a stream's message.
static void send_message_of(struct exporter *e, struct stream *s)
{
	const uint8_t *message;
	size_t len = ipfix_encoder_finish(s->encoder, clock_now_ns(), &message, NULL);
	if (len == 0)
		return;
	if (send_message(e, message, len) == 0) {
		e->counters.exported += s->n_flows;
		s->sent.flows += s->n_flows;
		s->sent.messages++;
		s->sent.bytes += len;
	} else {
		e->counters.unsent += s->n_flows;
		s->sent.not_sent_flows += s->n_flows;
	}
	s->n_flows = 0;
}

static void send_statistics(struct exporter *e, unsigned i)
{
	struct stream *s = &e->streams[i];
	struct ipfix_statistics told = s->sent;
	told.not_sent_flows += __atomic_load_n(s->source.lost, __ATOMIC_RELAXED);
	if (e->statistics)
		e->statistics(e->ctx, i, &told);
	if (ipfix_encoder_add_statistics(s->encoder, &told) == -ENOSPC) {
		send_message_of(e, s);
		(void)ipfix_encoder_add_statistics(s->encoder, &told);
	}
	send_message_of(e, s);
}

// What a collector has to know of a stream to understand its records, and how it does. A message
// always has room for one of them.
static void send_options(struct exporter *e, unsigned i)
{
	struct stream *s = &e->streams[i];
	for (unsigned k = 0; k < e->n_interfaces; k++) {
		if (ipfix_encoder_add_interface(s->encoder, &e->interfaces[k]) == -ENOSPC) {
			send_message_of(e, s);
			(void)ipfix_encoder_add_interface(s->encoder, &e->interfaces[k]);
		}
	}
	if (e->sampling.n > 1 && ipfix_encoder_add_sampling(s->encoder, &e->sampling) == -ENOSPC) {
		send_message_of(e, s);
		(void)ipfix_encoder_add_sampling(s->encoder, &e->sampling);
	}
	send_statistics(e, i);
}

static void send_templates(struct exporter *e)
{
	for (unsigned i = 0; i < e->n_streams; i++) {
		struct stream *s = &e->streams[i];
		const uint8_t *message;
		send_message_of(e, s);
		size_t len = ipfix_encoder_templates(s->encoder, clock_now_ns(), &message);
		if (len > 0 && send_message(e, message, len) < 0)
			return;
		send_options(e, i);
	}
}

// What is told again and again: all of it over UDP. Elsewhere templates arrived for certain and
// must not be sent twice (RFC 7011 §8.2).
static void tell_again(struct exporter *e)
{
	bool udp = transport_is_datagrams(&e->transport);
	for (unsigned i = 0; !udp && i < e->n_streams; i++)
		send_statistics(e, i);
	if (udp)
		send_templates(e);
}

// What was being built relies on templates that a new connection has not seen.
static void drop_messages(struct exporter *e)
{
	for (unsigned i = 0; i < e->n_streams; i++) {
		struct stream *s = &e->streams[i];
		const uint8_t *message;
		(void)ipfix_encoder_finish(s->encoder, 0, &message, NULL);
		e->counters.unsent += s->n_flows;
		s->n_flows = 0;
	}
}

// True when messages can leave: connected, and the collector was told the templates.
static bool be_connected(struct exporter *e)
{
	if (!transport_connect(&e->transport, clock_mono_ns())) {
		e->counters.error = e->transport.error;
		e->connected = false;
		return false;
	}
	bool is_new = !e->connected;
	if (!is_new && clock_mono_ns() < e->next_templates_ns)
		return true;
	if (is_new)
		drop_messages(e);
	e->connected = true;
	e->next_templates_ns = clock_mono_ns() + e->template_interval_ns;
	if (is_new)
		send_templates(e);
	else
		tell_again(e);
	return e->connected;
}

// The word of a hit leaves at once. It may be lost: the flow's record says so too.
static bool
add_hit(struct exporter *e,
	struct stream *s,
	const struct flow *f,
	const struct note *note,
	struct record_texts *texts)
{
	struct ipfix_hit hit;
	hit_of_flow(f, note, texts, &hit);
	if (ipfix_encoder_add_hit(s->encoder, &hit) == -ENOSPC) {
		send_message_of(e, s);
		if (!e->connected)
			return false;
		if (ipfix_encoder_add_hit(s->encoder, &hit) < 0)
			return true;
	}
	send_message_of(e, s);
	e->counters.hits_told++;
	return true;
}

// False when the connection broke on it: the flow is to wait.
static bool add_flow(struct exporter *e, struct stream *s, const struct flow *f)
{
	struct record r;
	struct record_texts texts;
	struct note note;
	const uint8_t *extra;
	struct flow_more more;
	size_t len = flow_ring_extra(s->source.ring, f, &extra);
	bool has_more = flow_more_take(f, &extra, &len, &more);
	bool has_note = len && note_get(extra, len, &note);
	if (f->end_reason == FLOW_END_NONE)
		return !has_note || !note.type || add_hit(e, s, f, &note, &texts);
	record_of_flow(f, has_note ? &note : NULL, &texts, &r);
	if (has_more)
		record_put_more(&more, &r);
	int ret = ipfix_encoder_add(s->encoder, &r);
	if (ret == -ENOSPC) {
		send_message_of(e, s);
		if (!e->connected)
			return false;
		ret = ipfix_encoder_add(s->encoder, &r);
	}
	if (ret < 0) {
		e->counters.unfit++;
		return true;
	}
	if (s->n_flows++ == 0)
		s->oldest_ns = clock_mono_ns();
	return true;
}

// Flows that the worker could not hand over are a gap in the sequence (RFC 7011 §10.2.2). Only
// between messages.
static void note_lost(struct exporter *e, struct stream *s)
{
	uint64_t lost = __atomic_load_n(s->source.lost, __ATOMIC_RELAXED);
	if (lost == s->lost_seen)
		return;
	send_message_of(e, s);
	ipfix_encoder_skip(s->encoder, (uint32_t)(lost - s->lost_seen));
	s->lost_seen = lost;
}

// Those that are records, not the word of a hit.
static uint32_t count_flows(const struct flow *flows, uint32_t n)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < n; i++)
		sum += flows[i].end_reason != FLOW_END_NONE;
	return sum;
}

// The number of flows that were there; they are still when the connection breaks.
static uint32_t drain(struct exporter *e, struct stream *s)
{
	const struct flow *flows;
	uint32_t n = flow_ring_peek(s->source.ring, DRAIN_MAX, &flows), done = 0;
	if (!e->has_target) {
		e->counters.no_target += count_flows(flows, n);
		done = n;
	} else {
		note_lost(e, s);
		while (done < n && e->connected && add_flow(e, s, &flows[done]))
			done++;
		if (s->n_flows && clock_mono_ns() - s->oldest_ns >= MESSAGE_AGE_NS)
			send_message_of(e, s);
	}
	flow_ring_release(s->source.ring, done);
	return n;
}

static uint32_t drain_all(struct exporter *e)
{
	uint32_t n = 0;
	for (unsigned i = 0; i < e->n_streams; i++)
		n += drain(e, &e->streams[i]);
	return n;
}

// What comes out of the rings was not sent.
static void give_up(struct exporter *e)
{
	for (unsigned i = 0; i < e->n_streams; i++) {
		const struct flow *flows;
		uint32_t n;
		while ((n = flow_ring_peek(e->streams[i].source.ring, DRAIN_MAX, &flows)) > 0) {
			e->counters.unsent += count_flows(flows, n);
			flow_ring_release(e->streams[i].source.ring, n);
		}
	}
}

// True when flows have no more time to wait for the collector.
static bool is_hopeless(struct exporter *e)
{
	if (atomic_load_explicit(&e->hurry, memory_order_relaxed))
		return true;
	return e->patience_ns && clock_mono_ns() - e->ready_ns > e->patience_ns;
}

static void *run(void *arg)
{
	struct exporter *e = arg;
	e->ready_ns = clock_mono_ns();
	for (;;) {
		// read first: what was pushed before it was set is drained after
		bool stop = atomic_load_explicit(&e->stop, memory_order_acquire);
		bool ready = !e->has_target || be_connected(e);
		uint32_t n = ready ? drain_all(e) : 0;
		if (ready)
			e->ready_ns = clock_mono_ns();
		else if (stop || is_hopeless(e))
			give_up(e);
		if (stop && n == 0)
			break;
		if (ask_is_open(&e->ask)) {
			e->told = e->counters;
			ask_answer(&e->ask);
		}
		if (n == 0)
			pause_ns(IDLE_NS);
	}
	for (unsigned i = 0; e->has_target && i < e->n_streams; i++) {
		send_message_of(e, &e->streams[i]);
		if (e->connected)
			send_statistics(e, i);
	}
	transport_close(&e->transport);
	return NULL;
}

static void exporter_free(struct exporter *e)
{
	transport_fini(&e->transport);
	for (unsigned i = 0; i < e->n_streams; i++)
		ipfix_encoder_free(e->streams[i].encoder);
	free(e->interfaces);
	free(e);
}

static int create_encoders(struct exporter *e, const struct exporter_options *o)
{
	struct endpoint to;
	uint16_t version = 0;
	int ret = e->has_target ? transport_parse(o->target, &to, &version) : 0;
	if (ret < 0)
		return ret;
	for (unsigned i = 0; i < o->n_sources; i++) {
		struct ipfix_encoder_options eo = {
			.domain = o->sources[i].domain,
			.max_len = o->max_len,
			.biflow = o->biflow,
			.pen = o->pen,
			.version = version,
		};
		e->streams[i].source = o->sources[i];
		ret = e->has_target ? ipfix_encoder_create(&eo, &e->streams[i].encoder) : 0;
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int copy_interfaces(struct exporter *e, const struct exporter_options *o)
{
	if (o->n_interfaces == 0)
		return 0;
	e->interfaces = calloc(o->n_interfaces, sizeof(e->interfaces[0]));
	if (!e->interfaces)
		return -ENOMEM;
	memcpy(e->interfaces, o->interfaces, o->n_interfaces * sizeof(e->interfaces[0]));
	e->n_interfaces = o->n_interfaces;
	return 0;
}

static int wait_connected(struct exporter *e, uint64_t wait_ns)
{
	uint64_t deadline = clock_mono_ns() + wait_ns;
	while (!transport_connect(&e->transport, clock_mono_ns())) {
		bool is_refused =
			e->transport.error == -EACCES; // its certificate: waiting is in vain
		if (is_refused || clock_mono_ns() >= deadline)
			return e->transport.error;
		pause_ns(20 * NS_PER_MSEC);
	}
	return 0;
}

int exporter_start(const struct exporter_options *o, struct exporter **ret_exporter)
{
	struct exporter *e = calloc(1, sizeof(*e) + o->n_sources * sizeof(e->streams[0]));
	if (!e)
		return -ENOMEM;
	e->n_streams = o->n_sources;
	e->has_target = *o->target != '\0';
	e->template_interval_ns = o->template_interval_ns;
	e->rate = o->rate;
	e->patience_ns = o->patience_ns;
	e->transport.fd = -1;
	e->sampling = o->sampling;
	e->statistics = o->statistics;
	e->ctx = o->ctx;
	int ret = copy_interfaces(e, o);
	if (ret == 0)
		ret = create_encoders(e, o);
	if (ret == 0 && e->has_target)
		ret = transport_init(&e->transport, o->target, &o->tls);
	if (ret == 0 && e->has_target && o->patience_ns)
		ret = wait_connected(e, o->patience_ns);
	if (ret == 0)
		ret = -pthread_create(&e->thread, NULL, run, e);
	if (ret < 0) {
		exporter_free(e);
		return ret;
	}
	*ret_exporter = e;
	return 0;
}

bool exporter_counters(struct exporter *e, uint64_t wait_ns, struct exporter_counters *ret_counters)
{
	if (!ask_wait(&e->ask, wait_ns))
		return false;
	*ret_counters = e->told;
	return true;
}

void exporter_hurry(struct exporter *e)
{
	atomic_store_explicit(&e->hurry, true, memory_order_relaxed);
}

void exporter_stop(struct exporter *e, struct exporter_counters *ret_counters)
{
	atomic_store_explicit(&e->stop, true, memory_order_release);
	pthread_join(e->thread, NULL);
	*ret_counters = e->counters;
	exporter_free(e);
}
