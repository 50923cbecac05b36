// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/sensor/names/packets.h"

#include <errno.h>

static uint8_t hello[HELLO_MAX];
static size_t hello_len;

static void assert_hello(void)
{
	assert_server(NAMES_TLS, "www.example.com");
	assert_int_equal(t.result.alpn_len, 2);
	assert_memory_equal(t.result.alpn, "h2", 2);
	assert_int_equal(t.result.ja4_len, 36);
	assert_memory_equal(t.result.ja4, "t13d", 4);
	assert_int_equal(t.flow.stage, NAMES_DONE);
	assert_count(found[NAMES_TLS], 1);
}

static void hello_in_one_segment_is_found(void **)
{
	syn(999);
	assert_true(tcp(1000, hello, hello_len));
	assert_hello();
	assert_false(names_wants(&t.flow, 100, TCP_SYN));
}

static void hello_is_found_without_a_syn(void **)
{
	assert_true(tcp(77, hello, hello_len));
	assert_hello();
	assert_int_equal(end(NULL), 0);
	begin(NULL);
	assert_true(tcp_reverse(77, hello, hello_len)); // who began was not seen
	assert_hello();
}

static void hello_split_at_every_byte_is_found(void **)
{
	for (size_t at = 1; at < hello_len; at++) {
		uint32_t seq = 0xffffff00; // wraps within
		begin(NULL);
		syn(seq - 1);
		assert_false(tcp(seq, hello, at));
		assert_int_equal(t.flow.stage, NAMES_HELD);
		assert_true(tcp(seq + (uint32_t)at, hello + at, hello_len - at));
		assert_hello();
	}
}

static void segments_in_any_order_are_put_together(void **)
{
	static const unsigned orders[][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		begin(NULL);
		syn(4999);
		for (size_t j = 0; j < 3; j++) {
			size_t at = orders[i][j] * 100,
			       n = orders[i][j] == 2 ? hello_len - 200 : 100;
			assert_int_equal(tcp(5000 + (uint32_t)at, hello + at, n), j == 2);
		}
		assert_hello();
	}
}

static void segments_sent_again_change_nothing(void **)
{
	syn(0);
	assert_false(tcp(1, hello, 50));
	assert_false(tcp(1, hello, 50));
	assert_false(tcp(0, "?", 1)); // a probe before the first byte
	uint8_t other[40];
	memset(other, 'x', sizeof(other));
	assert_false(tcp(11, other, sizeof(other))); // other bytes at the same place
	assert_true(tcp(21, hello + 20, hello_len - 20));
	assert_hello();
}

static void data_with_the_syn_is_read(void **)
{
	struct names_packet p = {.proto = PROTO_TCP, .seq = 10, .tcp_flags = TCP_SYN};
	assert_true(look(p, hello, hello_len)); // RFC 7413
	assert_hello();
	begin(NULL);
	assert_false(look(p, hello, 100));
	assert_true(tcp(111, hello + 100, hello_len - 100));
	assert_hello();
}

static void servers_bytes_do_not_disturb(void **)
{
	syn(0);
	assert_false(tcp_reverse(900, "220 hello\r\n", 11));
	assert_false(tcp(1, hello, 100));
	assert_false(tcp_reverse(911, "x", 1));
	assert_true(tcp(101, hello + 100, hello_len - 100));
	assert_hello();
}

static void other_protocols_end_at_once(void **)
{
	syn(0);
	assert_false(tcp(1, "SSH-2.0-OpenSSH\r\n", 17));
	assert_int_equal(t.flow.stage, NAMES_DONE);
	assert_count(other, 1);
	assert_count(looked, 1);
}

static void flow_of_which_the_beginning_is_missing_may_still_have_a_name(void **)
{
	assert_false(tcp(1, "\x17\3\3\0\1x", 6));
	assert_false(tcp(7, "GETTING there", 13));
	assert_true(tcp(20, "GET / HTTP/1.1\r\nHost: a.example\r\n", 33));
	assert_server(NAMES_HTTP, "a.example");
}

static void looking_ends_after_so_many_packets(void **)
{
	for (int i = 0; i < 8; i++) {
		assert_int_equal(t.flow.stage, NAMES_NEW);
		assert_false(tcp(1, "\x17\3\3\0\1x", 6));
	}
	assert_int_equal(t.flow.stage, NAMES_DONE);
	assert_count(other, 1);
	assert_count(looked, 8);
}

static void gathering_ends_after_so_many_segments(void **)
{
	for (uint32_t i = 0; i < 4; i++)
		assert_false(tcp(i, hello + i, 1));
	assert_int_equal(t.flow.stage, NAMES_DONE);
	assert_count(gave_up, 1);
}

static void gathering_ends_after_so_many_bytes(void **)
{
	struct names_options o = NAMES_OPTIONS_DEFAULT;
	char request[600] = "GET /";
	o.max_bytes = 512;
	o.max_permille = 0;
	begin_with(&o);
	memset(request + 5, 'a', sizeof(request) - 5);
	assert_false(tcp(0, request, 500));
	assert_int_equal(t.flow.stage, NAMES_HELD);
	assert_false(tcp(500, request + 100, 100));
	assert_int_equal(t.flow.stage, NAMES_DONE);
	assert_count(gave_up, 1);
	// A hello that says that it will be too long is not waited for.
	t.flow = (struct names_flow){};
	assert_false(tcp(0, "\x16\3\1\x10\0\1\0\x0f\xfc", 9));
	assert_int_equal(t.flow.stage, NAMES_DONE);
	assert_count(gave_up, 2);
}

static void broken_hello_is_counted(void **)
{
	hello[43]++; // session id
	syn(0);
	assert_false(tcp(1, hello, hello_len));
	hello[43]--;
	assert_int_equal(t.flow.stage, NAMES_DONE);
	assert_count(malformed[NAMES_TLS], 1);
}

static void later_segment_without_the_first_is_given_up(void **)
{
	syn(0);
	assert_false(tcp(101, hello + 100, 100));
	assert_int_equal(t.flow.stage, NAMES_HELD);
	assert_false(tcp(100000, "x", 1)); // out of reach
	for (uint32_t i = 0; i < 6; i++)
		assert_false(tcp_reverse(i, "x", 1));
	assert_int_equal(t.flow.stage, NAMES_DONE);
	assert_count(gave_up, 1);
}

static void http_request_over_two_segments_is_found(void **)
{
	syn(0);
	t.dport = 8080;
	assert_false(tcp(1, "GET / HTTP/1.1\r\nHo", 18));
	assert_true(tcp(19, "st: a.example\r\n", 15));
	assert_server(NAMES_HTTP, "a.example");
	assert_count(found[NAMES_HTTP], 1);
}

static const uint8_t question[] = "\0\x1b\0\1\1\0\0\1\0\0\0\0\0\0\1a\7example\0\0\1\0\1";
static const uint8_t answer[] = "\0\x2b\0\1\x81\x80\0\1\0\1\0\0\0\0\1a\7example\0\0\1\0\1\xc0\x0c\0"
				"\1\0\1\0\0\0\1\0\4\1\2\3\4";

static void dns_over_tcp_is_read_in_both_directions(void **)
{
	assert_int_equal(question[1], sizeof(question) - 3);
	assert_int_equal(answer[1], sizeof(answer) - 3);
	t.dport = 53;
	syn(0);
	assert_false(tcp(1, question, 2)); // the length alone, as some send it
	assert_true(tcp(3, question + 2, sizeof(question) - 3));
	assert_server(NAMES_DNS, "a.example");
	assert_true(tcp_reverse(500, answer, sizeof(answer) - 1));
	assert_server(NAMES_DNS, "a.example");
	assert_int_equal(t.result.n_answers, 1);
	assert_count(found[NAMES_DNS], 2);
	assert_true(tcp_reverse(600, answer, sizeof(answer) - 1)); // of another question
	assert_int_equal(t.flow.stage, NAMES_NEW);
}

static void tls_on_the_port_of_dns_is_still_tls(void **)
{
	t.dport = 53;
	assert_true(tcp(1, hello, hello_len));
	assert_hello();
}

static void oldest_gives_way_when_all_room_is_taken(void **)
{
	enum { N = 12 }; // for 8
	struct names_flow flows[N] = {};
	for (unsigned i = 0; i < N; i++) {
		t.flow = (struct names_flow){};
		struct names_packet p = {
			.proto = PROTO_TCP, .payload = hello, .len = 100, .dport = 443};
		assert_false(names_look(t.names, &flows[i], &p, &t.result));
		assert_int_equal(flows[i].stage, NAMES_HELD);
	}
	assert_count(pool_empty, 4);
	for (unsigned i = 0; i < N; i++) {
		struct names_packet p = {
			.proto = PROTO_TCP,
			.seq = 100,
			.payload = hello + 100,
			.len = hello_len - 100,
			.dport = 443};
		assert_int_equal(flows[i].stage, i < 4 ? NAMES_DONE : NAMES_HELD);
		if (i >= 4)
			assert_true(names_look(t.names, &flows[i], &p, &t.result));
	}
	assert_count(found[NAMES_TLS], 8);
}

static void ended_flow_gives_its_room_back(void **)
{
	for (int i = 0; i < 100; i++) {
		assert_false(tcp(1, hello, 100));
		names_end(t.names, &t.flow);
		assert_int_equal(t.flow.stage, NAMES_NEW);
	}
	assert_count(pool_empty, 0);
	assert_count(gave_up, 100);
}

static void share_of_time_is_kept(void **)
{
	struct names_options o = NAMES_OPTIONS_DEFAULT;
	unsigned found = 0;
	o.max_permille = 100;
	begin_with(&o);
	names_turn(t.names, 1000000000);
	for (int i = 0; i < 10000; i++) {
		t.flow = (struct names_flow){};
		found += tcp(1, hello, hello_len);
	}
	assert_in_range(found, 100, 9000); // what a pause had saved up
	assert_count(busy, 10000 - found);
	t.flow = (struct names_flow){};
	assert_false(tcp(1, hello, hello_len));
	names_turn(t.names, 1100000000);
	t.flow = (struct names_flow){};
	assert_true(tcp(1, hello, hello_len));
	names_turn(t.names, 5); // a clock that falls back gives nothing and takes nothing
}

static void options_out_of_range_are_refused(void **)
{
	struct names *n;
	struct names_options o = NAMES_OPTIONS_DEFAULT;
	o.n_flows = 0;
	assert_int_equal(names_create(&o, &n), -ERANGE);
	o.n_flows = 65534;
	assert_int_equal(names_create(&o, &n), -ERANGE);
	o = NAMES_OPTIONS_DEFAULT;
	o.max_bytes = 511;
	assert_int_equal(names_create(&o, &n), -ERANGE);
	o.max_bytes = 16385;
	assert_int_equal(names_create(&o, &n), -ERANGE);
	o = NAMES_OPTIONS_DEFAULT;
	o.max_permille = 1001;
	assert_int_equal(names_create(&o, &n), -ERANGE);
}

static void every_counter_has_a_name_of_its_own(void **)
{
	assert_int_equal(
		names_n_infos * sizeof(uint64_t),
		sizeof(struct names_counters) - 2 * sizeof(uint64_t)
	); // not NAMES_NONE's
	for (size_t i = 0; i < names_n_infos; i++) {
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(names_infos[i].name, names_infos[j].name);
			assert_int_not_equal(names_infos[i].offset, names_infos[j].offset);
		}
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hello_in_one_segment_is_found),
		TEST(hello_is_found_without_a_syn),
		TEST(hello_split_at_every_byte_is_found),
		TEST(segments_in_any_order_are_put_together),
		TEST(segments_sent_again_change_nothing),
		TEST(data_with_the_syn_is_read),
		TEST(servers_bytes_do_not_disturb),
		TEST(other_protocols_end_at_once),
		TEST(flow_of_which_the_beginning_is_missing_may_still_have_a_name),
		TEST(looking_ends_after_so_many_packets),
		TEST(gathering_ends_after_so_many_segments),
		TEST(gathering_ends_after_so_many_bytes),
		TEST(broken_hello_is_counted),
		TEST(later_segment_without_the_first_is_given_up),
		TEST(http_request_over_two_segments_is_found),
		TEST(dns_over_tcp_is_read_in_both_directions),
		TEST(tls_on_the_port_of_dns_is_still_tls),
		TEST(oldest_gives_way_when_all_room_is_taken),
		TEST(ended_flow_gives_its_room_back),
		TEST(share_of_time_is_kept),
		TEST(options_out_of_range_are_refused),
		TEST(every_counter_has_a_name_of_its_own),
	};
	hello_len = tls_hello_bytes(hello);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
