// SPDX-License-Identifier: Apache-2.0
#pragma once

// A collector on the loopback for the tests of the exporter: it takes messages one by one, decodes
// them and notes what it saw. Whatever does not come within WAIT_MS fails the test.

#include "lib/base/clock.h"
#include "lib/ipfix/decode.h"
#include "lib/ipfix/wire.h"
#include "tests/unit/cmocka.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 8000
#define DOMAINS_MAX 4

struct message {
	uint32_t domain, sequence;
	uint32_t n_records; // with options: what the sequence counts
	size_t len;
	bool has_templates, has_data; // data: flows and hits, no options
};

struct collector {
	int type; // SOCK_DGRAM or SOCK_STREAM
	int listen_fd;
	int fd; // what messages are read from; -1: no connection
	uint16_t port;
	char target[32];
	struct ipfix_budget budget;
	struct ipfix_domain *domains[DOMAINS_MAX]; // by id
	struct record first[16], last;		   // that were read
	uint64_t n_records, n_messages, n_bytes;   // records are flows
	uint64_t n_hits;
	uint8_t bytes[65536];
};

static inline void collector_listen(struct collector *c)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET,
		.sin_port = htons(c->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sa);
	int on = 1, room = 8 << 20;
	int fd = socket(AF_INET, c->type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	c->port = ntohs(sa.sin_port);
	c->listen_fd = fd;
	c->fd = c->type == SOCK_DGRAM ? fd : -1;
	if (c->type == SOCK_STREAM)
		assert_int_equal(listen(fd, 8), 0);
}

static inline void collector_open(struct collector *c, int type)
{
	*c = (struct collector){.type = type, .fd = -1, .listen_fd = -1};
	c->budget.max = 64 << 20;
	collector_listen(c);
	snprintf(
		c->target,
		sizeof(c->target),
		"%s:127.0.0.1:%u",
		type == SOCK_DGRAM ? "udp" : "tcp",
		c->port
	);
}

// What was learnt of a session ends with it.
static inline void collector_forget(struct collector *c)
{
	for (int i = 0; i < DOMAINS_MAX; i++) {
		ipfix_domain_free(c->domains[i]);
		c->domains[i] = NULL;
	}
}

static inline void collector_hang_up(struct collector *c)
{
	if (c->fd >= 0 && c->fd != c->listen_fd)
		close(c->fd);
	c->fd = -1;
	collector_forget(c);
}

static inline void collector_close(struct collector *c)
{
	collector_hang_up(c);
	if (c->listen_fd >= 0)
		close(c->listen_fd);
	c->listen_fd = -1;
}

static inline bool collector_wait(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, ms) > 0;
}

static inline void collector_accept(struct collector *c)
{
	assert_true(collector_wait(c->listen_fd, WAIT_MS));
	c->fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(c->fd >= 0);
}

// n bytes of the stream; false at its end or when the time is up before the first one.
static inline bool collector_stream(struct collector *c, size_t at, size_t n, int ms)
{
	for (size_t got = 0; got < n;) {
		if (!collector_wait(c->fd, got ? WAIT_MS : ms))
			return false;
		ssize_t part = recv(c->fd, c->bytes + at + got, n - got, 0);
		if (part <= 0)
			return false;
		got += (size_t)part;
	}
	return true;
}

// The bytes of the next message; their number, 0 when none came.
static inline size_t collector_bytes(struct collector *c, int ms)
{
	if (c->type == SOCK_DGRAM) {
		if (!collector_wait(c->fd, ms))
			return 0;
		ssize_t n = recv(c->fd, c->bytes, sizeof(c->bytes), 0);
		return n > 0 ? (size_t)n : 0;
	}
	if (!collector_stream(c, 0, IPFIX_HEADER_LEN, ms))
		return 0;
	size_t len = (size_t)(c->bytes[2] << 8 | c->bytes[3]);
	assert_true(len >= IPFIX_HEADER_LEN);
	assert_true(collector_stream(c, IPFIX_HEADER_LEN, len - IPFIX_HEADER_LEN, ms));
	return len;
}

static inline struct ipfix_domain *collector_domain(struct collector *c, uint32_t id)
{
	const struct ipfix_limits limits = {
		.templates = 1024,
		.fields = IPFIX_FIELDS_LIMIT,
		.weir_pen = PEN_WEIR,
		.is_reliable = c->type == SOCK_STREAM,
	};
	assert_in_range(id, 0, DOMAINS_MAX - 1);
	if (!c->domains[id])
		c->domains[id] = ipfix_domain_create(&limits, &c->budget);
	assert_non_null(c->domains[id]);
	return c->domains[id];
}

static inline void collector_sets(struct buf sets, struct message *m)
{
	while (buf_left(&sets) > 0) {
		uint16_t id = buf_u16(&sets), len = buf_u16(&sets);
		m->has_templates |= id == IPFIX_SET_TEMPLATE;
		assert_true(len >= IPFIX_SET_HEADER_LEN);
		buf_skip(&sets, len - IPFIX_SET_HEADER_LEN);
	}
	assert_false(sets.bad);
}

// The next message, decoded; false when none came in the time. Data without their template fail.
static inline bool collector_try(struct collector *c, int ms, struct message *ret_message)
{
	static struct ipfix_reader reader;
	struct ipfix_message m;
	struct record *r;
	size_t len = collector_bytes(c, ms);
	if (len == 0)
		return false;
	struct buf b = buf_of(c->bytes, len);
	assert_int_equal(ipfix_message_parse(&b, clock_now_ns(), &m), IPFIX_OK);
	assert_int_equal(buf_left(&b), 0);
	*ret_message = (struct message){.domain = m.domain, .sequence = m.sequence, .len = len};
	collector_sets(m.sets, ret_message);
	struct ipfix_domain *d = collector_domain(c, m.domain);
	ipfix_reader_init(&reader, d, &m);
	reader.wants_hits = true;
	while ((r = ipfix_reader_next(&reader))) {
		ret_message->has_data = true;
		if (ipfix_reader_is_hit(&reader)) {
			c->n_hits++;
			continue;
		}
		c->last = *r;
		if (c->n_records < sizeof(c->first) / sizeof(c->first[0]))
			c->first[c->n_records] = *r;
		c->n_records++;
	}
	ret_message->n_records = reader.n_records;
	assert_int_equal(d->counts.template_unknown + d->counts.bad_templates, 0);
	assert_int_equal(d->counts.buffered, 0);
	c->n_messages++;
	c->n_bytes += len;
	return true;
}

static inline struct message collector_next(struct collector *c)
{
	struct message m;
	if (!collector_try(c, WAIT_MS, &m))
		fail_msg("no message came");
	return m;
}

// The next message with data.
static inline struct message collector_data(struct collector *c)
{
	struct message m;
	do
		m = collector_next(c);
	while (!m.has_data);
	return m;
}

// Everything that comes until nothing has for a while, or the stream's end.
static inline void collector_drain(struct collector *c)
{
	struct message m;
	while (collector_try(c, 50, &m))
		;
}
