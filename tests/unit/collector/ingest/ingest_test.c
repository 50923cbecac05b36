// SPDX-License-Identifier: Apache-2.0

// The ingest as a whole: its threads and sockets on the loopback, datagrams and connections in,
// rows out.

#include "collector/ingest/ingest.h"
#include "tests/unit/collector/ingest/sink.h"
#include "tests/unit/lib/ipfix/message.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define WAIT_NS (10 * NS_PER_SEC)

static struct ledger ledger;
static struct commit sink;
static struct ingest_options options;
static struct endpoint listening[2]; // UDP and TCP, on ports of the kernel's choice
static struct ingest *ingest;
static char warning[INGEST_WARNING_LEN];

static struct endpoint loopback(int kind)
{
	struct endpoint e = {.kind = kind, .len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *sin = (struct sockaddr_in *)&e.sa;
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return e;
}

static int set_up(void **)
{
	ledger = (struct ledger){};
	sink_init(&sink, 100);
	listening[0] = loopback(INGEST_UDP);
	listening[1] = loopback(INGEST_TCP);
	options = ingest_defaults();
	options.listen = listening;
	options.n_listen = 2;
	options.rcvbuf = 1 << 18;
	options.flush_ns = 20 * NS_PER_MSEC;
	options.clock_skew_ns = 0;
	options.commit = &sink;
	options.ledger = &ledger;
	ingest = NULL;
	return 0;
}

static int tear_down(void **)
{
	ingest_stop(ingest);
	uint64_t lost = ledger_get(&ledger, LEDGER_no_address);
	assert_int_equal(ledger_get(&ledger, LEDGER_records), sink_rows(&sink) + lost);
	sink_fini(&sink);
	return 0;
}

static void start(void)
{
	assert_int_equal(ingest_start(&options, &ingest, warning), 0);
}

static void stop(void)
{
	ingest_stop(ingest);
	ingest = NULL;
}

static int dial(int kind)
{
	struct endpoint e = loopback(kind);
	int fd = socket(AF_INET, kind == INGEST_UDP ? SOCK_DGRAM : SOCK_STREAM, 0);
	endpoint_set_port((struct sockaddr *)&e.sa, ingest_port(ingest, (size_t)kind));
	assert_int_equal(connect(fd, (struct sockaddr *)&e.sa, e.len), 0);
	return fd;
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

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

// Waits until `get` gives at least `want`.
static void wait_until(uint64_t (*get)(void), uint64_t want)
{
	uint64_t until = clock_mono_ns() + WAIT_NS;
	while (get() < want && clock_mono_ns() < until)
		pause_ms(2);
	if (get() < want)
		fail_msg("%llu of %llu", (unsigned long long)get(), (unsigned long long)want);
}

static uint64_t rows(void)
{
	return sink_rows(&sink);
}

static uint64_t connections(void)
{
	return ledger_get(&ledger, LEDGER_connections);
}

static uint64_t refused(void)
{
	return ledger_get(&ledger, LEDGER_connection_limit);
}

static uint64_t bad_lengths(void)
{
	return ledger_get(&ledger, LEDGER_bad_length);
}

static void begin_row(void)
{
	begin(10);
	DEFINE(256, 8, 4);
	set(256, "0a000001");
}

static void assert_closed(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_true(recv(fd, &c, 1, 0) <= 0);
}

static void rows_arrive_over_udp_and_tcp(void **)
{
	start();
	int udp = dial(INGEST_UDP), tcp = dial(INGEST_TCP);
	assert_int_not_equal(ingest_port(ingest, 0), 0);
	begin_row();
	put_message(udp);
	put_message(tcp);
	wait_until(rows, 2);
	struct record r = sink_row(&sink, 0, NULL);
	assert_src(&r, 1);
	assert_true(r.recv_ns <= clock_now_ns() && clock_now_ns() - r.recv_ns < 60 * NS_PER_SEC);
	close(udp);
	close(tcp);
	stop();
	assert_int_equal(ledger_get(&ledger, LEDGER_datagrams), 1);
	assert_int_equal(ledger_get(&ledger, LEDGER_messages), 2);
}

static void threads_share_the_exporters(void **)
{
	enum { EXPORTERS = 32, ROUNDS = 20 };
	int fds[EXPORTERS];
	options.threads = 4;
	start();
	begin_row();
	for (int i = 0; i < EXPORTERS; i++)
		fds[i] = dial(i % 2 ? INGEST_UDP : INGEST_TCP);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < EXPORTERS; i++)
			put_message(fds[i]);
		pause_ms(2); // within the receive buffers
	}
	wait_until(rows, EXPORTERS * ROUNDS);
	for (int i = 0; i < EXPORTERS; i++)
		close(fds[i]);
	stop();
	assert_int_equal(rows(), EXPORTERS * ROUNDS);
	assert_int_equal(ledger_get(&ledger, LEDGER_templates), EXPORTERS);
}

static void exporters_are_listed(void **)
{
	struct ingest_exporter list[8];
	options.threads = 2;
	start();
	int fds[3] = {dial(INGEST_UDP), dial(INGEST_UDP), dial(INGEST_TCP)};
	begin_row();
	for (int i = 0; i < 3; i++)
		put_message(fds[i]);
	wait_until(rows, 3);
	uint64_t until = clock_mono_ns() + WAIT_NS;
	size_t n;
	while ((n = ingest_exporters(ingest, list, 8)) < 3 && clock_mono_ns() < until) {
		put_message(fds[0]);
		pause_ms(50);
	}
	assert_int_equal(n, 3);
	unsigned n_tcp = 0;
	for (size_t i = 0; i < n; i++) {
		n_tcp += list[i].is_tcp;
		assert_int_equal(list[i].version, 10);
		assert_int_equal(list[i].domain, DOMAIN);
		assert_int_equal(list[i].templates, 1);
		assert_true(list[i].records >= 1);
		assert_true(clock_now_ns() - list[i].last_ns < 60 * NS_PER_SEC);
	}
	assert_int_equal(n_tcp, 1);
	assert_int_equal(ingest_exporters(ingest, list, 2), 2);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

// What the kernel cannot keep while nobody reads is lost, and counted: nothing else is.
static void reader_that_stands_still_loses_what_is_counted(void **)
{
	enum { SENT = 3000 };
	static const uint8_t padding[400];
	options.rcvbuf = 1 << 16;
	options.open_batches = 1;
	sink.batch_rows = 10;
	start();
	sink_stick(&sink, true);
	int fd = dial(INGEST_UDP);
	begin_row();
	set_bytes(300, padding, sizeof(padding));
	for (int i = 0; i < SENT; i++)
		put_message(fd);
	sink_stick(&sink, false);
	stop(); // reads the rest
	uint64_t lost = ledger_get(&ledger, LEDGER_kernel_queue);
	assert_true(lost > 0);
	assert_int_equal(rows() + lost, SENT);
	assert_int_equal(ledger_get(&ledger, LEDGER_datagrams) + lost, SENT);
	close(fd);
}

static void what_has_arrived_is_read_at_the_end(void **)
{
	enum { SENT = 200 };
	sink_stick(&sink, true); // nothing leaves before the end
	start();
	int udp = dial(INGEST_UDP), tcp = dial(INGEST_TCP);
	wait_until(connections, 1);
	begin_row();
	for (int i = 0; i < SENT; i++) {
		put_message(udp);
		put_message(tcp);
	}
	sink_stick(&sink, false);
	stop();
	assert_int_equal(rows(), 2 * SENT);
	assert_int_equal(ledger_get(&ledger, LEDGER_kernel_queue), 0);
	close(udp);
	close(tcp);
}

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

static void senseless_options_are_refused(void **)
{
	struct ingest_options good = options;
	options.n_listen = 0;
	assert_int_equal(ingest_start(&options, &ingest, warning), -EINVAL);
	assert_true(*warning);
	options = good;
	options.threads = 0;
	assert_int_equal(ingest_start(&options, &ingest, warning), -EINVAL);
	options.threads = INGEST_THREADS_MAX + 1;
	assert_int_equal(ingest_start(&options, &ingest, warning), -EINVAL);
	options = good;
	options.open_batches = 0;
	assert_int_equal(ingest_start(&options, &ingest, warning), -EINVAL);
	assert_null(ingest);
	ingest_stop(NULL);
}

static void address_that_cannot_be_bound_is_named(void **)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&listening[1].sa;
	sin->sin_addr.s_addr = htonl(0xc6336401);
	sin->sin_port = htons(4739);
	assert_int_equal(ingest_start(&options, &ingest, warning), -EADDRNOTAVAIL);
	assert_non_null(strstr(warning, "198.51.100.1:4739"));
	assert_null(ingest);
}

static void start_without_descriptors_fails_cleanly(void **)
{
	struct rlimit limit, few;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (unsigned left = 0; left < 4; left++) {
		int next = dup(0);
		close(next);
		few = (struct rlimit){(rlim_t)next + left, limit.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		int ret = ingest_start(&options, &ingest, warning);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_int_equal(ret, -EMFILE);
		assert_null(ingest);
	}
}

// Looks until the threads have, or have not, gone on between two looks.
static void wait_for_going(bool want)
{
	uint64_t until = clock_mono_ns() + WAIT_NS;
	bool is = !want;
	while (is != want && clock_mono_ns() < until) {
		pause_ms(100);
		is = ingest_goes_on(ingest);
	}
	assert_true(is == want);
}

// The sink has no batch: the thread waits for one, which the watchdog has to know.
static void a_thread_that_waits_does_not_go_on(void **)
{
	start();
	int udp = dial(INGEST_UDP);
	begin_row();
	wait_for_going(true); // idle ones turn as well
	sink_stick(&sink, true);
	put_message(udp);
	wait_for_going(false);
	sink_stick(&sink, false);
	wait_until(rows, 1);
	wait_for_going(true);
	close(udp);
	stop();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_arrive_over_udp_and_tcp),
		TEST(threads_share_the_exporters),
		TEST(exporters_are_listed),
		TEST(reader_that_stands_still_loses_what_is_counted),
		TEST(what_has_arrived_is_read_at_the_end),
		TEST(message_may_be_split_at_every_byte),
		TEST(segments_hold_several_messages),
		TEST(reset_within_a_message_leaves_the_others),
		TEST(wrong_version_closes_its_connection_only),
		TEST(connections_are_capped),
		TEST(idle_connections_are_closed),
		TEST(templates_are_of_one_connection),
		TEST(connection_waits_for_a_descriptor),
		TEST(senseless_options_are_refused),
		TEST(address_that_cannot_be_bound_is_named),
		TEST(start_without_descriptors_fails_cleanly),
		TEST(a_thread_that_waits_does_not_go_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
