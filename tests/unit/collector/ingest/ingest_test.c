// SPDX-License-Identifier: Apache-2.0

// The ingest as a whole: its threads and sockets on the loopback, from start to end. Connections
// are in ingest_tcp_test.c.

#include "tests/unit/collector/ingest/loopback.h"

#include <errno.h>
#include <sys/resource.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_arrive_over_udp_and_tcp),
		TEST(threads_share_the_exporters),
		TEST(exporters_are_listed),
		TEST(reader_that_stands_still_loses_what_is_counted),
		TEST(what_has_arrived_is_read_at_the_end),
		TEST(senseless_options_are_refused),
		TEST(address_that_cannot_be_bound_is_named),
		TEST(start_without_descriptors_fails_cleanly),
		TEST(a_thread_that_waits_does_not_go_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
