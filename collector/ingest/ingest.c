// SPDX-License-Identifier: Apache-2.0
#include "collector/ingest/ingest.h"

#include "collector/ingest/kept.h"
#include "collector/ingest/listen.h"
#include "collector/ingest/stream.h"
#include "lib/base/clock.h"
#include "lib/ipfix/wire.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_MAX 64
#define ROUNDS_MAX 16 // bursts of one socket before the others have their turn
#define DRAIN_NS (2 * NS_PER_SEC)
#define EXPORTERS_MAX 4096 // listed per thread
#define KEEP_SOON_NS (5 * NS_PER_SEC)
#define KEEP_ANYHOW_NS (60 * NS_PER_SEC) // ages move on though nothing is learnt

enum source_kind { SOURCE_UDP, SOURCE_LISTENER };

struct source {
	enum source_kind kind;
	int fd;		 // -1: not open
	uint32_t drops;	 // of the kernel, counted so far
	bool is_resting; // a listener that could not accept: looked at again in a second
};

struct thread {
	struct ingest *ingest;
	pthread_t id;
	bool is_running, is_joined;
	int epoll;
	struct source sources[INGEST_LISTEN_MAX];
	struct listen_burst *burst;
	struct intake intake;
	struct stream_table streams;
	uint64_t listed_ns;
	atomic_uint_least64_t n_turns;
	uint64_t n_turns_seen; // by control
	pthread_mutex_t lock;  // of what follows: the list as others see it
	struct ingest_exporter *exporters;
	size_t n_exporters;
	uint8_t *kept; // likewise, what sessions know, for the next start
	size_t kept_len;
	uint64_t kept_ns, kept_learnt; // when and at how much learnt; the thread's own
};

struct ingest {
	struct ingest_options o;
	struct sockaddr_storage bound[INGEST_LISTEN_MAX];
	int stop; // eventfd: readable once the threads are to end
	unsigned n_threads;
	struct thread threads[];
};

struct ingest_options ingest_defaults(void)
{
	return (struct ingest_options){
		.threads = 1,
		.clock_skew_ns = 24 * NS_PER_HOUR,
		.flush_ns = 250 * NS_PER_MSEC,
		.idle_ns = 600 * NS_PER_SEC,
		.max_exporters = 1024,
		.max_connections = 256,
		.open_batches = 4,
		.rcvbuf = 32 << 20,
		.memory = 64 << 20,
		.limits =
			{
				.templates = 1024,
				.fields = IPFIX_FIELDS_LIMIT,
				.pending_len = 1 << 20,
				.pending_ns = 60 * NS_PER_SEC,
				.lifetime_ns = 1800 * NS_PER_SEC,
				.weir_pen = PEN_WEIR,
			},
	};
}

static void read_udp(struct thread *t, unsigned index, uint64_t now_ns)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		unsigned n = listen_read(t->sources[index].fd, t->burst);
		for (unsigned i = 0; i < n; i++) {
			struct listen_datagram d = listen_datagram(t->burst, i);
			const struct sockaddr *from = (const struct sockaddr *)d.from;
			struct peer peer = {
				.addr = addr_of_sockaddr(from),
				.port = (uint16_t)endpoint_port(from),
				.source = index,
			};
			intake_datagram(&t->intake, &peer, buf_of(d.data, d.len), now_ns);
		}
		intake_account(&t->intake);
		if (n < LISTEN_BURST)
			return;
	}
}

static int watch(struct thread *t, int fd, void *ptr)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = ptr};
	return epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static void accept_all(struct thread *t, struct source *source, uint64_t now_ns)
{
	bool more = true;
	while (more) {
		struct stream *s = stream_accept(&t->streams, source->fd, now_ns, &more);
		if (s && watch(t, s->fd, s) < 0)
			return; // it is closed when it has been idle
	}
	if (t->streams.is_starved) {
		source->is_resting = true;
		epoll_ctl(t->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	}
}

static void wake_listeners(struct thread *t)
{
	for (size_t i = 0; i < t->ingest->o.n_listen; i++) {
		struct source *s = &t->sources[i];
		if (s->is_resting && watch(t, s->fd, s) == 0)
			s->is_resting = false;
	}
}

static void count_drops(struct thread *t)
{
	for (size_t i = 0; i < t->ingest->o.n_listen; i++) {
		struct source *s = &t->sources[i];
		if (s->kind != SOURCE_UDP)
			continue;
		uint32_t drops = listen_drops(s->fd);
		t->intake.counts[LEDGER_kernel_queue] += (uint32_t)(drops - s->drops);
		s->drops = drops;
	}
}

static void list_session(void *arg, struct session *s)
{
	struct thread *t = arg;
	if (t->n_exporters == EXPORTERS_MAX)
		return;
	uint64_t template_ns = s->domain ? s->domain->learnt_ns : 0;
	t->exporters[t->n_exporters++] = (struct ingest_exporter){
		.addr = s->key.addr,
		.domain = s->key.domain,
		.port = s->key.port,
		.version = s->version,
		.entity = s->entity,
		.is_tcp = s->is_tcp,
		.is_sflow = s->key.fixed == SESSION_SFLOW,
		.templates = s->domain ? s->domain->n_templates : 0,
		.sampling = s->sampling,
		.messages = s->messages,
		.records = s->records,
		.options = s->options,
		.lost = s->lost,
		.resets = s->resets,
		.reordered = s->reordered,
		.duplicates = s->duplicates,
		.last_ns = s->last_ns + t->intake.wall_ns,
		.template_ns = template_ns ? template_ns + t->intake.wall_ns : 0,
		.skew_ns = s->skew_ns,
		.has_skew = s->has_skew,
	};
}

struct keeping {
	struct wbuf w;
	uint64_t now_ns, wall_ns;
};

static void keep_session(void *arg, struct session *s)
{
	struct keeping *k = arg;
	kept_put(&k->w, s, k->now_ns, k->wall_ns);
}

// Lays what sessions know out for ingest_keep. Without memory the older stays.
static void keep(struct thread *t, uint64_t now_ns)
{
	size_t cap = KEPT_LEN_MAX / t->ingest->n_threads;
	uint8_t *room = malloc(cap);
	if (!room)
		return;
	struct keeping k = {wbuf_of(room, cap), now_ns, now_ns + t->intake.wall_ns};
	session_each(&t->intake.sessions, keep_session, &k);
	size_t len = wbuf_len(&k.w);
	uint8_t *kept = realloc(room, len ? len : 1);
	pthread_mutex_lock(&t->lock);
	free(t->kept);
	t->kept = kept ? kept : room;
	t->kept_len = len;
	pthread_mutex_unlock(&t->lock);
	t->kept_ns = now_ns;
	t->kept_learnt = t->intake.n_learnt;
}

static void keep_when_due(struct thread *t, uint64_t now_ns)
{
	bool is_new = t->intake.n_learnt != t->kept_learnt;
	if (now_ns - t->kept_ns >= (is_new ? KEEP_SOON_NS : KEEP_ANYHOW_NS))
		keep(t, now_ns);
}

static void tick(struct thread *t, uint64_t now_ns)
{
	count_drops(t);
	intake_tick(&t->intake, now_ns);
	if (now_ns - t->listed_ns < NS_PER_SEC)
		return;
	t->listed_ns = now_ns;
	keep_when_due(t, now_ns);
	stream_tick(&t->streams, now_ns);
	wake_listeners(t);
	pthread_mutex_lock(&t->lock);
	t->n_exporters = 0;
	session_each(&t->intake.sessions, list_session, t);
	pthread_mutex_unlock(&t->lock);
}

static bool is_source(const struct thread *t, const void *p, unsigned *ret_index)
{
	const struct source *s = p;
	if (s < t->sources || s >= t->sources + INGEST_LISTEN_MAX)
		return false;
	*ret_index = (unsigned)(s - t->sources);
	return true;
}

// Handles one descriptor that can be read; false: it is the sign to stop.
static bool dispatch(struct thread *t, void *ptr, uint64_t now_ns)
{
	unsigned index;
	if (!ptr)
		return false;
	if (!is_source(t, ptr, &index))
		stream_read(&t->streams, ptr, now_ns);
	else if (t->sources[index].kind == SOURCE_UDP)
		read_udp(t, index, now_ns);
	else
		accept_all(t, &t->sources[index], now_ns);
	return true;
}

// One turn: what is readable, then what time has brought. False: stop.
static bool turn(struct thread *t, int timeout_ms, int *ret_n)
{
	struct epoll_event events[EVENTS_MAX];
	bool go_on = true;
	atomic_fetch_add_explicit(&t->n_turns, 1, memory_order_relaxed);
	int n = epoll_wait(t->epoll, events, EVENTS_MAX, timeout_ms);
	uint64_t now_ns = clock_mono_ns();
	t->intake.wall_ns = clock_now_ns() - now_ns;
	for (int i = 0; i < n; i++)
		go_on &= dispatch(t, events[i].data.ptr, now_ns);
	tick(t, now_ns);
	*ret_n = n;
	return go_on;
}

// What had arrived before the stop is read, within bounds.
static void drain(struct thread *t)
{
	uint64_t until = clock_mono_ns() + DRAIN_NS;
	int n;
	epoll_ctl(t->epoll, EPOLL_CTL_DEL, t->ingest->stop, NULL);
	do {
		turn(t, 0, &n);
	} while (n > 0 && clock_mono_ns() < until);
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;
	int timeout_ms = (int)(t->ingest->o.flush_ns / NS_PER_MSEC / 2), n;
	while (turn(t, timeout_ms > 5 ? timeout_ms : 5, &n))
		;
	drain(t);
	keep(t, clock_mono_ns());
	stream_fini(&t->streams);
	intake_fini(&t->intake);
	return NULL;
}

static int open_source(struct thread *t, size_t i, char warning[static INGEST_WARNING_LEN])
{
	struct ingest *g = t->ingest;
	struct source *s = &t->sources[i];
	char text[ENDPOINT_TEXT_LEN];
	int rcvbuf = g->o.rcvbuf;

	s->kind = g->o.listen[i].kind == INGEST_UDP ? SOURCE_UDP : SOURCE_LISTENER;
	s->fd = s->kind == SOURCE_UDP ? listen_udp(&g->bound[i], g->o.rcvbuf, &rcvbuf)
				      : listen_tcp(&g->bound[i]);
	endpoint_format((struct sockaddr *)&g->bound[i], text);
	if (s->fd < 0) {
		snprintf(warning, INGEST_WARNING_LEN, "listen on %s", text);
		return s->fd;
	}
	if (rcvbuf < g->o.rcvbuf)
		snprintf(
			warning,
			INGEST_WARNING_LEN,
			"the kernel caps the receive buffer of %s at %d of %d bytes: "
			"sysctl -w net.core.rmem_max=%d",
			text,
			rcvbuf,
			g->o.rcvbuf,
			g->o.rcvbuf
		);
	return watch(t, s->fd, s);
}

static int thread_init(struct thread *t, char warning[static INGEST_WARNING_LEN])
{
	const struct ingest_options *o = &t->ingest->o;
	t->burst = listen_burst_create();
	t->exporters = calloc(EXPORTERS_MAX, sizeof(*t->exporters));
	t->streams = (struct stream_table){
		.intake = &t->intake,
		.max = o->max_connections,
		.idle_ns = o->idle_ns,
	};
	if (!t->burst || !t->exporters)
		return -ENOMEM;
	int ret = intake_init(&t->intake, o);
	if (ret < 0)
		return ret;
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (t->epoll < 0)
		return -errno;
	ret = watch(t, t->ingest->stop, NULL);
	for (size_t i = 0; ret == 0 && i < o->n_listen; i++)
		ret = open_source(t, i, warning);
	return ret;
}

static void thread_fini(struct thread *t)
{
	for (size_t i = 0; i < INGEST_LISTEN_MAX; i++) {
		if (t->sources[i].fd >= 0)
			close(t->sources[i].fd);
	}
	if (t->epoll >= 0)
		close(t->epoll);
	if (!t->is_running && t->intake.open)
		intake_fini(&t->intake);
	listen_burst_free(t->burst);
	free(t->exporters);
	free(t->kept);
	pthread_mutex_destroy(&t->lock);
}

static void ingest_free(struct ingest *g)
{
	for (unsigned i = 0; i < g->n_threads; i++)
		thread_fini(&g->threads[i]);
	if (g->stop >= 0)
		close(g->stop);
	free(g);
}

static struct ingest *ingest_create(const struct ingest_options *o)
{
	struct ingest *g = calloc(1, sizeof(*g) + o->threads * sizeof(struct thread));
	if (!g)
		return NULL;
	g->o = *o;
	g->n_threads = o->threads;
	g->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (size_t i = 0; i < o->n_listen; i++)
		g->bound[i] = o->listen[i].sa;
	for (unsigned i = 0; i < o->threads; i++) {
		struct thread *t = &g->threads[i];
		t->ingest = g;
		t->epoll = -1;
		pthread_mutex_init(&t->lock, NULL);
		for (size_t s = 0; s < INGEST_LISTEN_MAX; s++)
			t->sources[s].fd = -1;
	}
	return g;
}

static void threads_join(struct ingest *g)
{
	const uint64_t one = 1;
	if (g->stop >= 0 && write(g->stop, &one, sizeof(one)) < 0)
		abort(); // an eventfd holds 2^64 - 2 of these
	for (unsigned i = 0; i < g->n_threads; i++) {
		struct thread *t = &g->threads[i];
		if (t->is_running && !t->is_joined)
			pthread_join(t->id, NULL);
		t->is_joined = true;
	}
}

int ingest_start(
	const struct ingest_options *options,
	struct ingest **ret_ingest,
	char warning[static INGEST_WARNING_LEN]
)
{
	int ret = 0;
	warning[0] = '\0';
	if (options->n_listen == 0 || options->n_listen > INGEST_LISTEN_MAX ||
	    options->threads == 0 || options->threads > INGEST_THREADS_MAX ||
	    options->open_batches == 0) {
		snprintf(warning, INGEST_WARNING_LEN, "ingest: nothing to listen on, or too much");
		return -EINVAL;
	}
	struct ingest *g = ingest_create(options);
	if (!g)
		return -ENOMEM;
	if (g->stop < 0)
		ret = -errno;
	// All sockets before any thread: the first error leaves nothing behind.
	for (unsigned i = 0; ret == 0 && i < g->n_threads; i++)
		ret = thread_init(&g->threads[i], warning);
	for (unsigned i = 0; ret == 0 && i < g->n_threads; i++) {
		struct thread *t = &g->threads[i];
		ret = -pthread_create(&t->id, NULL, thread_main, t);
		t->is_running = ret == 0;
	}
	if (ret < 0) {
		threads_join(g);
		ingest_free(g);
		return ret;
	}
	*ret_ingest = g;
	return 0;
}

void ingest_keep(struct ingest *g, struct wbuf *w)
{
	kept_head(w);
	for (unsigned i = 0; i < g->n_threads; i++) {
		struct thread *t = &g->threads[i];
		pthread_mutex_lock(&t->lock);
		if (wbuf_left(w) >= t->kept_len)
			wbuf_bytes(w, t->kept, t->kept_len);
		pthread_mutex_unlock(&t->lock);
	}
	kept_put_rest(w, g->o.kept, g->o.limits.lifetime_ns, clock_now_ns());
}

void ingest_finish(struct ingest *g)
{
	threads_join(g);
}

void ingest_stop(struct ingest *g)
{
	if (!g)
		return;
	threads_join(g);
	ingest_free(g);
}

bool ingest_goes_on(struct ingest *g)
{
	bool all = true;
	for (unsigned i = 0; i < g->n_threads; i++) {
		struct thread *t = &g->threads[i];
		uint64_t n = atomic_load_explicit(&t->n_turns, memory_order_relaxed);
		all &= n != t->n_turns_seen;
		t->n_turns_seen = n;
	}
	return all;
}

unsigned ingest_port(const struct ingest *g, size_t i)
{
	return endpoint_port((const struct sockaddr *)&g->bound[i]);
}

size_t ingest_exporters(struct ingest *g, struct ingest_exporter *ret_list, size_t max)
{
	size_t n = 0;
	for (unsigned i = 0; i < g->n_threads; i++) {
		struct thread *t = &g->threads[i];
		pthread_mutex_lock(&t->lock);
		size_t take = t->n_exporters < max - n ? t->n_exporters : max - n;
		memcpy(ret_list + n, t->exporters, take * sizeof(*ret_list));
		pthread_mutex_unlock(&t->lock);
		n += take;
	}
	return n;
}
