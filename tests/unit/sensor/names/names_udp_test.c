// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/sensor/names/packets.h"
#include "tests/unit/sensor/names/rfc.h"
#include "tests/unit/sensor/names/seal.h"

static const char query[] = "\0\1\1\0\0\1\0\0\0\0\0\0\1A\7example\0\0\1\0\1";
static const char response[] =
	"\0\1\x81\x80\0\1\0\1\0\0\0\0\1a\7example\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\1\0\4\1\2\3\4";
static const char response6[] =
	"\0\2\x81\x80\0\1\0\1\0\0\0\0\1a\7example\0\0\x1c\0\1\xc0\x0c\0\x1c\0\1\0\0\0\1\0\x10"
	"\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1";

static void quic_hello_in_one_packet_is_found(void **)
{
	static const char *const packets[] = {rfc9001_initial, rfc9369_initial};
	for (size_t i = 0; i < 2; i++) {
		uint8_t bytes[RFC_QUIC_LEN];
		begin(NULL);
		bytes_of_hex(packets[i], bytes);
		assert_true(udp(bytes, RFC_QUIC_LEN));
		assert_server(NAMES_QUIC, "example.com");
		assert_int_equal(t.result.alpn_len, 4);
		assert_memory_equal(t.result.alpn, "alpn", 4);
		assert_memory_equal(t.result.ja4, "q13d0211an_", 11);
		assert_int_equal(t.flow.stage, NAMES_DONE);
	}
}

struct client {
	struct seal seal;
	uint8_t message[HELLO_MAX];
	size_t len;
};

static void client_init(struct client *c)
{
	uint8_t record[HELLO_MAX];
	c->seal = (struct seal){
		.version = QUIC_VERSION_1,
		.cid = (const uint8_t *)"ABCDEFGH",
		.cid_len = 8,
		.number_len = 2,
		.datagram_len = 1200,
	};
	struct buf cid = buf_of("ABCDEFGH", 8);
	assert_true(quic_client_keys(QUIC_VERSION_1, cid, &c->seal.keys));
	c->len = tls_hello_bytes(record) - TLS_RECORD_HEADER_LEN;
	memcpy(c->message, record + TLS_RECORD_HEADER_LEN, c->len);
}

// An Initial with bytes begin to end of the hello.
static bool send_part(struct client *c, size_t begin_at, size_t end_at)
{
	uint8_t frames[1200], packet[2048];
	struct wbuf f = wbuf_of(frames, sizeof(frames)), w = wbuf_of(packet, sizeof(packet));
	seal_crypto(&f, c->message, begin_at, end_at - begin_at);
	seal_initial(&w, &c->seal, frames, wbuf_len(&f));
	c->seal.number++;
	return udp(packet, wbuf_len(&w));
}

static void quic_hello_over_packets_is_found(void **)
{
	struct client c = {};
	client_init(&c);
	assert_false(send_part(&c, 200, c.len));
	assert_int_equal(t.flow.stage, NAMES_HELD);
	assert_false(udp_reverse("\xc0\0\0\0\1", 5)); // the server's answer is not looked at
	assert_false(udp("\x40short header", 13));    // nor what is no Initial
	assert_count(malformed[NAMES_QUIC], 1);
	assert_true(send_part(&c, 0, 200));
	assert_server(NAMES_QUIC, "www.example.com");
	assert_count(found[NAMES_QUIC], 1);
}

static void quic_hello_that_never_ends_is_given_up(void **)
{
	struct client c = {};
	client_init(&c);
	for (int i = 0; i < 8; i++)
		assert_false(send_part(&c, 0, 100));
	assert_int_equal(t.flow.stage, NAMES_DONE);
	assert_count(gave_up, 1);
}

static void what_looks_like_an_initial_and_is_none_ends(void **)
{
	uint8_t bytes[1200] = {0xc3, 0, 0, 0, 1, 8};
	assert_false(udp(bytes, sizeof(bytes)));
	assert_int_equal(t.flow.stage, NAMES_DONE);
	assert_count(malformed[NAMES_QUIC], 1);
}

static void dns_question_and_answers_are_merged(void **)
{
	struct names_result all = {};
	t.dport = 53;
	assert_true(udp(query, sizeof(query) - 1));
	assert_server(NAMES_DNS, "a.example");
	names_merge(&all, &t.result);
	assert_true(udp_reverse(response, sizeof(response) - 1));
	names_merge(&all, &t.result);
	assert_true(udp_reverse(response6, sizeof(response6) - 1));
	names_merge(&all, &t.result);
	assert_int_equal(all.n_answers, 2);
	assert_int_equal(all.flags, NAMES_ANSWER);
	assert_count(found[NAMES_DNS], 3);
}

static void dns_ports_are_three_in_either_direction(void **)
{
	static const uint16_t ports[] = {53, 5353, 5355};
	for (size_t i = 0; i < 3; i++) {
		begin(NULL);
		t.dport = ports[i];
		assert_true(udp(query, sizeof(query) - 1));
		begin(NULL);
		t.sport = ports[i];
		assert_true(udp(query, sizeof(query) - 1));
	}
	begin(NULL);
	t.dport = 54;
	assert_false(udp(query, sizeof(query) - 1));
}

static void many_dns_messages_of_a_flow_end_the_looking(void **)
{
	t.dport = 53;
	for (int i = 0; i < 8; i++)
		assert_true(udp(query, sizeof(query) - 1));
	assert_int_equal(t.flow.stage, NAMES_DONE);
}

static void broken_dns_does_not_end_the_looking(void **)
{
	t.dport = 53;
	assert_false(udp(query, sizeof(query) - 2));
	assert_count(malformed[NAMES_DNS], 1);
	assert_true(udp(query, sizeof(query) - 1));
}

static void dtls_hello_is_found_behind_other_packets(void **)
{
	uint8_t bytes[HELLO_MAX];
	struct openssl_hello o = {
		.method = DTLS_client_method(),
		.version = DTLS1_2_VERSION,
		.name = "media.example",
		.mtu = 1400,
	};
	size_t n = openssl_hello(&o, bytes, sizeof(bytes));
	t.dport = 3478;
	assert_false(udp("\0\1\0\0\x21\x12\xa4\x42", 8)); // STUN
	assert_true(udp(bytes, n));
	assert_server(NAMES_DTLS, "media.example");
	assert_memory_equal(t.result.ja4, "dd2d", 4);
	assert_count(found[NAMES_DTLS], 1);
}

static void other_protocols_end_after_so_many_packets(void **)
{
	for (int i = 0; i < 8; i++)
		assert_false(udp("nothing known", 13));
	assert_int_equal(t.flow.stage, NAMES_DONE);
	assert_count(other, 1);
	assert_false(look((struct names_packet){.proto = PROTO_ICMP}, "x", 1));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(quic_hello_in_one_packet_is_found),
		TEST(quic_hello_over_packets_is_found),
		TEST(quic_hello_that_never_ends_is_given_up),
		TEST(what_looks_like_an_initial_and_is_none_ends),
		TEST(dns_question_and_answers_are_merged),
		TEST(dns_ports_are_three_in_either_direction),
		TEST(many_dns_messages_of_a_flow_end_the_looking),
		TEST(broken_dns_does_not_end_the_looking),
		TEST(dtls_hello_is_found_behind_other_packets),
		TEST(other_protocols_end_after_so_many_packets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
