// SPDX-License-Identifier: Apache-2.0
#include "api/resolve/resolve.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// A name server on loopback. What it answers depends on the last octet of the address asked for:
// the first label of a name in in-addr.arpa.
enum {
	NAMED,
	NAMED_LATE, // after LATE_MS
	NO_SUCH_NAME,
	NO_DATA,
	SERVER_FAILS,
	SILENT,
	ESCAPE_CODES,
	MARKUP,
	BYTES, // not text at all
	LONG_NAME,
	LABEL_LOOP, // a compression pointer to itself
	CUT_OFF,
	WRONG_ID,
	WRONG_ID_FIRST, // then the right one
	OTHER_QUESTION,
	NOISE,
	N_KINDS
};

#define LATE_MS 300
#define N_OCTETS 256

struct name_server {
	int fd;
	char text[32]; // "127.0.0.1:PORT"
	pthread_t thread;
	_Atomic bool stopping;
	_Atomic unsigned n_asked[N_OCTETS]; // by last octet
	_Atomic unsigned n_asked_v6;
	enum { BY_OCTET, ALL_SILENT, ALL_NAMED } mode;
};

struct packet {
	size_t len;
	uint8_t b[1024];
};

static void put(struct packet *p, const void *bytes, size_t len)
{
	memcpy(p->b + p->len, bytes, len);
	p->len += len;
}

static void put_label(struct packet *p, const char *label, size_t len)
{
	uint8_t n = (uint8_t)len;
	put(p, &n, 1);
	put(p, label, len);
}

// The name a PTR record of that kind has, as it goes over the wire.
static struct packet target_of(int kind, unsigned octet)
{
	struct packet p = {};
	char host[16];
	switch (kind) {
	case ESCAPE_CODES:
		put_label(&p, "\x1b[31mred\a\r\n", 11);
		break;
	case MARKUP:
		put_label(&p, "<b onload=\"x\">", 14);
		break;
	case BYTES:
		put_label(&p, "\x00\xff\x80\xc3\x28.", 6);
		break;
	case LONG_NAME:
		for (int i = 0; i < 4; i++)
			put_label(&p, "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz", 53);
		for (int i = 0; i < 40; i++)
			put_label(&p, "y", 1);
		break;
	default:
		snprintf(host, sizeof(host), "host-%u", octet);
		put_label(&p, host, strlen(host));
	}
	put_label(&p, "example", 7);
	put_label(&p, "net", 3);
	put(&p, "", 1);
	return p;
}

static unsigned rcode_of(int kind)
{
	return kind == NO_SUCH_NAME ? 3 : (kind == SERVER_FAILS ? 2 : 0);
}

// The answer to a question with a header of 12 bytes (RFC 1035 §4.1).
static struct packet answer_to(const struct packet *q, int kind, unsigned octet)
{
	struct packet a = {}, target = target_of(kind, octet);
	bool has_answer = rcode_of(kind) == 0 && kind != NO_DATA;
	const uint8_t head[12] = {
		q->b[0], q->b[1], 0x85, (uint8_t)(0x80 | rcode_of(kind)), 0, 1, 0, has_answer};
	put(&a, head, sizeof(head));
	size_t end = 12;
	while (end < q->len && q->b[end])
		end += q->b[end] + 1u;
	put(&a, q->b + 12, end + 5 - 12); // the final label, type and class
	if (kind == OTHER_QUESTION)
		a.b[13] = a.b[13] == '9' ? '8' : '9';
	if (has_answer) {
		static const uint8_t record[] = {0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 60};
		uint8_t len[2] = {(uint8_t)(target.len >> 8), (uint8_t)target.len};
		put(&a, record, sizeof(record));
		put(&a, len, 2);
		if (kind == LABEL_LOOP) {
			a.b[a.len - 1] = 2;
			a.b[a.len - 2] = 0;
			uint8_t loop[2] = {0xc0, (uint8_t)a.len};
			put(&a, loop, 2);
		} else {
			put(&a, target.b, target.len);
		}
	}
	if (kind == CUT_OFF)
		a.len -= 6;
	return a;
}

static void reply(struct name_server *s, const struct packet *q, const struct sockaddr_in *from)
{
	bool v6 = memmem(q->b, q->len, "ip6", 3);
	unsigned octet = v6 ? 0 : (unsigned)atoi((const char *)q->b + 13) % N_OCTETS;
	int kind = v6 || s->mode == ALL_NAMED ? NAMED : (int)octet % N_KINDS;
	atomic_fetch_add(v6 ? &s->n_asked_v6 : &s->n_asked[octet], 1);
	if (kind == SILENT || s->mode == ALL_SILENT)
		return;
	if (kind == NAMED_LATE)
		usleep(LATE_MS * 1000);
	struct packet a = answer_to(q, kind, octet);
	if (kind == NOISE)
		memset(a.b + 2, 0xff, a.len - 2);
	if (kind == WRONG_ID || kind == WRONG_ID_FIRST)
		a.b[0] ^= 0x55;
	sendto(s->fd, a.b, a.len, 0, (const struct sockaddr *)from, sizeof(*from));
	if (kind == WRONG_ID_FIRST) {
		a.b[0] ^= 0x55;
		sendto(s->fd, a.b, a.len, 0, (const struct sockaddr *)from, sizeof(*from));
	}
}

static void *serve(void *arg)
{
	struct name_server *s = arg;
	while (!atomic_load(&s->stopping)) {
		struct packet q = {};
		struct sockaddr_in from;
		socklen_t from_len = sizeof(from);
		ssize_t n =
			recvfrom(s->fd, q.b, sizeof(q.b), 0, (struct sockaddr *)&from, &from_len);
		if (n < 18)
			continue; // nothing for a while, or no question
		q.len = (size_t)n;
		reply(s, &q, &from);
	}
	return NULL;
}

static struct name_server *server_start(int mode)
{
	struct name_server *s = calloc(1, sizeof(*s));
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	struct timeval often = {.tv_usec = 20000};
	s->mode = mode;
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&sin, &len), 0);
	setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &often, sizeof(often));
	snprintf(s->text, sizeof(s->text), "127.0.0.1:%u", ntohs(sin.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	return s;
}

static void server_stop(struct name_server *s)
{
	atomic_store(&s->stopping, true);
	pthread_join(s->thread, NULL);
	close(s->fd);
	free(s);
}

struct fixture {
	struct name_server *server;
	struct resolver *resolver;
};

static struct fixture start(int mode, uint32_t cache_cap, uint32_t timeout_ms)
{
	struct fixture f = {.server = server_start(mode)};
	struct resolver_options o = {
		.server = f.server->text, .cache_cap = cache_cap, .timeout_ms = timeout_ms};
	assert_int_equal(resolver_start(&o, &f.resolver), 0);
	return f;
}

static void stop(struct fixture *f)
{
	resolver_stop(f->resolver);
	server_stop(f->server);
}

static struct addr address(unsigned n)
{
	uint8_t b[4] = {192, 0, (uint8_t)(n >> 8), (uint8_t)n};
	return addr_of_v4(b);
}

static const char *lookup_one(struct fixture *f, unsigned octet, uint64_t timeout_ns)
{
	static char name[1][CACHE_NAME_LEN];
	struct addr a = address(octet);
	strcpy(name[0], "before");
	resolver_lookup(f->resolver, &a, 1, timeout_ns, name);
	return name[0];
}

static unsigned n_asked(struct fixture *f, unsigned octet)
{
	return atomic_load(&f->server->n_asked[octet]);
}

#define LONG_NS (5 * NS_PER_SEC)

static void addresses_get_their_names(void **)
{
	struct fixture f = start(BY_OCTET, 100, 5000);
	char names[3][CACHE_NAME_LEN];
	struct addr addrs[3] = {address(NAMED), address(NAMED + N_KINDS), address(NAMED)};
	resolver_lookup(f.resolver, addrs, 3, LONG_NS, names);
	assert_string_equal(names[0], "host-0.example.net");
	assert_string_equal(names[1], "host-16.example.net");
	assert_string_equal(names[2], "host-0.example.net");
	assert_int_equal(n_asked(&f, NAMED), 1); // twice in the list, once on the wire
	stop(&f);
}

static void an_ipv6_address_gets_its_name(void **)
{
	struct fixture f = start(BY_OCTET, 100, 5000);
	char names[1][CACHE_NAME_LEN];
	struct addr a;
	assert_int_equal(addr_parse("2001:db8::1", &a), 0);
	resolver_lookup(f.resolver, &a, 1, LONG_NS, names);
	assert_string_equal(names[0], "host-0.example.net");
	assert_int_equal(atomic_load(&f.server->n_asked_v6), 1);
	stop(&f);
}

static void an_answer_is_kept_also_when_it_is_no_name(void **)
{
	static const int kinds[] = {NAMED, NO_SUCH_NAME, NO_DATA, ESCAPE_CODES};
	struct fixture f = start(BY_OCTET, 100, 5000);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *want = kinds[i] == NAMED ? "host-0.example.net" : "";
		for (int round = 0; round < 3; round++)
			assert_string_equal(lookup_one(&f, (unsigned)kinds[i], LONG_NS), want);
		assert_int_equal(n_asked(&f, (unsigned)kinds[i]), 1);
	}
	stop(&f);
}

static void hostile_answers_give_no_name(void **)
{
	static const int kinds[] = {
		ESCAPE_CODES, MARKUP, BYTES, LONG_NAME, LABEL_LOOP, CUT_OFF, SERVER_FAILS};
	struct fixture f = start(BY_OCTET, 100, 100);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		assert_string_equal(lookup_one(&f, (unsigned)kinds[i], LONG_NS), "");
	assert_string_equal(lookup_one(&f, NAMED, LONG_NS), "host-0.example.net");
	stop(&f);
}

static void answers_to_another_question_are_not_believed(void **)
{
	struct fixture f = start(BY_OCTET, 100, 100);
	assert_string_equal(lookup_one(&f, WRONG_ID, LONG_NS), "");
	assert_string_equal(lookup_one(&f, OTHER_QUESTION, LONG_NS), "");
	assert_string_equal(lookup_one(&f, NOISE, LONG_NS), "");
	assert_true(n_asked(&f, WRONG_ID) >= 2); // asked again
	assert_string_equal(lookup_one(&f, WRONG_ID_FIRST, LONG_NS), "host-13.example.net");
	stop(&f);
}

static void a_silent_server_costs_no_more_than_the_budget(void **)
{
	struct fixture f = start(BY_OCTET, 100, 5000);
	char names[3][CACHE_NAME_LEN];
	struct addr addrs[3] = {address(SILENT), address(NAMED), address(SILENT + N_KINDS)};
	uint64_t start_ns = clock_mono_ns();
	resolver_lookup(f.resolver, addrs, 3, 200 * NS_PER_MSEC, names);
	uint64_t took = clock_mono_ns() - start_ns;
	assert_in_range(took, 150 * NS_PER_MSEC, 2 * NS_PER_SEC);
	assert_string_equal(names[0], "");
	assert_string_equal(names[1], "host-0.example.net"); // those that answer are there
	assert_string_equal(names[2], "");
	start_ns = clock_mono_ns();
	assert_string_equal(lookup_one(&f, SILENT, 0), ""); // no budget at all
	stop(&f);					    // with questions out
	assert_in_range(clock_mono_ns() - start_ns, 0, 2 * NS_PER_SEC);
}

static void a_name_that_comes_late_is_there_the_next_time(void **)
{
	struct fixture f = start(BY_OCTET, 100, 5000);
	assert_string_equal(lookup_one(&f, NAMED_LATE, 10 * NS_PER_MSEC), "");
	usleep(3 * LATE_MS * 1000);
	assert_string_equal(lookup_one(&f, NAMED_LATE, 0), "host-1.example.net");
	assert_int_equal(n_asked(&f, NAMED_LATE), 1);
	stop(&f);
}

static void a_server_that_gave_up_is_not_asked_again_at_once(void **)
{
	struct fixture f = start(BY_OCTET, 100, 50);
	assert_string_equal(lookup_one(&f, SILENT, LONG_NS), "");
	assert_int_equal(n_asked(&f, SILENT), 2); // two attempts
	assert_string_equal(lookup_one(&f, SILENT, LONG_NS), "");
	assert_int_equal(n_asked(&f, SILENT), 2);
	stop(&f);
}

static void the_cache_is_bounded(void **)
{
	struct fixture f = start(ALL_NAMED, 4, 5000);
	for (unsigned octet = 0; octet < 20; octet++)
		lookup_one(&f, octet, LONG_NS);
	for (unsigned octet = 16; octet < 20; octet++) {
		lookup_one(&f, octet, LONG_NS);
		assert_int_equal(n_asked(&f, octet), 1); // among the last four
	}
	assert_string_equal(lookup_one(&f, 0, LONG_NS), "host-0.example.net");
	assert_int_equal(n_asked(&f, 0), 2); // had to go
	stop(&f);
}

static void many_addresses_are_asked_for_a_few_at_a_time(void **)
{
	enum { N = 250 };
	struct fixture f = start(ALL_NAMED, N, 5000);
	static char names[N][CACHE_NAME_LEN];
	struct addr addrs[N];
	char want[32];
	for (unsigned i = 0; i < N; i++)
		addrs[i] = address(i);
	resolver_lookup(f.resolver, addrs, N, 2 * LONG_NS, names);
	for (unsigned i = 0; i < N; i++) {
		snprintf(want, sizeof(want), "host-%u.example.net", i);
		assert_string_equal(names[i], want);
		assert_int_equal(n_asked(&f, i), 1);
	}
	stop(&f);
}

static void more_addresses_than_may_wait_stay_nameless(void **)
{
	enum { N = 2000 };
	struct fixture f = start(ALL_SILENT, 100, 5000);
	static char names[N][CACHE_NAME_LEN];
	static struct addr addrs[N];
	unsigned n_out = 0;
	for (unsigned i = 0; i < N; i++)
		addrs[i] = address(i);
	uint64_t start_ns = clock_mono_ns();
	resolver_lookup(f.resolver, addrs, N, 200 * NS_PER_MSEC, names);
	assert_in_range(clock_mono_ns() - start_ns, 0, 2 * NS_PER_SEC);
	for (unsigned i = 0; i < N; i++)
		assert_string_equal(names[i], "");
	for (unsigned i = 0; i < N_OCTETS; i++)
		n_out += n_asked(&f, i);
	assert_in_range(n_out, 1, 64); // questions out at a time
	stop(&f);
}

static void *lookup_in_thread(void *arg)
{
	struct addr addrs[40];
	char names[40][CACHE_NAME_LEN], want[32];
	for (unsigned i = 0; i < 40; i++)
		addrs[i] = address(i);
	resolver_lookup(arg, addrs, 40, LONG_NS, names);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(want, sizeof(want), "host-%u.example.net", i);
		if (strcmp(names[i], want) != 0)
			return (void *)1;
	}
	return NULL;
}

static void threads_that_ask_for_the_same_share_the_answer(void **)
{
	struct fixture f = start(ALL_NAMED, 100, 5000);
	pthread_t threads[8];
	void *wrong;
	for (int i = 0; i < 8; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, lookup_in_thread, f.resolver), 0
		);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(n_asked(&f, i), 1);
	stop(&f);
}

static void switched_off_it_knows_no_names(void **)
{
	struct fixture f = {};
	struct resolver_options o = {.server = "off"};
	assert_int_equal(resolver_start(&o, &f.resolver), 0);
	assert_string_equal(lookup_one(&f, NAMED, LONG_NS), "");
	resolver_stop(f.resolver);
	resolver_stop(NULL);
}

static void a_server_that_is_no_address_is_refused(void **)
{
	static const char *const servers[] = {
		"", "nonsense", "dns.example.net:53", "127.0.0.1:x", "300.0.0.1:53", ","};
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		struct resolver_options o = {
			.server = servers[i], .cache_cap = 10, .timeout_ms = 100};
		struct resolver *r;
		if (resolver_start(&o, &r) != -EINVAL)
			fail_msg("taken: '%s'", servers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_get_their_names),
		cmocka_unit_test(an_ipv6_address_gets_its_name),
		cmocka_unit_test(an_answer_is_kept_also_when_it_is_no_name),
		cmocka_unit_test(hostile_answers_give_no_name),
		cmocka_unit_test(answers_to_another_question_are_not_believed),
		cmocka_unit_test(a_silent_server_costs_no_more_than_the_budget),
		cmocka_unit_test(a_name_that_comes_late_is_there_the_next_time),
		cmocka_unit_test(a_server_that_gave_up_is_not_asked_again_at_once),
		cmocka_unit_test(the_cache_is_bounded),
		cmocka_unit_test(many_addresses_are_asked_for_a_few_at_a_time),
		cmocka_unit_test(more_addresses_than_may_wait_stay_nameless),
		cmocka_unit_test(threads_that_ask_for_the_same_share_the_answer),
		cmocka_unit_test(switched_off_it_knows_no_names),
		cmocka_unit_test(a_server_that_is_no_address_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
