// SPDX-License-Identifier: Apache-2.0

// What it costs to look for names: nanoseconds of CPU per call, the best of several
// rounds, of each parser
// and of the front as the worker calls it.

#include "lib/base/clock.h"
#include "sensor/names/dns.h"
#include "sensor/names/http.h"
#include "sensor/names/ja4.h"
#include "sensor/names/names.h"
#include "sensor/packet/packet.h"
#include "tests/unit/sensor/names/rfc.h"

#include <openssl/ssl.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 7
#define ROUND_NS (40 * NS_PER_MSEC)
#define BATCH 2048 // calls per reading of the clock

static uint8_t hello[4096], initial[RFC_QUIC_LEN];
static size_t hello_len;
static const uint8_t query[] = "\0\1\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1";
static const uint8_t response[] =
	"\0\1\x81\x80\0\1\0\4\0\0\0\0\3www\7example\3com\0\0\1\0\1"
	"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\1\2\3\4\xc0\x0c\0\1\0\1\0\0\0\1\0\4\1\2\3\5"
	"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\1\2\3\6\xc0\x0c\0\1\0\1\0\0\0\1\0\4\1\2\3\7";
static const uint8_t request[] =
	"GET /index.html?query=string HTTP/1.1\r\nHost: www.example.com\r\n"
	"User-Agent: Mozilla/5.0\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n";

static struct names *names;
static struct tls_scratch tls_scratch;
static struct tls_hello parsed;
static struct names_result result;
static char ja4[JA4_LEN];
static unsigned n_wrong; // also keeps the compiler from leaving the calls out

static void expect(bool ok)
{
	n_wrong += !ok;
}

static void run_tls(void)
{
	struct buf b = buf_of(hello, hello_len);
	expect(tls_stream_parse(b, sizeof(hello), &tls_scratch, &parsed) == LOOK_FOUND);
}

static void run_ja4(void)
{
	expect(ja4_format(JA4_TLS, &parsed, ja4));
}

static void run_dns_query(void)
{
	expect(dns_message_parse(buf_of(query, sizeof(query) - 1), &result) == LOOK_FOUND);
}

static void run_dns_response(void)
{
	expect(dns_message_parse(buf_of(response, sizeof(response) - 1), &result) == LOOK_FOUND);
}

static void run_http(void)
{
	expect(http_parse(buf_of(request, sizeof(request) - 1), &result) == LOOK_FOUND);
}

static bool look(uint8_t proto, uint16_t dport, const uint8_t *p, size_t len)
{
	struct names_flow flow = {};
	struct names_packet packet = {
		.payload = p, .len = len, .proto = proto, .sport = 40000, .dport = dport};
	bool found = names_look(names, &flow, &packet, &result);
	names_end(names, &flow);
	return found;
}

static void run_front_tls(void)
{
	expect(look(PROTO_TCP, 443, hello, hello_len));
}

static void run_front_tls_two_segments(void)
{
	struct names_flow flow = {};
	struct names_packet first = {
		.payload = hello, .len = 200, .proto = PROTO_TCP, .dport = 443};
	struct names_packet second = first;
	second.payload += first.len;
	second.len = hello_len - first.len;
	second.seq += (uint32_t)first.len;
	expect(!names_look(names, &flow, &first, &result));
	expect(names_look(names, &flow, &second, &result));
}

static void run_front_quic(void)
{
	expect(look(PROTO_UDP, 443, initial, sizeof(initial)));
}

static void run_front_dns(void)
{
	expect(look(PROTO_UDP, 53, query, sizeof(query) - 1));
}

static void run_front_http(void)
{
	expect(look(PROTO_TCP, 80, request, sizeof(request) - 1));
}

static void run_front_other(void)
{
	expect(!look(PROTO_UDP, 4500, request, sizeof(request) - 1));
}

static void run_front_done(void)
{
	static struct names_flow flow = {.stage = NAMES_DONE};
	__asm__ volatile("" : : : "memory");
	expect(!names_wants(&flow, 100, 0));
}

static void run_nothing(void)
{
	expect(true);
}

static const struct {
	const char *name;
	void (*run)(void);
} benches[] = {
	{"TLS ClientHello", run_tls},
	{"JA4 of it", run_ja4},
	{"DNS question", run_dns_query},
	{"DNS response, 4 addresses", run_dns_response},
	{"HTTP request", run_http},
	{"front: TLS ClientHello", run_front_tls},
	{"front: the same in 2 segments", run_front_tls_two_segments},
	{"front: QUIC Initial", run_front_quic},
	{"front: DNS question", run_front_dns},
	{"front: HTTP request", run_front_http},
	{"front: none of these", run_front_other},
	{"front: flow that is done", run_front_done},
};

// Of this thread, so that others on the same core do not count.
static uint64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

static double measure(void (*run)(void))
{
	double best = 1e30;
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t begin = cpu_ns(), now = begin, n = 0;
		for (; now - begin < ROUND_NS; now = cpu_ns(), n += BATCH) {
			for (int i = 0; i < BATCH; i++)
				run();
		}
		double ns = (double)(now - begin) / (double)n;
		best = ns < best ? ns : best;
	}
	return best;
}

static void make_hello(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	SSL_set_tlsext_host_name(ssl, "www.example.com");
	SSL_set_alpn_protos(ssl, (const uint8_t *)"\2h2\10http/1.1", 12);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	(void)SSL_connect(ssl);
	int n = BIO_read(SSL_get_wbio(ssl), hello, sizeof(hello));
	hello_len = n > 0 ? (size_t)n : 0;
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

int main(void)
{
	struct names_options o = NAMES_OPTIONS_DEFAULT;
	o.max_permille = 0;
	if (names_create(&o, &names) < 0)
		return 1;
	make_hello();
	for (size_t i = 0; i < sizeof(initial); i++) {
		char byte[] = {rfc9001_initial[2 * i], rfc9001_initial[2 * i + 1], 0};
		initial[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	run_tls();
	double nothing = measure(run_nothing); // the call itself
	for (size_t i = 0; i < sizeof(benches) / sizeof(benches[0]); i++)
		printf("%-32s %8.1f ns\n", benches[i].name, measure(benches[i].run) - nothing);
	names_free(names);
	return n_wrong > 0;
}
