// SPDX-License-Identifier: Apache-2.0

// IPFIX over TCP, on real loopback connections, one thread: bytes in any portions, and every way a
// connection can end.

#include "collector/ingest/listen.h"
#include "collector/ingest/stream.h"
#include "tests/unit/collector/ingest/intake.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static struct stream_table streams;
static struct sockaddr_storage listening;
static int listen_fd;

static int set_up_streams(void **state)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&listening;
	listening = (struct sockaddr_storage){.ss_family = AF_INET};
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	set_up(state);
	listen_fd = listen_tcp(&listening);
	streams = (struct stream_table){.intake = &in, .max = 8, .idle_ns = 60 * NS_PER_SEC};
	return listen_fd >= 0 ? 0 : -1;
}

static int tear_down_streams(void **state)
{
	stream_fini(&streams);
	assert_int_equal(streams.n, 0);
	assert_null(streams.first);
	close(listen_fd);
	return tear_down(state);
}

static void wait_for(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 5000), 1);
}

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	const struct sockaddr *sa = (const struct sockaddr *)&listening;
	assert_int_equal(connect(fd, sa, sizeof(struct sockaddr_in)), 0);
	wait_for(listen_fd);
	return fd;
}

// A new connection, both its ends.
static struct stream *join(int *ret_fd)
{
	bool more;
	*ret_fd = dial();
	struct stream *s = stream_accept(&streams, listen_fd, now_ns, &more);
	assert_non_null(s);
	assert_true(more);
	return s;
}

static void put(int fd, const void *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

static void put_message(int fd)
{
	struct buf m = message();
	put(fd, m.p, buf_left(&m));
}

static bool read_stream(struct stream *s)
{
	wait_for(s->fd);
	return stream_read(&streams, s, now_ns);
}

// A message with a template and one row.
static void begin_row(void)
{
	begin(10);
	DEFINE(256, 8, 4);
	set(256, "0a000001");
}

static void message_may_be_split_anywhere(void **) // IP-1, IP-24
{
	int fd;
	struct stream *s = join(&fd);
	begin_row();
	struct buf m = message();
	size_t len = buf_left(&m);
	for (size_t at = 1; at < len; at++) {
		put(fd, m.p, at);
		assert_true(read_stream(s));
		assert_int_equal(n_rows(), at - 1);
		assert_int_equal(s->len, at);
		put(fd, m.p + at, len - at);
		assert_true(read_stream(s));
		assert_int_equal(n_rows(), at);
		assert_int_equal(s->len, 0);
	}
	close(fd);
}

static void message_may_come_byte_by_byte(void **)
{
	int fd;
	struct stream *s = join(&fd);
	begin_row();
	struct buf m = message();
	for (int i = 0; i < 3; i++) {
		for (const uint8_t *p = m.p; p < m.end; p++) {
			put(fd, p, 1);
			assert_true(read_stream(s));
		}
		assert_int_equal(n_rows(), i + 1);
	}
	assert_int_equal(count(LEDGER_messages), 3);
	close(fd);
}

static void segment_may_hold_many_messages_and_a_half(void **)
{
	int fd;
	struct stream *s = join(&fd);
	static uint8_t all[4096];
	begin_row();
	struct buf m = message();
	size_t len = buf_left(&m);
	for (size_t i = 0; i < 11; i++)
		memcpy(all + i * len, m.p, len);
	put(fd, all, 10 * len + 7);
	assert_true(read_stream(s));
	assert_int_equal(n_rows(), 10);
	assert_int_equal(s->len, 7);
	put(fd, all + 7, len - 7);
	assert_true(read_stream(s));
	assert_int_equal(n_rows(), 11);
	close(fd);
}

static void largest_messages_are_taken(void **) // IP-21
{
	int fd;
	struct stream *s = join(&fd);
	sink.batch_rows = 65536;
	begin_row();
	wbuf_u32(&w, 256u << 16 | (uint32_t)wbuf_left(&w));
	while (wbuf_left(&w) >= 4)
		put_hex("0a000002");
	while (wbuf_left(&w))
		wbuf_u8(&w, 0);
	for (int i = 0; i < 3; i++) {
		put_message(fd);
		while (count(LEDGER_messages) < (uint64_t)i + 1)
			assert_true(read_stream(s));
	}
	intake_tick(&in, now_ns + NS_PER_SEC);
	assert_int_equal(n_rows(), 3 * (1 + (65535 - 36 - 4) / 4));
	close(fd);
}

static void reading_one_connection_has_an_end(void **)
{
	int fd;
	struct stream *s = join(&fd);
	static uint8_t block[1 << 20];
	begin(10);
	struct buf m = message();
	for (size_t at = 0; at + 16 <= sizeof(block); at += 16)
		memcpy(block + at, m.p, 16);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	ssize_t sent = send(fd, block, sizeof(block), MSG_NOSIGNAL);
	assert_true(sent > 0);
	unsigned turns = 0;
	while (count(LEDGER_messages) < (uint64_t)sent / 16) {
		uint64_t before = count(LEDGER_messages);
		assert_true(read_stream(s));
		// sixteen reads of what the stream can hold, at most
		assert_true(count(LEDGER_messages) - before <= 16 * (65535 / 16 + 1));
		turns++;
	}
	assert_true(turns >= 1);
	close(fd);
}

static void end_between_messages_is_clean(void **) // IP-22
{
	int fd;
	struct stream *s = join(&fd);
	begin_row();
	put_message(fd);
	close(fd);
	assert_false(read_stream(s)); // the message, and then the end
	assert_int_equal(n_rows(), 1);
	assert_int_equal(count(LEDGER_bad_length), 0);
	assert_int_equal(streams.n, 0);
	assert_int_equal(in.sessions.n, 0);
}

static void end_within_a_message_is_counted(void **) // IP-22
{
	int fd;
	struct stream *s = join(&fd);
	begin_row();
	put(fd, message().p, 20);
	shutdown(fd, SHUT_WR);
	assert_false(read_stream(s));
	assert_int_equal(count(LEDGER_bad_length), 1);
	assert_int_equal(n_rows(), 0);
	close(fd);
}

static void reset_within_a_message_is_counted(void **) // IP-22
{
	const struct linger at_once = {.l_onoff = 1};
	int fd;
	struct stream *s = join(&fd);
	begin_row();
	put(fd, message().p, 20);
	assert_true(read_stream(s));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
	assert_false(read_stream(s));
	assert_int_equal(count(LEDGER_bad_length), 1);
	s = join(&fd); // and the next one is taken
	begin_row();
	put_message(fd);
	assert_true(read_stream(s));
	assert_int_equal(n_rows(), 1);
	close(fd);
}

static void wrong_versions_close(void **) // IP-1
{
	static const uint16_t versions[] = {0, 1, 5, 9, 11, 0x1603, 0x4745};
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		int fd;
		struct stream *s = join(&fd);
		begin_row(); // a good one before it is taken
		put_message(fd);
		begin(versions[i]);
		put_hex("00000000 00000000");
		put_message(fd);
		while (read_stream(s))
			;
		char c;
		assert_true(recv(fd, &c, 1, 0) <= 0);
		assert_int_equal(count(LEDGER_bad_version), i + 1);
		assert_int_equal(n_rows(), i + 1);
		close(fd);
	}
	assert_int_equal(count(LEDGER_bad_length), 0);
	assert_int_equal(streams.n, 0);
}

static void lengths_that_cannot_be_close(void **) // IP-1
{
	for (uint16_t len = 0; len < 16; len++) {
		int fd;
		struct stream *s = join(&fd);
		begin(10);
		(void)message();
		wbuf_put_u16(&w, 2, len);
		put(fd, bytes, 16);
		assert_false(read_stream(s));
		assert_int_equal(count(LEDGER_bad_length), len + 1);
		close(fd);
	}
}

// Its length is sound, so that the next message is found.
static void put_malformed(int fd)
{
	begin(10);
	set(256, "0a000001");
	put_hex("0100 0002"); // a set shorter than its header
	put_message(fd);
}

static void malformed_message_is_left_out(void **) // IP-19
{
	int fd;
	struct stream *s = join(&fd);
	begin_row();
	put_message(fd);
	for (int i = 0; i < 5; i++) {
		put_malformed(fd);
		put_malformed(fd);
		begin_row();
		put_message(fd);
		assert_true(read_stream(s));
	}
	while (n_rows() < 6)
		assert_true(read_stream(s));
	assert_int_equal(count(LEDGER_bad_length), 10);
	close(fd);
}

static void malformed_messages_in_a_row_close(void **) // IP-19, RFC 7011 §9.1
{
	int fd;
	struct stream *s = join(&fd);
	for (int i = 0; i < 3; i++)
		put_malformed(fd);
	begin_row();
	put_message(fd);
	while (read_stream(s))
		;
	assert_int_equal(count(LEDGER_bad_length), 3);
	assert_int_equal(n_rows(), 0);
	close(fd);
	s = join(&fd); // overrunning rows are no better
	begin(10);
	DEFINE(257, 8, 4, 460, 65535);
	set(257, "0a000001 05 61");
	for (int i = 0; i < 3; i++)
		put_message(fd);
	while (read_stream(s))
		;
	assert_int_equal(count(LEDGER_bad_length), 6);
	close(fd);
}

static void connections_are_capped(void **) // IP-26
{
	int fds[10];
	bool more;
	for (int i = 0; i < 8; i++)
		(void)join(&fds[i]);
	fds[8] = dial();
	assert_null(stream_accept(&streams, listen_fd, now_ns, &more));
	assert_true(more);
	assert_int_equal(count(LEDGER_connection_limit), 1);
	char c;
	assert_int_equal(recv(fds[8], &c, 1, 0), 0); // closed at once
	close(fds[0]);
	assert_false(read_stream(streams.first->next->next->next->next->next->next->next));
	(void)join(&fds[9]); // its place is free
	assert_int_equal(count(LEDGER_connections), 9);
	for (int i = 1; i < 10; i++)
		close(fds[i]);
}

static void nobody_waiting_is_no_connection(void **)
{
	bool more = true;
	assert_null(stream_accept(&streams, listen_fd, now_ns, &more));
	assert_false(more);
	assert_int_equal(count(LEDGER_connections) + count(LEDGER_connection_limit), 0);
}

static void strangers_are_closed_at_once(void **) // IP-26
{
	struct prefix allow = {.addr = peer_of(0).addr, .len = 120};
	options.allow = &allow;
	options.n_allow = 1;
	bool more;
	int fd = dial();
	assert_null(stream_accept(&streams, listen_fd, now_ns, &more));
	assert_true(more);
	assert_int_equal(streams.n, 0);
	assert_int_equal(count(LEDGER_exporter_refused), 1);
	assert_int_equal(count(LEDGER_connections), 0);
	close(fd);
	options.n_allow = 0;
}

static void silent_connections_are_closed(void **)
{
	int fds[2];
	struct stream *first = join(&fds[0]);
	(void)join(&fds[1]);
	now_ns += streams.idle_ns;
	begin_row();
	put_message(fds[0]);
	assert_true(read_stream(first));
	stream_tick(&streams, now_ns);
	assert_int_equal(streams.n, 2);
	stream_tick(&streams, now_ns + 1);
	assert_int_equal(streams.n, 1);
	assert_ptr_equal(streams.first, first);
	char c;
	assert_int_equal(recv(fds[1], &c, 1, 0), 0);
	close(fds[0]);
	close(fds[1]);
}

static void templates_are_of_one_connection(void **) // IP-13, IP-22
{
	int fds[2];
	struct stream *first = join(&fds[0]), *second = join(&fds[1]);
	begin_row();
	put_message(fds[0]);
	assert_true(read_stream(first));
	begin(10);
	set(256, "0a000001");
	put_message(fds[1]); // another connection, while the first is open
	assert_true(read_stream(second));
	close(fds[0]);
	assert_false(read_stream(first));
	int again;
	struct stream *third = join(&again); // after it has ended
	put_message(again);
	assert_true(read_stream(third));
	assert_int_equal(n_rows(), 1);
	assert_int_equal(count(LEDGER_buffered), 2);
	close(fds[1]);
	close(again);
}

#undef TEST
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_streams, tear_down_streams)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(message_may_be_split_anywhere),
		TEST(message_may_come_byte_by_byte),
		TEST(segment_may_hold_many_messages_and_a_half),
		TEST(largest_messages_are_taken),
		TEST(reading_one_connection_has_an_end),
		TEST(end_between_messages_is_clean),
		TEST(end_within_a_message_is_counted),
		TEST(reset_within_a_message_is_counted),
		TEST(wrong_versions_close),
		TEST(lengths_that_cannot_be_close),
		TEST(malformed_message_is_left_out),
		TEST(malformed_messages_in_a_row_close),
		TEST(connections_are_capped),
		TEST(nobody_waiting_is_no_connection),
		TEST(strangers_are_closed_at_once),
		TEST(silent_connections_are_closed),
		TEST(templates_are_of_one_connection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
