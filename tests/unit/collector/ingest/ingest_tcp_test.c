// SPDX-License-Identifier: Apache-2.0

// Connections to the ingest: messages in any portions, and every way a connection can end.

#include "tests/unit/collector/ingest/loopback.h"

#include <netinet/tcp.h>
#include <sys/resource.h>

static void message_may_be_split_at_every_byte(void **) // IP-24
{
	start();
	int fd = dial(INGEST_TCP), on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	begin_row();
	struct buf m = message();
	size_t len = buf_left(&m);
	for (size_t at = 1; at < len; at++) {
		put(fd, m.p, at);
		pause_ms(1);
		put(fd, m.p + at, len - at);
	}
	wait_until(rows, len - 1);
	for (int i = 0; i < 3; i++) {
		for (size_t at = 0; at < len; at++)
			put(fd, m.p + at, 1);
	}
	wait_until(rows, len - 1 + 3);
	close(fd);
	stop();
	assert_int_equal(bad_lengths(), 0);
}

static void segments_hold_several_messages(void **)
{
	static uint8_t all[16384];
	start();
	int fd = dial(INGEST_TCP);
	begin_row();
	struct buf m = message();
	size_t len = buf_left(&m), n = sizeof(all) / len;
	for (size_t i = 0; i < n; i++)
		memcpy(all + i * len, m.p, len);
	put(fd, all, n * len);
	wait_until(rows, n);
	close(fd);
}

static void reset_within_a_message_leaves_the_others(void **) // IP-22
{
	const struct linger at_once = {.l_onoff = 1};
	start();
	int broken = dial(INGEST_TCP), good = dial(INGEST_TCP);
	begin_row();
	put_message(good);
	put(broken, message().p, 21);
	wait_until(rows, 1);
	setsockopt(broken, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	pause_ms(50); // for the bytes to be read: a reset throws away those that are not
	close(broken);
	wait_until(bad_lengths, 1);
	put_message(good);
	int next = dial(INGEST_TCP);
	put_message(next);
	wait_until(rows, 3);
	close(good);
	close(next);
}

static void wrong_version_closes_its_connection_only(void **) // IP-1
{
	start();
	int bad = dial(INGEST_TCP), good = dial(INGEST_TCP);
	put(bad, "GET / HTTP/1.1\r\n\r\n", 18);
	assert_closed(bad);
	begin_row();
	put_message(good);
	wait_until(rows, 1);
	close(bad);
	close(good);
	stop();
	assert_int_equal(ledger_get(&ledger, LEDGER_bad_version), 1);
}

static void connections_are_capped(void **) // IP-26
{
	int fds[6];
	options.max_connections = 4;
	start();
	for (int i = 0; i < 4; i++)
		fds[i] = dial(INGEST_TCP);
	wait_until(connections, 4);
	fds[4] = dial(INGEST_TCP);
	assert_closed(fds[4]);
	wait_until(refused, 1);
	close(fds[0]);
	pause_ms(100);
	fds[5] = dial(INGEST_TCP);
	wait_until(connections, 5); // a place is free again
	begin_row();
	put_message(fds[5]);
	wait_until(rows, 1);
	for (int i = 1; i < 6; i++)
		close(fds[i]);
}

static void idle_connections_are_closed(void **)
{
	options.idle_ns = 300 * NS_PER_MSEC;
	start();
	int fd = dial(INGEST_TCP);
	begin_row();
	put_message(fd);
	wait_until(rows, 1);
	assert_closed(fd);
	close(fd);
}

static void templates_are_of_one_connection(void **) // IP-13
{
	start();
	int fd = dial(INGEST_TCP);
	begin_row();
	put_message(fd);
	wait_until(rows, 1);
	close(fd);
	fd = dial(INGEST_TCP);
	begin(10);
	set(256, "0a000002");
	put_message(fd);
	begin(10);
	DEFINE(256, 12, 4); // what was sent first is read by this one
	put_message(fd);
	wait_until(rows, 2);
	struct record r = sink_row(&sink, 1, NULL);
	assert_int_equal(r.dst.b[15], 2);
	assert_false(addr_is_v4(&r.src));
	close(fd);
}

static uint64_t cpu_ns(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NS_PER_SEC +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * NS_PER_USEC;
}

// No descriptor is left for a connection that waits: nobody turns in circles over it, and it is
// taken when there is one again.
static void connection_waits_for_a_descriptor(void **)
{
	struct rlimit limit, none;
	struct endpoint e = loopback(INGEST_TCP);
	start();
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	endpoint_set_port((struct sockaddr *)&e.sa, ingest_port(ingest, 1));
	int next = dup(0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){(rlim_t)next, limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int ret = connect(fd, (struct sockaddr *)&e.sa, e.len);
	pause_ms(50);
	uint64_t before = cpu_ns();
	pause_ms(500);
	uint64_t used = cpu_ns() - before;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(ret, 0);
	assert_true(used < 100 * NS_PER_MSEC);
	begin_row();
	put_message(fd);
	wait_until(rows, 1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(message_may_be_split_at_every_byte),
		TEST(segments_hold_several_messages),
		TEST(reset_within_a_message_leaves_the_others),
		TEST(wrong_version_closes_its_connection_only),
		TEST(connections_are_capped),
		TEST(idle_connections_are_closed),
		TEST(templates_are_of_one_connection),
		TEST(connection_waits_for_a_descriptor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
