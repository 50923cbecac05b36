// SPDX-License-Identifier: Apache-2.0

// Messages and sets: their bounds, what pads them, and what a malformed one costs.

#include "tests/unit/lib/ipfix/decode.h"

static void only_versions_9_and_10_are_read(void **) // IP-1
{
	struct ipfix_message m;
	for (uint16_t version = 0; version < 300; version++) {
		begin(version);
		enum ipfix_status want =
			version == 9 || version == 10 ? IPFIX_OK : IPFIX_BAD_VERSION;
		assert_int_equal(parse(&m), want);
	}
}

static void header_is_read_in_network_order(void **) // IP-10
{
	struct ipfix_message m;
	begin_head(9, (struct message_head){SEC, UPTIME, 0x01020304, 0x05060708});
	assert_int_equal(parse(&m), IPFIX_OK);
	assert_int_equal(m.sequence, 0x01020304);
	assert_int_equal(m.domain, 0x05060708);
	assert_int_equal(m.uptime_ms, UPTIME);
	assert_int_equal(m.export_ns, NOW);
	begin_head(10, (struct message_head){SEC, 0, 0xffffffff, 1});
	assert_int_equal(parse(&m), IPFIX_OK);
	assert_int_equal(m.sequence, 0xffffffff);
	assert_int_equal(m.domain, 1);
	assert_int_equal(m.export_ns, NOW);
}

static void message_without_sets_is_empty(void **) // RFC 7011 §3: zero or more sets
{
	for (uint16_t version = 9; version <= 10; version++) {
		begin(version);
		assert_int_equal(count_all(), 0);
		assert_false(reader.is_malformed);
	}
}

static void length_of_a_message_is_checked(void **) // IP-1, IP-24
{
	struct ipfix_message m;
	begin(10);
	DEFINE(256, 8, 4);
	size_t len = buf_left(&(struct buf){message().p, message().end, false});
	for (size_t said = 0; said < 64; said++) {
		struct buf b = buf_of(bytes, len);
		bytes[3] = (uint8_t)said;
		assert_int_equal(
			ipfix_message_parse(&b, NOW, &m) == IPFIX_OK,
			said == len || said == 16 || said == 17 // a zero pads
		);
	}
}

static void cut_header_is_refused(void **) // IP-1, V9-10
{
	struct ipfix_message m;
	for (uint16_t version = 9; version <= 10; version++) {
		begin(version);
		size_t head = message().end - message().p;
		for (size_t len = 2; len < head; len++) {
			struct buf b = buf_of(bytes, len);
			assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_BAD_LENGTH);
		}
	}
}

static void count_of_v9_may_lie(void **) // V9-10
{
	static const uint16_t counts[] = {0, 1, 7, 65535};
	for (size_t i = 0; i < 4; i++) {
		begin(9);
		DEFINE(256, 8, 4);
		set(256, "0a000001 0a000002");
		wbuf_put_u16(&w, 2, counts[i]);
		assert_int_equal(count_all(), 2);
	}
}

static void v9_ends_with_the_datagram(void **) // V9-10
{
	struct ipfix_message m;
	begin(9);
	set(256, "0a000001");
	struct buf b = buf_of(bytes, wbuf_len(&w) - 1);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_BAD_LENGTH);
}

static void several_messages_share_a_datagram(void **)
{
	struct ipfix_message m;
	begin(10);
	struct buf one = message();
	size_t len = buf_left(&one);
	memcpy(bytes + len, bytes, len);
	memset(bytes + 2 * len, 0, 8); // and padding
	struct buf b = buf_of(bytes, 2 * len + 8);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_OK);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_OK);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_END);
}

static void largest_message_is_read(void **) // IP-21
{
	static const uint8_t row[4] = {10, 0, 0, 1};
	for (uint16_t version = 9; version <= 10; version++) {
		begin(version);
		DEFINE(256, 8, 4);
		size_t at = wbuf_len(&w), rows = (sizeof(bytes) - at - 4) / 4;
		wbuf_u32(&w, 256u << 16 | (uint32_t)(4 + 4 * rows));
		for (size_t i = 0; i < rows; i++)
			wbuf_bytes(&w, row, 4);
		while (wbuf_left(&w))
			wbuf_u8(&w, 0); // to the last byte
		assert_int_equal(wbuf_len(&w), 65535);
		assert_int_equal(count_all(), rows);
	}
}

static void bad_set_lengths_discard_the_message(void **) // IP-2, IP-19, IP-24
{
	static const uint16_t bad[] = {0, 1, 2, 3, 9, 65535};
	struct ipfix_message m;
	for (uint16_t version = 9; version <= 10; version++) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			begin(version);
			DEFINE(256, 8, 4);
			size_t at = wbuf_len(&w);
			set(256, "0a000001");
			wbuf_put_u16(&w, at + 2, bad[i]);
			assert_int_equal(parse(&m), IPFIX_BAD_LENGTH);
		}
	}
}

static void set_without_rows_is_fine(void **) // IP-2
{
	begin(10);
	DEFINE(256, 8, 4);
	set(256, "");
	set(256, "0a000001");
	assert_int_equal(count_all(), 1);
}

static void bytes_behind_the_last_set_are_padding_or_nonsense(void **) // IP-2, IP-24
{
	struct ipfix_message m;
	begin(10);
	set(300, "01");
	put_hex("000000");
	assert_int_equal(parse(&m), IPFIX_OK);
	begin(10);
	set(300, "01");
	put_hex("000100");
	assert_int_equal(parse(&m), IPFIX_BAD_LENGTH);
	begin(9); // RFC 3954 does not say; exporters leave what was in the buffer
	set(300, "01");
	put_hex("000100");
	assert_int_equal(parse(&m), IPFIX_OK);
}

static void zeros_fill_up_a_message(void **)
{
	static const uint8_t zeros[200];
	for (uint16_t version = 9; version <= 10; version++) {
		begin(version);
		DEFINE(256, 8, 4);
		set(256, "0a000001");
		wbuf_bytes(&w, zeros, sizeof(zeros));
		assert_int_equal(count_all(), 1);
	}
}

static void padding_of_fixed_rows_is_no_row(void **) // V9-8, IP-3
{
	static const uint8_t data[8 + 7] = {10, 0, 0, 1, 0, 80, 0, 81, 9, 9, 9, 9, 9, 9, 9};
	for (uint16_t version = 9; version <= 10; version++) {
		for (size_t pad = 0; pad < 8; pad++) {
			begin(version);
			DEFINE(256, 8, 4, 7, 2, 11, 2);
			set_bytes(256, data, 8 + pad); // RFC 7011 §9.1: it need not be zero
			assert_int_equal(count_all(), 1);
			assert_false(reader.is_malformed);
		}
		begin(version);
		DEFINE(256, 8, 4, 7, 2, 11, 2);
		set(256, "0a000001 0050 0051 0a000002 0050 0051"); // as long as a row: a row
		assert_int_equal(count_all(), 2);
	}
}

static void padding_behind_short_rows_of_v9_is_no_row(void **) // V9-8
{
	for (uint16_t len = 1; len <= 3; len++) {
		static const uint8_t data[8] = {1, 2, 3, 4, 5, 6};
		size_t rows = 6u / len, pad = (4 - rows * len % 4) % 4;
		begin(9);
		DEFINE(256, 4, len);
		set_bytes(256, data, rows * len + pad);
		assert_int_equal(count_all(), rows);
		begin(10); // an exporter of IPFIX must not pad such rows (RFC 7011 §3.3.1)
		DEFINE(256, 4, len);
		set_bytes(256, data, 8);
		assert_int_equal(count_all(), 8 / len);
	}
}

static void padding_of_variable_rows_is_no_row(void **) // IP-3
{
	static const uint8_t data[5 + 7] = {10, 0, 0, 1, 0};
	for (size_t pad = 0; pad < 8; pad++) {
		begin(10);
		DEFINE(257, 8, 4, 460, 65535);
		set_bytes(257, data, 5 + pad);
		assert_int_equal(count_all(), 1);
		assert_false(reader.is_malformed);
	}
	begin(10);
	DEFINE(257, 8, 4, 460, 65535);
	set(257, "0a000001 00 ffffff"); // too short for a row, not zero
	assert_int_equal(count_all(), 1);
	assert_false(reader.is_malformed);
}

static void template_sets_may_be_padded(void **) // RFC 7011 §3.3.1
{
	begin(10);
	set(2, "0100 0001 0008 0004 000000");
	set(256, "0a000001");
	assert_int_equal(count_all(), 1);
	begin(9);
	set(0, "0101 0001 0008 0004 00000000");
	set(1, "0102 0004 0004 0001 0004 0022 0004 0000");
	set(257, "0a000001");
	assert_int_equal(count_all(), 1);
	assert_int_equal(domain->n_templates, 3);
}

static void reserved_sets_are_skipped(void **) // IP-2
{
	begin(10);
	DEFINE(256, 8, 4);
	set(0, "01");
	set(4, "010203");
	set(255, "010203");
	set(256, "0a000001");
	assert_int_equal(count_all(), 1);
	assert_int_equal(reader.n_unread, 0);
	begin(9);
	DEFINE(256, 8, 4);
	set(2, "01000001 00080004"); // IPFIX's number of a template set
	set(255, "01");
	set(256, "0a000001");
	assert_int_equal(count_all(), 1);
	assert_int_equal(domain->n_templates, 1);
}

static void variable_lengths_are_read_in_both_forms(void **) // IP-8
{
	static uint8_t data[4 + 3 + 300] = {10, 0, 0, 4, 255, 1, 44};
	struct record r[4];
	memset(data + 7, 'x', 300);
	begin(10);
	DEFINE(256, 8, 4, 460, 65535);
	set(256, "0a000001 00");
	set(256, "0a000002 02 6869");
	set(256, "0a000003 ff0002 6869"); // long though it need not be
	set_bytes(256, data, sizeof(data));
	assert_int_equal(read_all(r, 4), 4);
	assert_int_equal(r[0].server_name.len, 0);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(r[i].server_name.len, 2);
		assert_memory_equal(r[i].server_name.p, "hi", 2);
	}
	assert_int_equal(r[3].server_name.len, RECORD_STR_MAX); // cut
}

static void length_prefix_of_254_and_255(void **) // IP-8
{
	static uint8_t data[4 + 1 + 254 + 4 + 3 + 255];
	struct record r[2];
	memset(data, 'x', sizeof(data));
	data[4] = 254;
	data[259 + 4] = 255; // three bytes say 255
	data[259 + 5] = 0;
	data[259 + 6] = 255;
	begin(10);
	DEFINE(256, 8, 4, 460, 65535);
	set_bytes(256, data, sizeof(data));
	assert_int_equal(read_all(r, 2), 2);
	assert_int_equal(r[0].server_name.len, 254);
	assert_int_equal(r[1].server_name.len, 255);
}

static void overrunning_row_discards_the_message(void **) // IP-8, IP-19, IP-24
{
	static const char *const rows[] = {
		"0a000002 05 6162",	      // two bytes of five
		"0a000002 ffffff 61",	      // of 65535
		"0a000002 ff00",	      // a cut length
		"0a000002 01 61 0a000003 09", // the second of two
	};
	begin(10);
	DEFINE(256, 8, 4);
	DEFINE(257, 8, 4, 460, 65535);
	assert_int_equal(count_all(), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(10);
		set(256, "0a000001");
		set(257, rows[i]);
		set(256, "0a000001");
		assert_int_equal(count_all(), 0);
		assert_true(reader.is_malformed);
		assert_int_equal(reader.n_records, 0);
	}
	begin(10);
	set(256, "0a000001");
	set(257, "0a000002 02 6162");
	assert_int_equal(count_all(), 2); // the next one is read
}

static void overrun_of_a_template_in_the_same_message_discards_it(void **) // IP-19
{
	for (uint16_t id = 257; id <= 513; id += 256) {
		begin(10);
		DEFINE(256, 8, 4);
		set(256, "0a000001");
		DEFINE(id, 8, 4, 460, 65535);
		set(id, "0a000002 05 6162");
		assert_int_equal(count_all(), 0);
		assert_true(reader.is_malformed);
		assert_int_equal(domain->n_templates, 0); // neither data nor templates
	}
	begin(10);
	set(2, "0101 0003 8001 ffff 00008b30 0008 0004 01cc ffff");
	set(257, "02 0000 0a000002 02 6869");
	assert_int_equal(count_all(), 1);
}

static void rows_are_held_against_the_newest_definition(void **) // IP-19, V9-4
{
	begin(10);
	DEFINE(257, 8, 4, 460, 65535);
	DEFINE(258, 8, 4);
	assert_int_equal(count_all(), 0);
	begin(10);
	set(258, "0a000001");
	DEFINE(257, 8, 4);
	DEFINE(258, 8, 4, 460, 65535);
	set(257, "0a000001 01"); // would overrun by the old one
	set(258, "0a000002 02 6869");
	assert_int_equal(count_all(), 3);
	assert_false(reader.is_malformed);
	begin(10);
	DEFINE(257, 8, 4, 460, 65535);
	set(257, "0a000001 01");
	assert_int_equal(count_all(), 0);
	assert_true(reader.is_malformed);
	begin(10);
	set(257, "0a000001");
	assert_int_equal(count_all(), 1); // the malformed message changed nothing
}

static void withdrawn_templates_are_not_held_against_rows(void **) // IP-15, IP-16, IP-19
{
	static const char *const withdrawals[] = {"0101 0000", "0002 0000"};
	for (size_t i = 0; i < 4; i++) {
		bool is_tcp = i & 1;
		domain->limits.is_reliable = is_tcp;
		begin(10);
		DEFINE(257, 8, 4, 460, 65535);
		assert_int_equal(count_all(), 0);
		begin(10);
		set(2, withdrawals[i / 2]);
		set(257, "0a000001 01");
		assert_int_equal(count_all(), 0);
		assert_int_equal(reader.is_malformed, !is_tcp); // over TCP no template is left
		assert_int_equal(reader.n_unread, is_tcp);
	}
}

static void lists_are_passed_over_by_their_length(void **) // ST-1
{
	struct record r;
	begin(10);
	DEFINE(256, 291, 65535, 8, 4, 292, 65535, 293, 65535, 7, 2);
	// A basicList that says less than it holds, a subTemplateList of its own template, an
	// empty subTemplateMultiList: none is looked into.
	set(256, "06 ff0008000001 0a000001 05 ff01000102 00 0050");
	assert_int_equal(read_all(&r, 1), 1);
	assert_src(&r, 1);
	assert_int_equal(r.sport, 80);
	begin(10);
	set(256, "06 ff0008000001 0a000001 ff0400 01");
	assert_int_equal(count_all(), 0);
	assert_true(reader.is_malformed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_versions_9_and_10_are_read),
		TEST(header_is_read_in_network_order),
		TEST(message_without_sets_is_empty),
		TEST(length_of_a_message_is_checked),
		TEST(cut_header_is_refused),
		TEST(count_of_v9_may_lie),
		TEST(v9_ends_with_the_datagram),
		TEST(several_messages_share_a_datagram),
		TEST(largest_message_is_read),
		TEST(bad_set_lengths_discard_the_message),
		TEST(set_without_rows_is_fine),
		TEST(bytes_behind_the_last_set_are_padding_or_nonsense),
		TEST(zeros_fill_up_a_message),
		TEST(padding_of_fixed_rows_is_no_row),
		TEST(padding_behind_short_rows_of_v9_is_no_row),
		TEST(padding_of_variable_rows_is_no_row),
		TEST(template_sets_may_be_padded),
		TEST(reserved_sets_are_skipped),
		TEST(variable_lengths_are_read_in_both_forms),
		TEST(length_prefix_of_254_and_255),
		TEST(overrunning_row_discards_the_message),
		TEST(overrun_of_a_template_in_the_same_message_discards_it),
		TEST(rows_are_held_against_the_newest_definition),
		TEST(withdrawn_templates_are_not_held_against_rows),
		TEST(lists_are_passed_over_by_their_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
