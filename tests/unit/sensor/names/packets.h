// SPDX-License-Identifier: Apache-2.0
#pragma once

// Packets of one flow for the tests of the front.

#include "sensor/names/names.h"
#include "sensor/packet/packet.h"
#include "tests/unit/sensor/names/hello.h"

struct names_test {
	struct names *names;
	struct names_flow flow;
	struct names_result result;
	uint16_t sport, dport;
};

static struct names_test t;

// Like assert_int_equal for a counter.
#define assert_count(counter, n) assert_int_equal(names_counters(t.names)->counter, n)

static inline void begin_with(const struct names_options *o)
{
	names_free(t.names);
	t = (struct names_test){.sport = 40000, .dport = 443};
	assert_int_equal(names_create(o, &t.names), 0);
}

static inline int begin(void **)
{
	struct names_options o = NAMES_OPTIONS_DEFAULT;
	o.n_flows = 8;
	o.max_permille = 0;
	begin_with(&o);
	return 0;
}

static inline int end(void **)
{
	names_end(t.names, &t.flow);
	names_free(t.names);
	t.names = NULL;
	return 0;
}

// Looks at a packet of memory of exactly its size.
static inline bool look(struct names_packet p, const void *payload, size_t n)
{
	uint8_t *exact = exact_copy(payload, n);
	p.payload = exact;
	p.len = n;
	p.sport = p.reverse ? t.dport : t.sport;
	p.dport = p.reverse ? t.sport : t.dport;
	bool found =
		names_wants(&t.flow, n, p.tcp_flags) && names_look(t.names, &t.flow, &p, &t.result);
	free(exact);
	return found;
}

static inline bool tcp(uint32_t seq, const void *payload, size_t n)
{
	return look((struct names_packet){.proto = PROTO_TCP, .seq = seq}, payload, n);
}

static inline bool tcp_reverse(uint32_t seq, const void *payload, size_t n)
{
	struct names_packet p = {.proto = PROTO_TCP, .seq = seq, .reverse = true};
	return look(p, payload, n);
}

static inline void syn(uint32_t seq)
{
	struct names_packet p = {.proto = PROTO_TCP, .seq = seq, .tcp_flags = TCP_SYN};
	assert_false(look(p, "", 0));
}

static inline bool udp(const void *payload, size_t n)
{
	return look((struct names_packet){.proto = PROTO_UDP}, payload, n);
}

static inline bool udp_reverse(const void *payload, size_t n)
{
	return look((struct names_packet){.proto = PROTO_UDP, .reverse = true}, payload, n);
}

static inline void assert_server(enum names_kind kind, const char *name)
{
	assert_int_equal(t.result.kind, kind);
	assert_int_equal(t.result.server_len, strlen(name));
	assert_memory_equal(t.result.server, name, strlen(name));
}

static inline size_t tls_hello_bytes(uint8_t *to)
{
	struct openssl_hello o = {
		.method = TLS_client_method(),
		.version = TLS1_3_VERSION,
		.name = "WWW.example.com",
		.alpn = "\2h2\10http/1.1",
	};
	return openssl_hello(&o, to, HELLO_MAX);
}
