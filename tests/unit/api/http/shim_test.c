// SPDX-License-Identifier: Apache-2.0

// The shim under libh2o itself: an HTTP/2 connection over a socket pair, the client's side written
// by hand, with what decent clients send and what others do.

#include "api/http/shim.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <h2o.h>
#include <h2o/http2.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

// Frames and errors of RFC 9113 §6 and §7.
enum {
	DATA = 0,
	HEADERS = 1,
	RST_STREAM = 3,
	SETTINGS = 4,
	PING = 6,
	GOAWAY = 7,
	WINDOW_UPDATE = 8,
	CONTINUATION = 9
};
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };
#define ENHANCE_YOUR_CALM 11

#define FRAME_MAX 16384
#define LARGE_LEN 60000
#define BODY_MAX 65536

// Made once: libh2o 2.2.5 cannot take them down.
static h2o_globalconf_t config;
static h2o_context_t ctx;

struct fixture {
	struct shim_guard guard;
	int fd; // the client's end
	bool closed;
	h2o_conn_t *conn;
	unsigned n_runs; // of handlers
	uint32_t next_stream;
	size_t len; // of what came back and was not looked at yet
	uint8_t in[1 << 17];
};

struct frame {
	uint8_t type, flags;
	uint32_t stream;
	size_t len;
	uint8_t payload[FRAME_MAX];
};

static struct fixture *fixture; // libh2o's callbacks have nothing else to find it by

// "/wait" is never answered, "/large" at length, anything else shortly.
static int on_req(h2o_handler_t *, h2o_req_t *req)
{
	static char large[LARGE_LEN];
	fixture->n_runs++;
	fixture->conn = req->conn;
	if (h2o_memis(req->path.base, req->path.len, H2O_STRLIT("/wait")))
		return 0;
	req->res.status = 200;
	req->res.reason = "OK";
	if (h2o_memis(req->path.base, req->path.len, H2O_STRLIT("/large")))
		h2o_send_inline(req, large, sizeof(large));
	else
		h2o_send_inline(req, H2O_STRLIT("short"));
	return 0;
}

static void on_close(void *)
{
	fixture->closed = true;
}

// One turn of the event loop; takes what came back.
static void turn(struct fixture *f)
{
	h2o_evloop_run(ctx.loop, 1);
	ssize_t n = recv(f->fd, f->in + f->len, sizeof(f->in) - f->len, MSG_DONTWAIT);
	f->len += n > 0 ? (size_t)n : 0;
}

static void send_bytes(struct fixture *f, const void *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(f->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0) {
			assert_false(f->closed);
			h2o_evloop_run(ctx.loop, 1); // makes room
			continue;
		}
		bytes = (const char *)bytes + n;
		len -= (size_t)n;
	}
}

static void
send_frame(struct fixture *f, int type, int flags, uint32_t stream, const void *payload, size_t len)
{
	const uint8_t head[9] = {
		(uint8_t)(len >> 16),
		(uint8_t)(len >> 8),
		(uint8_t)len,
		(uint8_t)type,
		(uint8_t)flags,
		(uint8_t)(stream >> 24),
		(uint8_t)(stream >> 16),
		(uint8_t)(stream >> 8),
		(uint8_t)stream};
	assert_in_range(len, 0, FRAME_MAX);
	send_bytes(f, head, sizeof(head));
	send_bytes(f, payload, len);
}

// The next frame that came back; false when there is none within a while.
static bool next_frame(struct fixture *f, struct frame *ret)
{
	uint64_t until = clock_mono_ns() + 2 * NS_PER_SEC;
	for (;;) {
		size_t len = f->len < 9 ? 0 : (size_t)f->in[0] << 16 | f->in[1] << 8 | f->in[2];
		if (f->len >= 9 && f->len >= 9 + len) {
			assert_in_range(len, 0, FRAME_MAX);
			ret->len = len;
			ret->type = f->in[3];
			ret->flags = f->in[4];
			ret->stream = (uint32_t)f->in[7] << 8 | f->in[8];
			memcpy(ret->payload, f->in + 9, len);
			f->len -= 9 + len;
			memmove(f->in, f->in + 9 + len, f->len);
			return true;
		}
		if (clock_mono_ns() > until)
			return false;
		turn(f);
	}
}

// The next frame of that type, whatever comes before it.
static struct frame wait_for(struct fixture *f, int type)
{
	static struct frame frame;
	do {
		if (!next_frame(f, &frame))
			fail_msg("no frame of type %d%s", type, f->closed ? ": closed" : "");
	} while (frame.type != type);
	return frame;
}

static int start_loop(void **)
{
	h2o_config_init(&config);
	config.max_request_entity_size = BODY_MAX;
	h2o_hostconf_t *host =
		h2o_config_register_host(&config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
	h2o_pathconf_t *all = h2o_config_register_path(host, "/", 0);
	h2o_create_handler(all, sizeof(h2o_handler_t))->on_req = on_req;
	h2o_context_init(&ctx, h2o_evloop_create(), &config);
	return 0;
}

static int set_up(void **state)
{
	h2o_accept_ctx_t accept = {.ctx = &ctx, .hosts = config.hosts};
	struct fixture *f = calloc(1, sizeof(*f));
	int fds[2];
	fixture = f;
	f->next_stream = 1;
	f->guard.budget = SHIM_BUDGET;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	f->fd = fds[1];
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	h2o_socket_t *sock = h2o_evloop_socket_create(ctx.loop, fds[0], 0);
	sock->on_close.cb = on_close;
	sock->on_close.data = &f->guard;
	h2o_http2_accept(&accept, sock, (struct timeval){});
	send_bytes(f, H2O_STRLIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
	send_frame(f, SETTINGS, 0, 0, "", 0);
	*state = f;
	return 0;
}

static bool wait_for_close(struct fixture *f)
{
	for (int i = 0; i < 1000 && !f->closed; i++)
		turn(f);
	return f->closed;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	shutdown(f->fd, SHUT_WR);
	int ret = wait_for_close(f) ? 0 : -1;
	close(f->fd);
	free(f);
	return ret;
}

// Opens a stream with the headers of a request; returns its number.
static uint32_t request(struct fixture *f, const char *method, const char *path, int flags)
{
	uint8_t block[64];
	size_t n = 0;
	uint32_t stream = f->next_stream;
	f->next_stream += 2;
	block[n++] = strcmp(method, "POST") == 0 ? 0x83 : 0x82; // RFC 7541, appendix A
	block[n++] = 0x86;
	block[n++] = 0x04;
	block[n++] = (uint8_t)strlen(path);
	memcpy(block + n, path, strlen(path));
	n += strlen(path);
	memcpy(block + n,
	       "\x01\x01"
	       "a",
	       3); // :authority
	send_frame(f, HEADERS, END_HEADERS | flags, stream, block, n + 3);
	return stream;
}

// Takes the answer to the stream up to its end; the length of its body.
static size_t answer_to(struct fixture *f, uint32_t stream)
{
	size_t n = 0;
	for (;;) {
		struct frame data = wait_for(f, DATA);
		assert_int_equal(data.stream, stream);
		n += data.len;
		if (data.flags & END_STREAM)
			return n;
	}
}

static void check_alive(struct fixture *f)
{
	assert_int_equal(answer_to(f, request(f, "GET", "/", END_STREAM)), 5);
}

static uint32_t goaway_error(struct fixture *f)
{
	struct frame g = wait_for(f, GOAWAY);
	assert_true(g.len >= 8);
	return (uint32_t)g.payload[6] << 8 | g.payload[7];
}

static void each_symbol_is_ours_and_not_the_librarys(void **)
{
	size_t n = 0;
	Dl_info us, it;
	assert_true(shim_works());
	assert_int_not_equal(dladdr((void *)shim_symbols, &us), 0);
	for (; shim_symbols[n]; n++) {
		void *first = dlsym(RTLD_DEFAULT, shim_symbols[n]);
		assert_int_not_equal(dladdr(first, &it), 0);
		assert_ptr_equal(it.dli_fbase, us.dli_fbase);
		assert_string_equal(it.dli_sname, shim_symbols[n]);
		// behind it is the library's, which it calls
		void *next = NULL;
		void *lib = dlopen("libh2o-evloop.so.0.13", RTLD_LAZY | RTLD_NOLOAD);
		assert_non_null(lib);
		next = dlsym(lib, shim_symbols[n]);
		assert_non_null(next);
		assert_ptr_not_equal(next, first);
		dlclose(lib);
	}
	assert_int_equal(n, 4);
}

static void a_decent_client_is_served(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 300; i++)
		check_alive(f);
	assert_int_equal(answer_to(f, request(f, "GET", "/large", END_STREAM)), LARGE_LEN);
	assert_int_equal(f->n_runs, 301);
	assert_int_equal(f->guard.budget, SHIM_BUDGET);
}

// CVE-2023-44487: requests that are taken back at once cost the client nothing and us a lot.
static void a_client_that_resets_too_much_is_shown_the_door(void **state)
{
	static const uint8_t cancel[4] = {0, 0, 0, 8};
	struct fixture *f = *state;
	for (int i = 0; i < SHIM_BUDGET; i++)
		send_frame(f, RST_STREAM, 0, request(f, "GET", "/wait", END_STREAM), cancel, 4);
	send_frame(f, PING, 0, 0, "12345678", 8);
	wait_for(f, PING); // still there
	assert_int_equal(f->guard.budget, 0);
	assert_int_equal(f->n_runs, SHIM_BUDGET);
	request(f, "GET", "/wait", END_STREAM);
	assert_int_equal(goaway_error(f), ENHANCE_YOUR_CALM);
	assert_int_equal(f->n_runs, SHIM_BUDGET);
}

// CVE-2025-8671: the client makes the server reset, which is no cheaper.
static void a_client_that_makes_us_reset_is_shown_the_door(void **state)
{
	static const uint8_t by_nothing[4] = {};
	struct fixture *f = *state;
	for (int i = 0; i < SHIM_BUDGET; i++)
		send_frame(
			f, WINDOW_UPDATE, 0, request(f, "GET", "/wait", END_STREAM), by_nothing, 4
		);
	for (int i = 0; i < SHIM_BUDGET; i++)
		wait_for(f, RST_STREAM);
	assert_int_equal(f->guard.budget, 0);
	request(f, "GET", "/wait", END_STREAM);
	assert_int_equal(goaway_error(f), ENHANCE_YOUR_CALM);
	assert_int_equal(f->n_runs, SHIM_BUDGET);
}

static void what_is_completed_pays_for_what_is_reset(void **state)
{
	static const uint8_t cancel[4] = {0, 0, 0, 8};
	struct fixture *f = *state;
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 80; i++)
			send_frame(
				f, RST_STREAM, 0, request(f, "GET", "/wait", END_STREAM), cancel, 4
			);
		for (int i = 0; i < 80; i++)
			check_alive(f);
	}
	assert_int_equal(f->guard.budget, SHIM_BUDGET);
}

// A request with a header so long that the block has `len` bytes.
static void request_with_block_of(struct fixture *f, size_t len)
{
	static uint8_t block[2 * FRAME_MAX];
	static const uint8_t start[] = {0x82, 0x86, 0x84, 0x01, 0x01, 'a', 0x00, 0x01, 'x', 0x7f};
	size_t n = sizeof(start), value = len - sizeof(start) - 3;
	memcpy(block, start, n);
	// RFC 7541 §5.1, in three bytes
	block[n++] = (uint8_t)(0x80 | ((value - 127) & 0x7f));
	block[n++] = (uint8_t)(0x80 | ((value - 127) >> 7 & 0x7f));
	block[n++] = (uint8_t)((value - 127) >> 14);
	memset(block + n, 'y', value);
	uint32_t stream = f->next_stream;
	f->next_stream += 2;
	size_t half = len / 2;
	send_frame(f, HEADERS, END_STREAM, stream, block, half);
	send_frame(f, CONTINUATION, END_HEADERS, stream, block + half, len - half);
}

static void a_header_block_has_at_most_16_kib(void **state)
{
	struct fixture *f = *state;
	request_with_block_of(f, SHIM_HEADERS_MAX);
	assert_int_equal(answer_to(f, f->next_stream - 2), 5);
	request_with_block_of(f, SHIM_HEADERS_MAX + 1);
	assert_int_equal(goaway_error(f), ENHANCE_YOUR_CALM);
	assert_int_equal(f->n_runs, 1);
}

// RFC 9113 §4.1: ignored. libh2o would write a line for each.
static void unknown_frames_are_ignored_without_a_line(void **state)
{
	struct fixture *f = *state;
	char words[256] = "";
	int err = dup(STDERR_FILENO), file = memfd_create("stderr", MFD_CLOEXEC);
	assert_true(err >= 0 && file >= 0);
	fflush(stderr);
	assert_true(dup2(file, STDERR_FILENO) >= 0);
	for (int type = CONTINUATION + 1; type < 256; type++)
		send_frame(f, type, type, (uint32_t)(type % 3), "any bytes", (size_t)type % 10);
	send_frame(f, PING, 0, 0, "12345678", 8);
	struct frame ping = wait_for(f, PING); // the first one to be answered
	fflush(stderr);
	dup2(err, STDERR_FILENO);
	close(err);
	assert_memory_equal(ping.payload, "12345678", 8);
	assert_int_equal(ping.flags, ACK);
	assert_true(pread(file, words, sizeof(words) - 1, 0) >= 0);
	assert_string_equal(words, "");
	close(file);
	check_alive(f);
}

static void send_window(struct fixture *f, uint32_t window)
{
	const uint8_t setting[6] = {
		0,
		4,
		(uint8_t)(window >> 24),
		(uint8_t)(window >> 16),
		(uint8_t)(window >> 8),
		(uint8_t)window};
	send_frame(f, SETTINGS, 0, 0, setting, sizeof(setting));
}

// A window that closes and opens while the end of an answer is being written: the assert that ends
// any program with libh2o 2.2.5 (upstream's 00977f672).
static void a_window_that_opens_during_the_last_write_does_no_harm(void **state)
{
	struct fixture *f = *state;
	int small = 4096;
	h2o_socket_t *sock;
	check_alive(f);
	sock = f->conn->callbacks->get_socket(f->conn);
	assert_int_equal(
		setsockopt(h2o_socket_get_fd(sock), SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0
	);
	for (int round = 0; round < 10; round++) {
		uint32_t stream = request(f, "GET", "/large", END_STREAM);
		for (int i = 0; i < 5; i++)
			h2o_evloop_run(ctx.loop, 1); // nobody reads: the write is stuck
		send_window(f, 0);
		send_window(f, 100000);
		for (int i = 0; i < 5; i++)
			h2o_evloop_run(ctx.loop, 1);
		static const uint8_t more[4] = {0, 0, 0xff, 0xff};
		send_frame(f, WINDOW_UPDATE, 0, 0, more, 4);
		assert_int_equal(answer_to(f, stream), LARGE_LEN);
	}
	check_alive(f);
}

static void a_body_that_is_too_large_is_answered_and_not_just_cut(void **state)
{
	static const uint8_t body[FRAME_MAX];
	static const char words[] = SHIM_BODY_TOO_LARGE;
	struct fixture *f = *state;
	uint32_t stream = request(f, "POST", "/", 0);
	for (size_t n = 0; n <= BODY_MAX; n += sizeof(body)) {
		send_frame(f, DATA, 0, stream, body, sizeof(body));
		h2o_evloop_run(ctx.loop, 1);
	}
	struct frame data = wait_for(f, DATA);
	assert_int_equal(data.stream, stream);
	assert_true(data.len >= sizeof(words) - 1);
	assert_memory_equal(data.payload, words, sizeof(words) - 1);
	struct frame reset = wait_for(f, RST_STREAM); // RFC 9113 §8.1
	assert_int_equal(reset.stream, stream);
	assert_int_equal(reset.payload[3], 0);
	assert_int_equal(f->n_runs, 0);
	send_frame(f, DATA, END_STREAM, stream, body, 10); // was on its way already
	check_alive(f);
}

static void a_connection_ends_in_an_orderly_way(void **state)
{
	struct fixture *f = *state;
	check_alive(f);
	uint32_t stream = request(f, "GET", "/large", END_STREAM);
	while (f->n_runs < 2)
		h2o_evloop_run(ctx.loop, 1);
	shim_goaway(f->conn);
	shim_goaway(f->conn); // said once
	assert_true(wait_for_close(f));
	size_t n_goaway = 0, n = 0;
	struct frame frame;
	while (f->len > 0 && next_frame(f, &frame)) {
		n_goaway += frame.type == GOAWAY;
		assert_true(frame.type != GOAWAY || frame.payload[7] == 0);
		if (frame.type == DATA && frame.stream == stream)
			n += frame.len;
	}
	assert_int_equal(n, LARGE_LEN); // what is under way is finished
	assert_int_equal(n_goaway, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_symbol_is_ours_and_not_the_librarys),
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_decent_client_is_served),
		TEST(a_client_that_resets_too_much_is_shown_the_door),
		TEST(a_client_that_makes_us_reset_is_shown_the_door),
		TEST(what_is_completed_pays_for_what_is_reset),
		TEST(a_header_block_has_at_most_16_kib),
		TEST(unknown_frames_are_ignored_without_a_line),
		TEST(a_window_that_opens_during_the_last_write_does_no_harm),
		TEST(a_body_that_is_too_large_is_answered_and_not_just_cut),
		TEST(a_connection_ends_in_an_orderly_way),
	};
	return cmocka_run_group_tests(tests, start_loop, NULL);
}
