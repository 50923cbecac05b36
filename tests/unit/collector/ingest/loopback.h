// SPDX-License-Identifier: Apache-2.0
#pragma once

// The ingest as a whole on loopback sockets, UDP and TCP on ports of the kernel's choice, for the
// test's thread to send to; rows end in a sink. A test's end checks the sum of the ledger.

#include "collector/ingest/ingest.h"
#include "tests/unit/collector/ingest/sink.h"
#include "tests/unit/lib/ipfix/message.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#define WAIT_NS (10 * NS_PER_SEC)

static struct ledger ledger;
static struct commit sink;
static struct ingest_options options;
static struct endpoint listening[2]; // UDP and TCP, on ports of the kernel's choice
static struct ingest *ingest;
static char warning[INGEST_WARNING_LEN];

static inline struct endpoint loopback(int kind)
{
	struct endpoint e = {.kind = kind, .len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *sin = (struct sockaddr_in *)&e.sa;
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return e;
}

static inline int set_up(void **)
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

static inline int tear_down(void **)
{
	ingest_stop(ingest);
	uint64_t lost = ledger_get(&ledger, LEDGER_no_address);
	assert_int_equal(ledger_get(&ledger, LEDGER_records), sink_rows(&sink) + lost);
	sink_fini(&sink);
	return 0;
}

static inline void start(void)
{
	assert_int_equal(ingest_start(&options, &ingest, warning), 0);
}

static inline void stop(void)
{
	ingest_stop(ingest);
	ingest = NULL;
}

static inline int dial(int kind)
{
	struct endpoint e = loopback(kind);
	int fd = socket(AF_INET, kind == INGEST_UDP ? SOCK_DGRAM : SOCK_STREAM, 0);
	endpoint_set_port((struct sockaddr *)&e.sa, ingest_port(ingest, (size_t)kind));
	assert_int_equal(connect(fd, (struct sockaddr *)&e.sa, e.len), 0);
	return fd;
}

static inline void put(int fd, const void *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

static inline void put_message(int fd)
{
	struct buf m = message();
	put(fd, m.p, buf_left(&m));
}

static inline void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

// Waits until `get` gives at least `want`.
static inline void wait_until(uint64_t (*get)(void), uint64_t want)
{
	uint64_t until = clock_mono_ns() + WAIT_NS;
	while (get() < want && clock_mono_ns() < until)
		pause_ms(2);
	if (get() < want)
		fail_msg("%llu of %llu", (unsigned long long)get(), (unsigned long long)want);
}

static inline uint64_t rows(void)
{
	return sink_rows(&sink);
}

static inline uint64_t connections(void)
{
	return ledger_get(&ledger, LEDGER_connections);
}

static inline uint64_t refused(void)
{
	return ledger_get(&ledger, LEDGER_connection_limit);
}

static inline uint64_t bad_lengths(void)
{
	return ledger_get(&ledger, LEDGER_bad_length);
}

static inline void begin_row(void)
{
	begin(10);
	DEFINE(256, 8, 4);
	set(256, "0a000001");
}

static inline void assert_closed(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_true(recv(fd, &c, 1, 0) <= 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
