// SPDX-License-Identifier: Apache-2.0
#include "api/http/shim.h"

#include <h2o.h>
#include <h2o/http2.h>
#include <h2o/http2_internal.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define DEAD_WINDOW (-((ssize_t)1 << 62)) // can never become positive again
#define REFUSED_BODY (SIZE_MAX - 1)	  // in _expected_content_length: answered 413, body ignored
#define RST_FRAME_LEN (H2O_HTTP2_FRAME_HEADER_SIZE + 4)

#define WRAPPED(X)                                                                                 \
	X(h2o_http2_stream_send_pending_data)                                                      \
	X(h2o_http2_stream_reset)                                                                  \
	X(h2o_hpack_parse_headers)                                                                 \
	X(h2o_http2_decode_frame)

static struct {
#define POINTER(f) __typeof__(&f) f;
	WRAPPED(POINTER)
#undef POINTER
} real;

const char *const shim_symbols[] = {
#define NAME(f) #f,
	WRAPPED(NAME)
#undef NAME
		NULL};

static void *find_real(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);
	if (!p) {
		fprintf(stderr, "libh2o has no %s\n", name);
		abort(); // another libh2o than the one this was written for
	}
	return p;
}

__attribute__((constructor)) static void shim_init(void)
{
#define FIND(f) *(void **)&real.f = find_real(#f);
	WRAPPED(FIND)
#undef FIND
}

bool shim_works(void)
{
	bool ok = true;
#define CHECK(f) ok = ok && dlsym(RTLD_DEFAULT, #f) == (void *)f && (void *)real.f != (void *)f;
	WRAPPED(CHECK)
#undef CHECK
	return ok;
}

static struct shim_guard *guard_of(h2o_socket_t *sock)
{
	return sock ? sock->on_close.data : NULL;
}

void h2o_http2_stream_send_pending_data(h2o_http2_conn_t *conn, h2o_http2_stream_t *stream)
{
	real.h2o_http2_stream_send_pending_data(conn, stream);
	if (stream->state != H2O_HTTP2_STREAM_STATE_END_STREAM)
		return;
	struct shim_guard *g = guard_of(conn->sock);
	if (g && g->budget < SHIM_BUDGET)
		g->budget++;
	// The stream is linked for its final callback: a window that opens now would link it again,
	// which is the assert.
	stream->output_window._avail = DEAD_WINDOW;
	if (stream->_expected_content_length == REFUSED_BODY) // RFC 9113 §8.1: no need to send more
		h2o_http2__encode_rst_stream_frame(&conn->_write.buf, stream->stream_id, 0);
}

// Whether the last thing queued is RST_STREAM of this stream for that reason.
static bool just_reset(const h2o_http2_conn_t *conn, uint32_t stream_id, int error)
{
	const h2o_buffer_t *b = conn->_write.buf;
	if (b->size < RST_FRAME_LEN)
		return false;
	const uint8_t *f = (const uint8_t *)b->bytes + b->size - RST_FRAME_LEN;
	return h2o_http2_decode24u(f) == 4 && f[3] == H2O_HTTP2_FRAME_TYPE_RST_STREAM &&
	       h2o_http2_decode32u(f + 5) == stream_id &&
	       h2o_http2_decode32u(f + H2O_HTTP2_FRAME_HEADER_SIZE) == (uint32_t)-error;
}

// A body above the limit gets 413 over HTTP/1 but a bare RST_STREAM over HTTP/2: take the
// RST_STREAM back and answer. DATA that is still on its way is dropped likewise. True: handled.
static bool answer_large_body(h2o_http2_conn_t *conn, h2o_http2_stream_t *stream)
{
	if (stream->_expected_content_length == REFUSED_BODY) {
		if (stream->state == H2O_HTTP2_STREAM_STATE_END_STREAM ||
		    !just_reset(conn, stream->stream_id, H2O_HTTP2_ERROR_STREAM_CLOSED))
			return false;
		conn->_write.buf->size -= RST_FRAME_LEN;
		return true;
	}
	if (stream->state != H2O_HTTP2_STREAM_STATE_RECV_BODY || !stream->_req_body ||
	    !just_reset(conn, stream->stream_id, H2O_HTTP2_ERROR_REFUSED_STREAM))
		return false;
	conn->_write.buf->size -= RST_FRAME_LEN;
	stream->_expected_content_length = REFUSED_BODY;
	h2o_http2_stream_set_state(conn, stream, H2O_HTTP2_STREAM_STATE_REQ_PENDING);
	h2o_http2_stream_set_state(conn, stream, H2O_HTTP2_STREAM_STATE_SEND_HEADERS);
	h2o_send_error_generic(&stream->req, 413, "Content Too Large", SHIM_BODY_TOO_LARGE, 0);
	return true;
}

void h2o_http2_stream_reset(h2o_http2_conn_t *conn, h2o_http2_stream_t *stream)
{
	struct shim_guard *g = guard_of(conn->sock);
	bool refused = stream->_expected_content_length == REFUSED_BODY;
	bool answered = answer_large_body(conn, stream);
	if (g && !(refused && answered)) // late DATA of a refused body is dropped free of charge
		g->budget--;
	if (answered)
		return;
	stream->output_window._avail = DEAD_WINDOW;
	real.h2o_http2_stream_reset(conn, stream);
}

int h2o_hpack_parse_headers(
	h2o_req_t *req,
	h2o_hpack_header_table_t *table,
	const uint8_t *src,
	size_t len,
	int *pseudo_header_exists_map,
	size_t *content_length,
	h2o_cache_digests_t **digests,
	const char **err_desc
)
{
	struct shim_guard *g = guard_of(req->conn->callbacks->get_socket(req->conn));
	if (len > SHIM_HEADERS_MAX || (g && g->budget <= 0)) {
		*err_desc = "abusive client";
		return H2O_HTTP2_ERROR_ENHANCE_YOUR_CALM;
	}
	int ret = real.h2o_hpack_parse_headers(
		req, table, src, len, pseudo_header_exists_map, content_length, digests, err_desc
	);
	// the mark must not come from outside
	if (ret == 0 && *content_length == REFUSED_BODY)
		ret = H2O_HTTP2_ERROR_PROTOCOL;
	return ret;
}

// Frames of unknown types are to be ignored (RFC 9113 §4.1). libh2o does, but not without a line on
// stderr for each: it gets an acknowledged PING in their place, which means as little.
ssize_t h2o_http2_decode_frame(
	h2o_http2_frame_t *frame,
	const uint8_t *src,
	size_t len,
	const h2o_http2_settings_t *settings,
	const char **err_desc
)
{
	static const uint8_t nothing[8];
	ssize_t ret = real.h2o_http2_decode_frame(frame, src, len, settings, err_desc);
	if (ret >= 0 && frame->type > H2O_HTTP2_FRAME_TYPE_CONTINUATION)
		*frame = (h2o_http2_frame_t){
			.length = sizeof(nothing),
			.type = H2O_HTTP2_FRAME_TYPE_PING,
			.flags = H2O_HTTP2_FRAME_FLAG_ACK,
			.payload = nothing,
		};
	return ret;
}

// As enqueue_goaway of lib/http2/connection.c, which is static.
void shim_goaway(struct st_h2o_conn_t *base)
{
	h2o_http2_conn_t *conn = (h2o_http2_conn_t *)base;
	if (conn->state >= H2O_HTTP2_CONN_STATE_HALF_CLOSED)
		return;
	h2o_http2_encode_goaway_frame(
		&conn->_write.buf,
		conn->pull_stream_ids.max_open,
		H2O_HTTP2_ERROR_NONE,
		(h2o_iovec_t){}
	);
	h2o_http2_conn_request_write(conn);
	conn->state = H2O_HTTP2_CONN_STATE_HALF_CLOSED;
}
