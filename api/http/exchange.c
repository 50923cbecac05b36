// SPDX-License-Identifier: Apache-2.0
#include "api/http/exchange.h"

#include "api/http/head.h"
#include "api/http/metrics.h"
#include "api/http/route.h"
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LIVE_SNDBUF (128 << 10)

// Owned by the loop (through `watch`, as long as libh2o has the request) and by the worker (as long
// as it runs): whoever is last frees it. `req` is the loop's alone and NULL once libh2o has freed
// it.
struct job {
	struct task task;
	h2o_multithread_message_t done, more;
	h2o_generator_t generator; // of a stream
	char *sending;		   // what libh2o reads; NULL: it waits for more
	bool is_started;	   // the worker has let it go before its end
	bool is_stream, is_ended;
	_Atomic int n_owners;
	h2o_req_t *req;
	struct exchange_loop *loop;
	struct conn *conn;
	h2o_linklist_t link;
	uint64_t started_ns;
	const struct route *route;
	struct auth_claims claims;
	struct request request;
	struct response response;
	char text[]; // what request points into
};

struct watch {
	struct job *job;
};

static void job_release(struct job *j)
{
	if (atomic_fetch_sub(&j->n_owners, 1) == 1) {
		response_fini(&j->response);
		free(j->sending);
		free(j);
	}
}

static void find_oldest(struct conn *c)
{
	c->life.oldest_ns = 0;
	if (!h2o_linklist_is_empty(&c->requests))
		c->life.oldest_ns =
			H2O_STRUCT_FROM_MEMBER(struct job, link, c->requests.next)->started_ns;
}

// libh2o frees the request: it was answered, or its client went away.
static void on_dispose(void *data)
{
	struct job *j = ((struct watch *)data)->job;
	struct conn *c = j->conn;
	j->req = NULL;
	atomic_store_explicit(&j->request.stop.gone, true, memory_order_relaxed);
	h2o_linklist_unlink(&j->link);
	c->life.done_ns = clock_mono_ns();
	find_oldest(c);
	if (j->is_stream) {
		c->life.n_streams--;
		stream_close(j->response.stream);
	}
	job_release(j);
}

static const h2o_iovec_t *find_header(const h2o_req_t *req, const h2o_token_t *token)
{
	ssize_t at = h2o_find_header(&req->headers, token, -1);
	return at < 0 ? NULL : &req->headers.entries[at].value;
}

// Copies text behind *at, NUL-terminated; NULL for NULL.
static const char *keep(char **at, const h2o_iovec_t *v)
{
	char *start = *at;
	if (!v)
		return NULL;
	if (v->len)
		memcpy(start, v->base, v->len);
	start[v->len] = '\0';
	*at += v->len + 1;
	return start;
}

// The request with everything it says, in one piece of memory.
static struct job *job_create(struct exchange_loop *x, struct conn *c, h2o_req_t *req)
{
	size_t query_at = req->query_at == SIZE_MAX ? req->path.len : req->query_at;
	h2o_iovec_t path = h2o_iovec_init(req->path.base, query_at);
	h2o_iovec_t query = h2o_iovec_init(NULL, 0);
	if (req->path.len > query_at + 1)
		query = h2o_iovec_init(req->path.base + query_at + 1, req->path.len - query_at - 1);
	ssize_t last_event = h2o_find_header_by_str(&req->headers, H2O_STRLIT("last-event-id"), -1);
	const h2o_iovec_t *parts[] = {
		&req->method,
		&path,
		&query,
		find_header(req, H2O_TOKEN_AUTHORIZATION),
		find_header(req, H2O_TOKEN_COOKIE),
		find_header(req, H2O_TOKEN_CONTENT_TYPE),
		find_header(req, H2O_TOKEN_ACCEPT),
		&req->entity,
		last_event < 0 ? NULL : &req->headers.entries[last_event].value,
	};
	size_t n = 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		n += parts[i] ? parts[i]->len + 1 : 0;
	struct job *j = calloc(1, sizeof(*j) + n);
	if (!j)
		return NULL;

	char *at = j->text;
	uint64_t now = clock_mono_ns();
	struct request *r = &j->request;
	r->method = keep(&at, parts[0]);
	r->path = keep(&at, parts[1]);
	r->query = keep(&at, parts[2]);
	r->query_len = query.len;
	r->authorization = keep(&at, parts[3]);
	r->cookie = keep(&at, parts[4]);
	r->content_type = keep(&at, parts[5]);
	r->accept = keep(&at, parts[6]);
	r->body = keep(&at, parts[7]);
	r->body_len = req->entity.len;
	r->last_event_id = keep(&at, parts[8]);
	r->peer = c->peer;
	r->is_forwarded = find_header(req, H2O_TOKEN_X_FORWARDED_FOR) ||
			  find_header(req, H2O_TOKEN_VIA) ||
			  h2o_find_header_by_str(&req->headers, H2O_STRLIT("forwarded"), -1) >= 0;
	r->stop.deadline_ns = now + (uint64_t)x->app->config->query_timeout_ns;
	j->n_owners = 1;
	j->req = req;
	j->loop = x;
	j->conn = c;
	j->started_ns = now;
	return j;
}

static void watch(struct job *j)
{
	struct conn *c = j->conn;
	struct watch *w = h2o_mem_alloc_shared(&j->req->pool, sizeof(*w), on_dispose);
	w->job = j;
	h2o_linklist_insert(&c->requests, &j->link);
	if (!c->life.oldest_ns)
		c->life.oldest_ns = j->started_ns;
}

static void add_header(h2o_req_t *req, const char *name, const char *value)
{
	h2o_add_header_by_str(
		&req->pool, &req->res.headers, name, strlen(name), 1, NULL, value, strlen(value)
	);
}

// The headers that every answer has: reliability before convenience (OWASP, "API8").
static void add_headers(h2o_req_t *req, const struct response *r, bool tls)
{
	char *seconds;
	add_header(req, "content-type", r->content_type);
	add_header(req, "cache-control", "no-store");
	add_header(req, "x-content-type-options", "nosniff");
	add_header(req, "referrer-policy", "no-referrer");
	add_header(
		req,
		"content-security-policy",
		"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	);
	if (tls)
		add_header(req, "strict-transport-security", "max-age=31536000");
	if (r->status == 401)
		add_header(req, "www-authenticate", "Bearer realm=\"weir\"");
	if (r->allow)
		add_header(req, "allow", r->allow);
	if (*r->next_cursor)
		add_header(
			req, "next-cursor", h2o_strdup(&req->pool, r->next_cursor, SIZE_MAX).base
		);
	if (r->retry_after_sec) {
		seconds = h2o_mem_alloc_pool(&req->pool, 16);
		snprintf(seconds, 16, "%u", r->retry_after_sec);
		add_header(req, "retry-after", seconds);
	}
}

// --- streams ------------------------------------------------------------------------------------

// Thread: the writer's, with the stream locked.
static void on_wake(void *ctx)
{
	struct job *j = ctx;
	atomic_fetch_add(&j->n_owners, 1); // the message
	h2o_multithread_send_message(&j->loop->more, &j->more);
}

// Hands libh2o what there is; it comes back by proceed() when that has been sent.
static void send_more(struct job *j)
{
	h2o_req_t *req = j->req;
	size_t len = 0;
	if (j->is_ended)
		return;
	free(j->sending);
	enum stream_state state = stream_take(j->response.stream, &j->sending, &len);
	if (!j->sending && state == STREAM_OPEN)
		return; // on_wake will tell
	j->is_ended = state != STREAM_OPEN;
	h2o_iovec_t part = {j->sending, len};
	h2o_send(
		req,
		&part,
		len ? 1 : 0,
		state == STREAM_OPEN   ? H2O_SEND_STATE_IN_PROGRESS
		: state == STREAM_DONE ? H2O_SEND_STATE_FINAL
				       : H2O_SEND_STATE_ERROR
	);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
	struct job *j = H2O_STRUCT_FROM_MEMBER(struct job, generator, generator);
	(void)req;
	send_more(j);
}

static void on_more(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
	(void)receiver;
	while (!h2o_linklist_is_empty(messages)) {
		h2o_linklist_t *node = messages->next;
		struct job *j = H2O_STRUCT_FROM_MEMBER(struct job, more.link, node);
		h2o_linklist_unlink(node);
		if (j->req)
			send_more(j);
		job_release(j);
	}
}

// So that a reader who has stalled is noticed before the kernel has taken megabytes for him.
static void keep_short(struct conn *c)
{
	int len = LIVE_SNDBUF;
	if (setsockopt(h2o_socket_get_fd(c->sock), SOL_SOCKET, SO_SNDBUF, &len, sizeof(len)) < 0)
		log_debug("SO_SNDBUF: %s", strerror(errno));
}

static void start_stream(struct job *j)
{
	struct conn *c = j->conn;
	j->generator = (h2o_generator_t){.proceed = on_proceed};
	j->is_stream = true;
	h2o_linklist_unlink(&j->link);
	h2o_linklist_insert(&c->streams, &j->link);
	find_oldest(c);
	c->life.n_streams++;
	c->life.stream_ns = clock_mono_ns();
	if (j->response.is_live)
		keep_short(c);
	stream_watch(j->response.stream, on_wake, j);
	h2o_start_response(j->req, &j->generator);
	send_more(j);
}

void exchange_stop(struct conn *c)
{
	for (h2o_linklist_t *n = c->streams.next; n != &c->streams; n = n->next) {
		struct job *j = H2O_STRUCT_FROM_MEMBER(struct job, link, n);
		atomic_store_explicit(&j->request.stop.gone, true, memory_order_relaxed);
	}
}

static void send_response(struct job *j)
{
	h2o_req_t *req = j->req;
	const struct response *r = &j->response;
	metrics_count(
		j->loop->app->metrics,
		j->route,
		r->status,
		r->body_len,
		clock_mono_ns() - j->started_ns
	);
	req->res.status = r->status;
	req->res.reason = response_reason(r->status);
	req->res.content_length = r->stream ? SIZE_MAX : r->body_len;
	add_headers(req, r, j->conn->tls);
	if (r->stream && strcmp(j->request.method, "HEAD") != 0) {
		start_stream(j);
		return;
	}
	// copies the body to the request's memory; leaves it out for HEAD; may free the request
	h2o_send_inline(req, r->body ? r->body : "", r->body_len);
}

// The worker goes on writing while the loop sends. Thread: worker.
static void start_response(struct response *r)
{
	struct job *j = H2O_STRUCT_FROM_MEMBER(struct job, response, r);
	j->is_started = true;
	atomic_fetch_add(&j->n_owners, 1);
	h2o_multithread_send_message(&j->loop->done, &j->done);
}

// Thread: worker.
static void run_job(struct task *t)
{
	struct job *j = H2O_STRUCT_FROM_MEMBER(struct job, task, t);
	j->response.start = start_response;
	route_run(j->loop->app, j->route, &j->request, &j->claims, &j->response);
	if (j->is_started)
		job_release(j);
	else
		h2o_multithread_send_message(&j->loop->done, &j->done);
}

static void on_done(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
	(void)receiver;
	while (!h2o_linklist_is_empty(messages)) {
		h2o_linklist_t *node = messages->next;
		struct job *j = H2O_STRUCT_FROM_MEMBER(struct job, done.link, node);
		h2o_linklist_unlink(node);
		if (j->req)
			send_response(j);
		job_release(j);
	}
}

static void hand_over(struct job *j)
{
	j->task.run = run_job;
	atomic_fetch_add(&j->n_owners, 1);
	if (pool_push(j->loop->pool, &j->task))
		return;
	atomic_fetch_sub(&j->n_owners, 1);
	response_error(&j->response, 503, "too busy, try again");
	j->response.retry_after_sec = 1;
	send_response(j);
}

// HTTP/1: the head as it came must say one thing only about where the body ends, or a proxy in
// front of us and we could disagree about it (RFC 9112 §6.3; request smuggling). libh2o takes one
// of the headers and drops the rest, so the head itself is read, which lies at the start of the
// input.
static bool is_smuggled(const struct conn *c, const h2o_req_t *req)
{
	return req->version < 0x200 &&
	       head_is_ambiguous(c->sock->input->bytes, c->sock->input->size);
}

static void end_conn(h2o_req_t *req)
{
	if (req->version >= 0x200)
		shim_goaway(req->conn);
	else
		req->http1_is_persistent = 0;
}

static int on_req(h2o_handler_t *self, h2o_req_t *req)
{
	struct conn *c = req->conn->callbacks->get_socket(req->conn)->on_close.data;
	struct exchange_loop *x = c->exchange;
	const struct api_config *config = x->app->config;
	(void)self;
	struct life_limits limits = {
		.max_age_ns = (uint64_t)config->max_conn_age_ns,
		.max_requests = (uint64_t)config->max_conn_requests,
	};
	struct job *j = job_create(x, c, req);
	if (!j) {
		h2o_send_error_503(req, "Service Unavailable", "out of memory", 0);
		return 0;
	}
	watch(j);
	c->life.n_requests++;
	if (life_is_over(&c->life, &limits, j->started_ns))
		end_conn(req);
	if (is_smuggled(c, req)) {
		req->http1_is_persistent = 0;
		response_error(&j->response, 400, "ambiguous length of the request body");
		send_response(j);
		return 0;
	}
	j->route = route_admit(x->app, &j->request, &j->response, &j->claims);
	if (j->route)
		hand_over(j);
	else
		send_response(j);
	return 0;
}

// libh2o's own error pages (413, broken requests, no host), said in our form.
struct rewrite {
	h2o_ostream_t super;
	h2o_iovec_t body;
};

static void rewrite_send(
	h2o_ostream_t *self, h2o_req_t *req, h2o_iovec_t *bufs, size_t n, h2o_send_state_t state
)
{
	struct rewrite *w = (struct rewrite *)self;
	bool head = h2o_memis(req->input.method.base, req->input.method.len, H2O_STRLIT("HEAD"));
	(void)bufs;
	(void)n;
	h2o_ostream_send_next(self, req, &w->body, head ? 0 : 1, state);
}

static void rewrite_setup(h2o_filter_t *self, h2o_req_t *req, h2o_ostream_t **slot)
{
	struct conn *c = req->conn->callbacks->get_socket(req->conn)->on_close.data;
	static const char native[] = "/api/v1/";
	struct response r = {
		.is_native = req->path.len >= sizeof(native) - 1 &&
			     memcmp(req->path.base, native, sizeof(native) - 1) == 0};
	(void)self;
	response_error(&r, req->res.status, "%s", response_reason(req->res.status));
	struct rewrite *w = (struct rewrite *)h2o_add_ostream(req, sizeof(*w), slot);
	w->super.do_send = rewrite_send;
	w->body = h2o_strdup(&req->pool, r.body ? r.body : "", r.body_len);
	req->res.content_length = w->body.len;
	req->res.headers = (h2o_headers_t){};
	add_headers(req, &r, c && c->tls);
	response_fini(&r);
	h2o_setup_next_ostream(req, &w->super.next);
	if (c && req->version < 0x200 && c->linger_fd < 0)
		c->linger_fd = fcntl(h2o_socket_get_fd(c->sock), F_DUPFD_CLOEXEC, 0);
}

void exchange_loop_init(
	struct exchange_loop *x, h2o_context_t *ctx, struct app *app, struct pool *pool
)
{
	x->app = app;
	x->pool = pool;
	h2o_multithread_register_receiver(ctx->queue, &x->done, on_done);
	h2o_multithread_register_receiver(ctx->queue, &x->more, on_more);
}

void exchange_register(h2o_globalconf_t *config)
{
	h2o_hostconf_t *host =
		h2o_config_register_host(config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
	h2o_pathconf_t *all = h2o_config_register_path(host, "/", 0);
	h2o_handler_t *handler = h2o_create_handler(all, sizeof(*handler));
	handler->on_req = on_req;
	h2o_filter_t *filter = h2o_create_filter(&host->fallback_path, sizeof(*filter));
	filter->on_setup_ostream = rewrite_setup;
}
