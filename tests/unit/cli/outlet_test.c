// SPDX-License-Identifier: Apache-2.0
#include "cli/outlet.h"
#include "lib/base/clock.h"
#include "lib/ipfix/decode.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define AT (1700000000 * NS_PER_SEC)
#define ROWS 5000

// A collector: a socket, and what it has read.
struct peer {
	int fd;
	struct endpoint at;
	pthread_t thread;
	uint64_t n_records, bytes;
};

static void peer_open(struct peer *p, int kind)
{
	*p = (struct peer){};
	assert_int_equal(endpoint_parse("127.0.0.1:0", (const char *const[]){"", NULL}, &p->at), 0);
	p->at.kind = kind;
	p->fd = socket(AF_INET, (kind == SENDER_TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&p->at.sa, p->at.len), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&p->at.sa, &p->at.len), 0);
	if (kind == SENDER_TCP)
		assert_int_equal(listen(p->fd, 1), 0);
}

// Reads records until `stop`, over messages that may be cut anywhere.
static void *read_stream(void *arg)
{
	struct peer *p = arg;
	const struct ipfix_limits limits = {
		.templates = 256, .fields = 256, .weir_pen = PEN_WEIR, .is_reliable = true};
	struct ipfix_budget budget = {.max = 16 << 20};
	struct ipfix_domain *domain = ipfix_domain_create(&limits, &budget);
	static struct ipfix_reader reader;
	static uint8_t data[1 << 17];
	size_t len = 0;
	ssize_t n;
	int fd = accept(p->fd, NULL, NULL);
	while ((n = recv(fd, data + len, sizeof(data) - len, 0)) > 0) {
		struct ipfix_message m;
		struct buf b = buf_of(data, len += (size_t)n);
		while (buf_left(&b) >= 4 && buf_left(&b) >= (size_t)(b.p[2] << 8 | b.p[3]) &&
		       ipfix_message_parse(&b, AT, &m) == IPFIX_OK) {
			struct record *r;
			ipfix_reader_init(&reader, domain, &m);
			while ((r = ipfix_reader_next(&reader))) {
				p->n_records++;
				p->bytes += r->bytes;
			}
		}
		len = buf_left(&b);
		memmove(data, b.p, len);
	}
	ipfix_domain_free(domain);
	close(fd);
	return NULL;
}

static struct record row(uint32_t i)
{
	struct record r = {};
	RECORD_SET(&r, start_ns, AT);
	RECORD_SET(&r, end_ns, AT + i * NS_PER_MSEC);
	RECORD_SET(&r, src, addr_of_v4("\xc0\0\2\1"));
	RECORD_SET(&r, dst, addr_of_v4("\xc0\0\2\2"));
	RECORD_SET(&r, bytes, i);
	return r;
}

static int add_rows(struct outlet *o, uint32_t n)
{
	int ret = 0;
	for (uint32_t i = 0; ret == 0 && i < n; i++) {
		struct record r = row(i);
		ret = outlet_add(o, &r);
	}
	return ret;
}

static void a_stream_is_read_to_its_end(void **)
{
	struct peer p;
	struct outlet o;
	struct outlet_options options = {.to = &p.at, .encoder = {.biflow = true}};
	peer_open(&p, SENDER_TCP);
	pthread_create(&p.thread, NULL, read_stream, &p);
	assert_int_equal(outlet_open(&o, &options), 0);
	assert_int_equal(add_rows(&o, ROWS), 0);
	assert_int_equal(outlet_close(&o), 0);
	pthread_join(p.thread, NULL);
	assert_int_equal(p.n_records, ROWS);
	assert_int_equal(o.n_sent, ROWS);
	assert_int_equal(p.bytes, (uint64_t)ROWS * (ROWS - 1) / 2);
	close(p.fd);
}

static void a_collector_that_hangs_up_is_told(void **)
{
	struct peer p;
	struct outlet o;
	struct outlet_options options = {.to = &p.at, .encoder = {.biflow = true}};
	const struct linger reset = {.l_onoff = 1};
	peer_open(&p, SENDER_TCP);
	assert_int_equal(outlet_open(&o, &options), 0);
	int fd = accept(p.fd, NULL, NULL);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	int ret = add_rows(&o, ROWS);
	ret = ret == 0 ? outlet_close(&o) : (outlet_abandon(&o), ret);
	assert_true(ret == -ECONNRESET || ret == -EPIPE);
	close(p.fd);
	assert_int_equal(outlet_open(&o, &options), -ECONNREFUSED);
}

static void datagrams_fit_the_path_and_carry_their_templates(void **)
{
	struct peer p;
	struct outlet o;
	struct outlet_options options = {.to = &p.at, .encoder = {.biflow = true, .version = 9}};
	uint8_t data[2048];
	unsigned n = 0;
	ssize_t len;
	peer_open(&p, SENDER_UDP);
	assert_int_equal(outlet_open(&o, &options), 0);
	assert_int_equal(add_rows(&o, 200), 0);
	assert_int_equal(outlet_close(&o), 0);
	while ((len = recv(p.fd, data, sizeof(data), MSG_DONTWAIT)) > 0) {
		assert_true(len <= SENDER_DATAGRAM_MAX && data[1] == 9);
		assert_true(n || data[20 + 1] == 0); // a template set begins the first
		n++;
	}
	assert_int_equal(n, o.n_messages);
	assert_true(n > 5);
	close(p.fd);
}

static void the_rate_is_kept(void **)
{
	struct peer p;
	struct outlet o;
	struct outlet_options options = {.to = &p.at, .encoder = {.biflow = true}, .rate = 10000};
	peer_open(&p, SENDER_UDP);
	uint64_t begin_ns = clock_mono_ns();
	assert_int_equal(outlet_open(&o, &options), 0);
	assert_int_equal(add_rows(&o, 3000), 0);
	assert_int_equal(outlet_close(&o), 0);
	assert_true(clock_mono_ns() - begin_ns > 280 * NS_PER_MSEC);
	close(p.fd);
}

static void targets_are_told_apart(void **)
{
	struct endpoint to;
	assert_int_equal(sender_parse("udp:127.0.0.1:1", &to), 0);
	assert_int_equal(to.kind, SENDER_UDP);
	assert_int_equal(sender_parse("127.0.0.1:1", &to), 0);
	assert_int_equal(to.kind, SENDER_TCP);
	assert_int_equal(sender_parse("sctp:127.0.0.1:1", &to), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_is_read_to_its_end),
		cmocka_unit_test(a_collector_that_hangs_up_is_told),
		cmocka_unit_test(datagrams_fit_the_path_and_carry_their_templates),
		cmocka_unit_test(the_rate_is_kept),
		cmocka_unit_test(targets_are_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
