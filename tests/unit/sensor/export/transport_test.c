// SPDX-License-Identifier: Apache-2.0
#include "sensor/export/transport.h"
#include "tests/unit/sensor/export/collector.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static struct transport transport;
static struct collector *collector;

static int setup(void **)
{
	collector = calloc(1, sizeof(*collector));
	transport.fd = -1;
	return collector ? 0 : -1;
}

static int teardown(void **)
{
	collector_close(collector);
	free(collector);
	if (transport.fd >= 0)
		close(transport.fd);
	transport.fd = -1;
	return 0;
}

static void open_both(int type)
{
	collector_open(collector, type);
	assert_int_equal(transport_init(&transport, collector->target, NULL), 0);
	assert_true(transport_connect(&transport, 0));
	if (type == SOCK_STREAM)
		collector_accept(collector);
}

static void a_target_names_its_protocol_and_udp_is_meant_without(void **)
{
	assert_int_equal(transport_init(&transport, "tcp:127.0.0.1:4739", NULL), 0);
	assert_int_equal(transport.to.kind, TRANSPORT_TCP);
	assert_int_equal(transport_init(&transport, "udp:127.0.0.1:4739", NULL), 0);
	assert_int_equal(transport.to.kind, TRANSPORT_UDP);
	assert_int_equal(transport_init(&transport, "127.0.0.1:4739", NULL), 0);
	assert_int_equal(transport.to.kind, TRANSPORT_UDP);
	assert_int_equal(transport_init(&transport, "sctp:127.0.0.1:4739", NULL), -EINVAL);
	assert_int_equal(transport_init(&transport, "udp:127.0.0.1", NULL), -EINVAL);
	assert_int_equal(transport_init(&transport, "tls:127.0.0.1:4740", NULL), -EINVAL);
}

static void a_target_may_name_its_format(void **)
{
	static const struct {
		const char *target;
		int kind, version;
	} cases[] = {
		{"udp:127.0.0.1:1", TRANSPORT_UDP, 10},
		{"ipfix+udp:127.0.0.1:1", TRANSPORT_UDP, 10},
		{"v9+udp:[::1]:1", TRANSPORT_UDP, 9},
		{"v5+127.0.0.1:1", TRANSPORT_UDP, 5},
		{"v9+tcp:127.0.0.1:1", TRANSPORT_TCP, 9},
		{"tls:localhost:1", TRANSPORT_TLS, 10},
		{"unix:/run/ipfix.sock", TRANSPORT_UNIX, 10},
	};
	struct endpoint to;
	uint16_t version;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(transport_parse(cases[i].target, &to, &version), 0);
		assert_int_equal(to.kind, cases[i].kind);
		assert_int_equal(version, cases[i].version);
	}
	assert_int_equal(transport_parse("v7+udp:127.0.0.1:1", &to, &version), -EINVAL);
	assert_int_equal(transport_parse("unix:", &to, &version), -EINVAL);
	char longest[200] = "unix:";
	memset(longest + 5, 'x', sizeof(longest) - 6);
	assert_int_equal(transport_parse(longest, &to, &version), -EINVAL);
}

static void nothing_is_sent_before_the_connection_is_made(void **)
{
	collector_open(collector, SOCK_DGRAM);
	assert_int_equal(transport_init(&transport, collector->target, NULL), 0);
	assert_int_equal(transport_send(&transport, "x", 1), -ENOTCONN);
	assert_false(collector_wait(collector->fd, 10));
}

static void a_datagram_is_a_message(void **)
{
	char got[16];
	open_both(SOCK_DGRAM);
	assert_int_equal(transport_send(&transport, "first", 5), 0);
	assert_int_equal(transport_send(&transport, "2nd", 3), 0);
	assert_true(collector_wait(collector->fd, WAIT_MS));
	assert_int_equal(recv(collector->fd, got, sizeof(got), 0), 5);
	assert_memory_equal(got, "first", 5);
	assert_true(collector_wait(collector->fd, WAIT_MS));
	assert_int_equal(recv(collector->fd, got, sizeof(got), 0), 3);
}

static void a_datagram_larger_than_any_is_refused_and_others_go_on(void **)
{
	static const char large[65536];
	open_both(SOCK_DGRAM);
	assert_int_equal(transport_send(&transport, large, sizeof(large)), -EMSGSIZE);
	assert_int_equal(transport.error, -EMSGSIZE);
	assert_int_equal(transport_send(&transport, "x", 1), 0);
	assert_true(collector_wait(collector->fd, WAIT_MS));
}

static void an_absent_udp_collector_stops_nothing(void **)
{
	open_both(SOCK_DGRAM);
	collector_close(collector);
	for (int i = 0; i < 100; i++)
		assert_int_equal(transport_send(&transport, "x", 1), 0);
	collector_listen(collector);
	assert_int_equal(transport_send(&transport, "y", 1), 0);
	assert_true(collector_wait(collector->fd, WAIT_MS));
}

static void connecting_again_is_nothing(void **)
{
	open_both(SOCK_STREAM);
	int fd = transport.fd;
	assert_true(transport_connect(&transport, 0));
	assert_int_equal(transport.fd, fd);
	assert_false(collector_wait(collector->listen_fd, 10));
}

static void pauses_between_tries_double_up_to_a_bound(void **)
{
	uint64_t pause = TRANSPORT_PAUSE_MIN_NS;
	collector_open(collector, SOCK_STREAM);
	close(collector->listen_fd);
	assert_int_equal(transport_init(&transport, collector->target, NULL), 0);
	for (int i = 0; i < 10; i++) {
		uint64_t before = clock_mono_ns();
		assert_false(transport_connect(&transport, UINT64_MAX));
		assert_int_equal(transport.error, -ECONNREFUSED);
		assert_true(transport.next_try_ns >= before + pause);
		assert_true(transport.next_try_ns <= clock_mono_ns() + pause);
		pause = pause * 2 < TRANSPORT_PAUSE_MAX_NS ? pause * 2 : TRANSPORT_PAUSE_MAX_NS;
		assert_true(transport.pause_ns == pause);
	}
	collector_listen(collector);
	assert_false(transport_connect(&transport, transport.next_try_ns - 1)); // not yet
	assert_true(transport_connect(&transport, transport.next_try_ns));
	assert_int_equal(transport.error, 0);
	assert_true(transport.pause_ns == TRANSPORT_PAUSE_MIN_NS);
}

static void a_connection_that_the_peer_closed_is_noticed_before_anything_is_lost_in_it(void **)
{
	open_both(SOCK_STREAM);
	assert_int_equal(transport_send(&transport, "x", 1), 0);
	collector_hang_up(collector);
	assert_int_equal(transport_send(&transport, "y", 1), -EPIPE);
	assert_int_equal(transport.fd, -1);
	assert_int_equal(transport_send(&transport, "z", 1), -ENOTCONN);
	assert_false(transport_connect(&transport, clock_mono_ns())); // after a pause
	assert_true(transport_connect(&transport, UINT64_MAX));
	collector_accept(collector);
	assert_int_equal(transport_send(&transport, "z", 1), 0);
	char got;
	assert_true(collector_wait(collector->fd, WAIT_MS));
	assert_int_equal(recv(collector->fd, &got, 1, 0), 1);
	assert_int_equal(got, 'z');
}

static void a_closed_connection_is_none_when_asked_to_connect(void **)
{
	open_both(SOCK_STREAM);
	collector_hang_up(collector);
	assert_false(transport_connect(&transport, clock_mono_ns()));
	assert_int_equal(transport.error, -EPIPE);
	assert_int_equal(transport.fd, -1);
	assert_true(transport_connect(&transport, UINT64_MAX));
}

#define STREAM_LEN (20u << 20)

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 2654435761u >> 24);
}

// Reads slowly at first, then everything until the end; how many bytes were right.
static void *read_stream(void *arg)
{
	uint8_t part[65536];
	size_t *right = arg, at = 0;
	ssize_t n;
	while ((n = recv(collector->fd, part, sizeof(part), 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			*right += part[i] == pattern(at++);
		if (at < 1 << 20)
			usleep(2000);
	}
	close(collector->fd);
	collector->fd = -1;
	return NULL;
}

static void a_stream_arrives_whole_however_slowly_it_is_read(void **)
{
	static uint8_t bytes[60001];
	size_t right = 0, sent = 0;
	pthread_t thread;
	open_both(SOCK_STREAM);
	assert_int_equal(pthread_create(&thread, NULL, read_stream, &right), 0);
	while (sent < STREAM_LEN) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = pattern(sent + i);
		assert_int_equal(transport_send(&transport, bytes, sizeof(bytes)), 0);
		sent += sizeof(bytes);
	}
	transport_close(&transport);
	assert_int_equal(transport.fd, -1);
	pthread_join(thread, NULL);
	assert_int_equal(right, sent);
}

static atomic_bool was_read;

static void *read_late(void *)
{
	char part[16];
	usleep(100000);
	while (recv(collector->fd, part, sizeof(part), 0) > 0)
		;
	atomic_store(&was_read, true);
	collector_hang_up(collector);
	return NULL;
}

static void closing_waits_until_the_peer_has_read(void **)
{
	pthread_t thread;
	open_both(SOCK_STREAM);
	atomic_store(&was_read, false);
	assert_int_equal(transport_send(&transport, "x", 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_late, NULL), 0);
	transport_close(&transport);
	assert_true(atomic_load(&was_read));
	pthread_join(thread, NULL);
}

static void closing_twice_is_closing_once(void **)
{
	open_both(SOCK_DGRAM);
	transport_close(&transport);
	transport_close(&transport);
	assert_int_equal(transport.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_target_names_its_protocol_and_udp_is_meant_without),
		TEST(a_target_may_name_its_format),
		TEST(nothing_is_sent_before_the_connection_is_made),
		TEST(a_datagram_is_a_message),
		TEST(a_datagram_larger_than_any_is_refused_and_others_go_on),
		TEST(an_absent_udp_collector_stops_nothing),
		TEST(connecting_again_is_nothing),
		TEST(pauses_between_tries_double_up_to_a_bound),
		TEST(a_connection_that_the_peer_closed_is_noticed_before_anything_is_lost_in_it),
		TEST(a_closed_connection_is_none_when_asked_to_connect),
		TEST(a_stream_arrives_whole_however_slowly_it_is_read),
		TEST(closing_waits_until_the_peer_has_read),
		TEST(closing_twice_is_closing_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
