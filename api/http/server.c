// SPDX-License-Identifier: Apache-2.0
#include "api/http/server.h"

#include "api/http/exchange.h"
#include "api/http/peers.h"
#include "api/http/pool.h"
#include "api/http/shim.h"
#include "lib/base/log.h"

#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h> // struct tcp_info with the bytes acknowledged
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SWEEP_NS NS_PER_SEC
#define STOP_NS (5 * NS_PER_SEC)
#define LINGER_NS (2 * NS_PER_SEC)
#define RETIRED_NS                                                                                 \
	(60 * NS_PER_SEC) // longer than any handshake: contexts are not counted by libh2o
#define WRITE_STALL_MS 30000
#define STACK_LEN (8u << 20) // HTTP/1 header names are copied to the stack: up to 400 KB

struct loop {
	struct server *server;
	h2o_context_t ctx;
	h2o_multithread_receiver_t control;
	struct exchange_loop exchange; // requests under way
	h2o_linklist_t conns;
	h2o_linklist_t lingering;
	struct door *doors;
	bool stopping;
	uint64_t stop_by_ns, swept_ns;
	atomic_uint_least64_t n_turns;
	uint64_t n_turns_seen; // by control
	pthread_t thread;
};

// A listening socket as one loop sees it.
struct door {
	struct loop *loop;
	h2o_socket_t *sock;
	h2o_accept_ctx_t accept;
	bool tls;
};

// A connection that was refused in mid-request: closing it at once would reset it, and the client
// would lose the answer. Reads to nowhere for a while instead.
struct lingerer {
	h2o_linklist_t link;
	h2o_socket_t *sock;
	uint64_t until_ns;
};

struct retired {
	SSL_CTX *tls;
	uint64_t at_ns;
	struct retired *next;
};

struct server {
	struct app *app;
	h2o_globalconf_t config;
	struct peers *peers;
	struct pool *pool;
	pthread_mutex_t tls_lock;
	SSL_CTX *tls;
	struct retired *retired;
	const struct listener *listeners;
	size_t n_listeners;
	size_t n_loops;
	struct loop *loops;
};

static void end_lingerer(struct lingerer *l)
{
	h2o_linklist_unlink(&l->link);
	h2o_socket_close(l->sock);
	free(l);
}

static void on_linger_read(h2o_socket_t *sock, const char *err)
{
	if (err)
		end_lingerer(sock->data);
	else
		h2o_buffer_consume(&sock->input, sock->input->size);
}

static void linger(struct loop *loop, int fd)
{
	struct lingerer *l = calloc(1, sizeof(*l));
	if (!l || shutdown(fd, SHUT_WR) < 0) {
		free(l);
		close(fd);
		return;
	}
	l->until_ns = clock_mono_ns() + LINGER_NS;
	l->sock = h2o_evloop_socket_create(loop->ctx.loop, fd, 0);
	l->sock->data = l;
	h2o_linklist_insert(&loop->lingering, &l->link);
	h2o_socket_read_start(l->sock, on_linger_read);
}

static void on_close(void *data)
{
	struct conn *c = data;
	struct loop *loop = c->owner;
	h2o_linklist_unlink(&c->link);
	peers_del(loop->server->peers, &c->peer);
	if (c->linger_fd >= 0)
		linger(loop, c->linger_fd);
	free(c);
}

static void refuse_conn(h2o_socket_t *sock, const struct addr *peer, int why)
{
	static __thread struct log_limit limit;
	uint64_t suppressed;
	char text[ADDR_TEXT_LEN];
	if (log_limit_ok(&limit, 3, &suppressed))
		log_warn(
			"connection from %s refused: %s (%llu more)",
			addr_format(peer, text),
			why == -EMFILE ? "too many connections" : "too many of this address",
			(unsigned long long)suppressed
		);
	h2o_socket_close(sock);
}

static void welcome(struct door *door, h2o_socket_t *sock)
{
	struct server *s = door->loop->server;
	struct sockaddr_storage ss = {};
	int stall_ms = WRITE_STALL_MS;

	h2o_socket_getpeername(sock, (struct sockaddr *)&ss);
	struct addr peer = addr_of_sockaddr((struct sockaddr *)&ss);
	int ret = peers_add(s->peers, &peer);
	struct conn *c = ret == 0 ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		if (ret == 0)
			peers_del(s->peers, &peer);
		refuse_conn(sock, &peer, ret);
		return;
	}
	if (setsockopt(
		    h2o_socket_get_fd(sock),
		    IPPROTO_TCP,
		    TCP_USER_TIMEOUT,
		    &stall_ms,
		    sizeof(stall_ms)
	    ) < 0)
		log_debug(
			"TCP_USER_TIMEOUT: %s", strerror(errno)
		); // the sweep cuts stalled ones too
	c->guard.budget = SHIM_BUDGET;
	c->owner = door->loop;
	c->exchange = &door->loop->exchange;
	c->sock = sock;
	c->peer = peer;
	c->tls = door->tls;
	c->linger_fd = -1;
	c->life.opened_ns = c->life.done_ns = clock_mono_ns();
	h2o_linklist_init_anchor(&c->requests);
	h2o_linklist_init_anchor(&c->streams);
	h2o_linklist_insert(&door->loop->conns, &c->link);
	sock->on_close.cb = on_close;
	sock->on_close.data = c;
	if (door->tls) {
		pthread_mutex_lock(&s->tls_lock);
		door->accept.ssl_ctx = s->tls;
		pthread_mutex_unlock(&s->tls_lock);
	}
	h2o_accept(&door->accept, sock);
}

static void on_accept(h2o_socket_t *listener, const char *err)
{
	if (err)
		return;
	for (int i = 0; i < 16; i++) { // a few at a time: those who are in have a right to go on
		h2o_socket_t *sock = h2o_evloop_socket_accept(listener);
		if (!sock)
			return;
		welcome(listener->data, sock);
	}
}

static void update_progress(struct conn *c, uint64_t now)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);
	if (getsockopt(h2o_socket_get_fd(c->sock), IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	    info.tcpi_bytes_acked != c->life.acked_bytes) {
		c->life.acked_bytes = info.tcpi_bytes_acked;
		c->life.acked_ns = now;
	}
}

// The socket is libh2o's: shutting the connection down makes it find the end and clean up by
// itself.
static void sweep(struct loop *loop, uint64_t now)
{
	h2o_linklist_t *node, *next;
	for (node = loop->conns.next; node != &loop->conns; node = node->next) {
		struct conn *c = H2O_STRUCT_FROM_MEMBER(struct conn, link, node);
		update_progress(c, now);
		if (life_is_stuck(&c->life, now))
			shutdown(h2o_socket_get_fd(c->sock), SHUT_RDWR);
	}
	for (node = loop->lingering.next; node != &loop->lingering; node = next) {
		struct lingerer *l = H2O_STRUCT_FROM_MEMBER(struct lingerer, link, node);
		next = node->next;
		if (now >= l->until_ns)
			end_lingerer(l);
	}
	loop->swept_ns = now;
}

static void close_doors(struct loop *loop)
{
	for (size_t i = 0; i < loop->server->n_listeners; i++)
		h2o_socket_close(loop->doors[i].sock);
}

// The only message there is: stop.
static void on_control(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
	struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, control, receiver);
	while (!h2o_linklist_is_empty(messages))
		h2o_linklist_unlink(messages->next);
	if (loop->stopping)
		return;
	loop->stopping = true;
	loop->stop_by_ns = clock_mono_ns() + STOP_NS;
	close_doors(loop);
	for (h2o_linklist_t *n = loop->conns.next; n != &loop->conns; n = n->next)
		exchange_stop(H2O_STRUCT_FROM_MEMBER(struct conn, link, n));
	h2o_context_request_shutdown(&loop->ctx);
}

static bool is_done(const struct loop *loop, uint64_t now)
{
	if (!loop->stopping)
		return false;
	if (now >= loop->stop_by_ns)
		return true;
	for (h2o_linklist_t *n = loop->conns.next; n != &loop->conns; n = n->next) {
		struct conn *c = H2O_STRUCT_FROM_MEMBER(struct conn, link, n);
		if (!h2o_linklist_is_empty(&c->requests))
			return false;
		// nothing under way: the client hears of it by GOAWAY or end of stream
		if (now >= loop->stop_by_ns - STOP_NS + NS_PER_SEC)
			shutdown(h2o_socket_get_fd(c->sock), SHUT_RDWR);
	}
	return h2o_linklist_is_empty((h2o_linklist_t *)&loop->conns);
}

static void *loop_main(void *arg)
{
	struct loop *loop = arg;
	for (;;) {
		uint64_t now = clock_mono_ns();
		atomic_fetch_add_explicit(&loop->n_turns, 1, memory_order_relaxed);
		if (is_done(loop, now))
			return NULL;
		if (now - loop->swept_ns >= SWEEP_NS)
			sweep(loop, now);
		h2o_evloop_run(loop->ctx.loop, loop->stopping ? 20 : 250);
	}
}

static int open_doors(struct loop *loop)
{
	struct server *s = loop->server;
	loop->doors = calloc(s->n_listeners, sizeof(*loop->doors));
	if (!loop->doors)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_listeners; i++) {
		struct door *d = &loop->doors[i];
		int fd = fcntl(s->listeners[i].fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return -errno;
		d->loop = loop;
		d->tls = s->listeners[i].tls;
		d->accept = (h2o_accept_ctx_t){.ctx = &loop->ctx, .hosts = s->config.hosts};
		d->sock = h2o_evloop_socket_create(loop->ctx.loop, fd, H2O_SOCKET_FLAG_DONT_READ);
		d->sock->data = d;
		h2o_socket_read_start(d->sock, on_accept);
	}
	return 0;
}

static int start_loop(struct server *s, struct loop *loop)
{
	pthread_attr_t attr;
	loop->server = s;
	h2o_linklist_init_anchor(&loop->conns);
	h2o_linklist_init_anchor(&loop->lingering);
	h2o_context_init(&loop->ctx, h2o_evloop_create(), &s->config);
	h2o_multithread_register_receiver(loop->ctx.queue, &loop->control, on_control);
	exchange_loop_init(&loop->exchange, &loop->ctx, s->app, s->pool);
	int ret = open_doors(loop);
	if (ret < 0)
		return ret;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_LEN);
	ret = -pthread_create(&loop->thread, &attr, loop_main, loop);
	pthread_attr_destroy(&attr);
	return ret;
}

static void configure(struct server *s)
{
	h2o_globalconf_t *g = &s->config;
	h2o_config_init(g);
	g->server_name = (h2o_iovec_t){H2O_STRLIT("weir")};
	g->max_request_entity_size = REQUEST_BODY_MAX;
	g->max_delegations = 0;
	g->handshake_timeout = 5000;
	g->http1.req_timeout = 10000;
	g->http1.upgrade_to_http2 = 0;
	g->http2.idle_timeout = 10000;
	g->http2.graceful_shutdown_timeout = 5000;
	g->http2.max_concurrent_requests_per_connection = 16;
	g->http2.max_streams_for_priority = 16;
	exchange_register(g);
}

int server_start(const struct server_options *options, struct server **ret_server)
{
	const struct api_config *c = options->app->config;
	struct server *s = calloc(1, sizeof(*s));
	int ret = s ? 0 : -ENOMEM;
	if (ret < 0)
		return ret;
	if (!shim_works()) {
		log_err("libh2o does not call the shim: refusing to serve with it");
		free(s);
		return -ENOTSUP;
	}
	s->app = options->app;
	s->listeners = options->listeners;
	s->n_listeners = options->n_listeners;
	s->tls = options->tls;
	pthread_mutex_init(&s->tls_lock, NULL);
	configure(s);
	s->peers = peers_create((uint32_t)c->max_conns, (uint32_t)c->max_conns_peer);
	s->loops = calloc((size_t)c->threads, sizeof(*s->loops));
	if (!s->peers || !s->loops)
		ret = -ENOMEM;
	if (ret == 0)
		ret = pool_start((unsigned)c->workers, (unsigned)c->queue, &s->pool);
	for (; ret == 0 && s->n_loops < (size_t)c->threads; s->n_loops++)
		if ((ret = start_loop(s, &s->loops[s->n_loops])) < 0)
			break;
	*ret_server = s; // of a server that could not start all the caller can do is end
	return ret;
}

void server_set_tls(struct server *s, SSL_CTX *tls)
{
	uint64_t now = clock_mono_ns();
	struct retired *r = calloc(1, sizeof(*r));
	pthread_mutex_lock(&s->tls_lock);
	SSL_CTX *old = s->tls;
	s->tls = tls;
	pthread_mutex_unlock(&s->tls_lock);
	for (struct retired **at = &s->retired; *at;) {
		struct retired *old_one = *at;
		if (now - old_one->at_ns < RETIRED_NS) {
			at = &old_one->next;
			continue;
		}
		*at = old_one->next;
		SSL_CTX_free(old_one->tls);
		free(old_one);
	}
	if (r) { // without memory it is never freed, which is safe
		*r = (struct retired){.tls = old, .at_ns = now, .next = s->retired};
		s->retired = r;
	}
}

bool server_goes_on(struct server *s)
{
	bool all = true;
	for (size_t i = 0; i < s->n_loops; i++) {
		struct loop *l = &s->loops[i];
		uint64_t n = atomic_load_explicit(&l->n_turns, memory_order_relaxed);
		all &= n != l->n_turns_seen;
		l->n_turns_seen = n;
	}
	return all;
}

void server_stop(struct server *s)
{
	static h2o_multithread_message_t stop[64];
	static_assert(sizeof(stop) / sizeof(stop[0]) >= 64, "one message for each of api.threads");
	for (size_t i = 0; i < s->n_loops; i++)
		h2o_multithread_send_message(&s->loops[i].control, &stop[i]);
	for (size_t i = 0; i < s->n_loops; i++)
		pthread_join(s->loops[i].thread, NULL);
	// What the loops own ends with the process: libh2o 2.2.5 cannot take down a context that
	// still has connections.
	pool_stop(s->pool);
}
