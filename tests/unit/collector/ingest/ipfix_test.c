// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/collector/ingest/intake.h"

static uint32_t sequence; // data records sent

static void begin_ipfix(void)
{
	struct message_head h = message_head;
	h.sequence = sequence;
	begin_head(10, h);
}

static void send_rows(const char *hex, uint32_t n)
{
	begin_ipfix();
	set(256, hex);
	deliver();
	sequence += n;
}

static void send_template(void)
{
	begin_ipfix();
	DEFINE(256, 8, 4);
	deliver();
}

static int set_up_stream(void **state)
{
	sequence = 0;
	return set_up(state);
}

static uint64_t lost(void)
{
	now_ns += 2 * NS_PER_SEC;
	intake_tick(&in, now_ns);
	return count(LEDGER_sequence_lost);
}

static void sequence_counts_data_records(void **) // IP-7
{
	sequence = 0xffffffff; // over the wrap
	send_template();
	for (int i = 0; i < 20; i++) {
		send_rows("0a000001 0a000002 0a000003", 3);
		send_template(); // moves nothing
	}
	assert_int_equal(lost(), 0);
	sequence += 7;
	send_rows("0a000001", 1);
	assert_int_equal(lost(), 7);
	assert_int_equal(count(LEDGER_sequence_reset), 0);
}

static void options_data_are_data_records_too(void **) // IP-7
{
	begin_ipfix();
	set(3, "0101 0002 0001 0095 0004 0022 0004");
	DEFINE(256, 8, 4);
	set(257, "00000007 00000064 00000007 00000064");
	set(256, "0a000001");
	deliver();
	sequence += 3;
	send_rows("0a000001", 1);
	assert_int_equal(lost(), 0);
	assert_int_equal(count(LEDGER_options), 2);
	assert_int_equal(row_at(1).sampling, 100);
}

static void replayed_records_were_numbered_by_their_own_message(void **) // IP-7, V9-5
{
	send_rows("0a000001 0a000002", 2); // how many they are nobody knows yet
	begin_ipfix();
	DEFINE(256, 8, 4);
	set(256, "0a000003");
	deliver();
	sequence++;
	send_rows("0a000004", 1);
	assert_int_equal(n_rows(), 4);
	assert_int_equal(lost(), 0);
	sequence++;
	send_rows("0a000005", 1);
	assert_int_equal(lost(), 1);
}

static void unknown_data_leaves_the_numbers_open(void **) // IP-7
{
	send_template();
	begin_ipfix();
	set(300, "00112233 44556677"); // of unknown rows
	set(256, "0a000001");
	deliver();
	sequence += 5; // whatever it was
	send_rows("0a000001", 1);
	assert_int_equal(lost(), 0);
	assert_int_equal(count(LEDGER_sequence_reset), 0);
}

static void malformed_message_leaves_nothing(void **) // IP-19
{
	begin_ipfix();
	DEFINE(256, 8, 4);
	DEFINE(257, 8, 4, 460, 65535);
	deliver();
	static const char *const bad[] = {"0a000002 09 61", "0a000002 ff"};
	for (size_t i = 0; i < 2; i++) {
		begin_ipfix();
		set(256, "0a000001");
		set(257, bad[i]);
		DEFINE(258, 8, 4);
		deliver();
	}
	begin_ipfix();
	set(256, "0a000001");
	put_hex("0100 0003"); // a set shorter than its header
	deliver();
	begin_ipfix();
	set(256, "0a000001");
	set(2, "00ff 0001 0008 0004");
	deliver();
	assert_int_equal(n_rows(), 0);
	assert_int_equal(count(LEDGER_records), 0);
	assert_int_equal(count(LEDGER_bad_length), 3);
	assert_int_equal(count(LEDGER_bad_template), 1);
	assert_int_equal(count(LEDGER_templates), 2);
	send_rows("0a000001", 1); // and the next one is read
	assert_int_equal(n_rows(), 1);
	assert_int_equal(lost(), 0);
}

static void domains_are_told_apart(void **) // IP-12
{
	for (uint32_t i = 0; i < 3; i++) {
		struct message_head h = message_head;
		h.domain = i;
		h.sequence = 1000 * i;
		begin_head(10, h);
		if (i < 2)
			DEFINE(256, i ? 12 : 8, 4);
		set(256, "0a000001");
		deliver();
	}
	assert_int_equal(n_rows(), 2); // the third knows no template
	assert_true(row_at(0).set & RECORD_BIT(src));
	assert_false(row_at(1).src.b[15]);
	assert_int_equal(row_at(1).dst.b[15], 1);
	assert_int_equal(lost() + count(LEDGER_sequence_reset), 0);
}

static void withdrawals_over_udp_mean_nothing(void **) // IP-16
{
	send_template();
	begin_ipfix();
	set(2, "0100 0000");
	set(2, "0002 0000");
	deliver();
	send_rows("0a000001", 1);
	assert_int_equal(n_rows(), 1);
	assert_int_equal(count(LEDGER_bad_template), 0);
}

static struct peer tcp_peer(uint64_t connection)
{
	struct peer p = peer_of(1);
	p.is_tcp = true;
	p.source = INGEST_LISTEN_MAX + connection;
	return p;
}

static bool send_tcp(struct peer *p)
{
	return intake_message(&in, p, message(), now_ns) == INTAKE_TAKEN;
}

static void withdrawals_over_tcp_count(void **) // IP-15
{
	struct peer p = tcp_peer(1);
	begin_ipfix();
	DEFINE(256, 8, 4);
	set(256, "0a000001");
	set(2, "0100 0000");
	set(256, "0a000002");
	assert_true(send_tcp(&p));
	assert_int_equal(n_rows(), 1);
	assert_int_equal(count(LEDGER_buffered), 1);
	begin_ipfix();
	set(2, "0100 0000"); // not known any more: ignored
	DEFINE(256, 8, 4);
	assert_true(send_tcp(&p));
	assert_int_equal(n_rows(), 2);
}

static void templates_end_with_their_connection(void **) // IP-13, IP-22
{
	struct peer first = tcp_peer(1), second = tcp_peer(2), udp = peer_of(1);
	begin_ipfix();
	DEFINE(256, 8, 4);
	assert_true(send_tcp(&first));
	begin_ipfix();
	set(256, "0a000001");
	assert_true(send_tcp(&second)); // while the first is open
	deliver_from(udp);		// no state across transports
	intake_close(&in, &first);
	assert_true(send_tcp(&second));
	assert_int_equal(n_rows(), 0);
	assert_int_equal(count(LEDGER_buffered), 3);
	intake_close(&in, &second);
	assert_int_equal(in.sessions.n, 1);
	assert_int_equal(count(LEDGER_template_unknown), 2);
}

static void templates_of_tcp_do_not_expire(void **) // IP-18: only UDP needs that
{
	struct peer p = tcp_peer(1);
	begin_ipfix();
	DEFINE(256, 8, 4);
	assert_true(send_tcp(&p));
	deliver();
	now_ns += 2 * options.limits.lifetime_ns;
	begin_ipfix();
	set(256, "0a000001");
	assert_true(send_tcp(&p));
	assert_int_equal(n_rows(), 1);
	deliver();
	assert_int_equal(n_rows(), 1);
}

static void only_ipfix_comes_over_tcp(void **) // IP-1
{
	struct peer p = tcp_peer(1);
	begin(9);
	assert_false(send_tcp(&p));
	begin(5);
	assert_false(send_tcp(&p));
	assert_int_equal(count(LEDGER_bad_version), 2);
	assert_int_equal(in.sessions.n, 0);
}

static void largest_message_comes_whole(void **) // IP-21
{
	begin_ipfix();
	DEFINE(256, 8, 4);
	wbuf_u32(&w, 256u << 16 | (uint32_t)(wbuf_left(&w) & 0xffff));
	while (wbuf_left(&w) >= 4)
		put_hex("0a000001");
	while (wbuf_left(&w))
		wbuf_u8(&w, 0);
	uint64_t rows = (65535 - 16 - 12 - 4) / 4;
	deliver();
	assert_int_equal(n_rows(), rows);
	struct peer p = tcp_peer(1);
	assert_true(send_tcp(&p));
	assert_int_equal(n_rows(), 2 * rows);
}

#undef TEST
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_stream, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sequence_counts_data_records),
		TEST(options_data_are_data_records_too),
		TEST(replayed_records_were_numbered_by_their_own_message),
		TEST(unknown_data_leaves_the_numbers_open),
		TEST(malformed_message_leaves_nothing),
		TEST(domains_are_told_apart),
		TEST(withdrawals_over_udp_mean_nothing),
		TEST(withdrawals_over_tcp_count),
		TEST(templates_end_with_their_connection),
		TEST(templates_of_tcp_do_not_expire),
		TEST(only_ipfix_comes_over_tcp),
		TEST(largest_message_comes_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
