// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/collector/ingest/intake.h"

struct v5_head {
	uint16_t count;
	uint32_t uptime_ms, sec, nsec, sequence;
	uint16_t engine, sampling;
};

static const struct v5_head head = {.count = 1, .uptime_ms = UPTIME, .sec = SEC};

static void begin_v5(struct v5_head h)
{
	w = wbuf_of(bytes, sizeof(bytes));
	wbuf_u16(&w, NETFLOW5_VERSION);
	wbuf_u16(&w, h.count);
	wbuf_u32(&w, h.uptime_ms);
	wbuf_u32(&w, h.sec);
	wbuf_u32(&w, h.nsec);
	wbuf_u32(&w, h.sequence);
	wbuf_u16(&w, h.engine);
	wbuf_u16(&w, h.sampling);
}

static void put_times(uint32_t first, uint32_t last)
{
	put_hex("0a000001 0a000002 0a0000fe 0003 0004 0000000a 000003e8");
	wbuf_u32(&w, first);
	wbuf_u32(&w, last);
	put_hex("c000 0050 00 1b 06 08 fde8 fde9 18 10 0000");
}

static void put_row(void)
{
	put_times(UPTIME - 5000, UPTIME - 1000);
}

static void every_field_is_read(void **)
{
	begin_v5(head);
	put_row();
	deliver();
	assert_int_equal(n_rows(), 1);
	struct record r = row_at(0);
	assert_src(&r, 1);
	assert_int_equal(r.dst.b[15], 2);
	assert_int_equal(r.next_hop.b[15], 254);
	assert_int_equal(r.in_if, 3);
	assert_int_equal(r.out_if, 4);
	assert_int_equal(r.packets, 10);
	assert_int_equal(r.bytes, 1000);
	assert_int_equal(r.start_ns, NOW - 5 * NS_PER_SEC);
	assert_int_equal(r.end_ns, NOW - NS_PER_SEC);
	assert_int_equal(r.sport, 0xc000);
	assert_int_equal(r.dport, 80);
	assert_int_equal(r.tcp_flags, 0x1b);
	assert_int_equal(r.proto, 6);
	assert_int_equal(r.tos, 8);
	assert_int_equal(r.src_as, 65000);
	assert_int_equal(r.dst_as, 65001);
	assert_int_equal(r.src_mask, 24);
	assert_int_equal(r.dst_mask, 16);
	assert_int_equal(r.sampling, 0);
	assert_int_equal(r.recv_ns, NOW);
	assert_exporter(&r, 1);
	assert_int_equal(count(LEDGER_messages), 1);
	assert_int_equal(count(LEDGER_bytes), 72);
}

static void as_many_rows_as_the_count_says(void **) // V5-1
{
	for (uint16_t n = 1; n <= 30; n++) {
		struct v5_head h = head;
		h.count = n;
		begin_v5(h);
		for (uint16_t i = 0; i < n; i++)
			put_row();
		sink_clear(&sink);
		ledger = (struct ledger){};
		deliver();
		assert_int_equal(n_rows(), n);
	}
	intake_account(&in);
	ledger = (struct ledger){};
	sink_clear(&sink);
}

static void counts_that_cannot_be_are_refused(void **) // V5-1
{
	static const uint16_t counts[] = {0, 31, 1000, 65535};
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct v5_head h = head;
		h.count = counts[i];
		begin_v5(h);
		for (int row = 0; row < 40; row++)
			put_row();
		deliver();
	}
	assert_int_equal(n_rows(), 0);
	assert_int_equal(count(LEDGER_bad_length), 4);
	assert_int_equal(in.sessions.n, 0); // nothing is remembered of such a sender
}

static void rows_that_are_not_there_are_refused(void **) // V5-1
{
	struct v5_head h = head;
	h.count = 2;
	begin_v5(h);
	put_row();
	put_row();
	for (size_t len = 2; len < 24 + 96; len++) {
		struct peer p = peer_of(1);
		intake_datagram(&in, &p, buf_of(bytes, len), now_ns);
	}
	assert_int_equal(n_rows(), 0);
	assert_int_equal(count(LEDGER_bad_length), 24 + 96 - 2);
}

static void bytes_behind_the_rows_are_padding(void **) // V5-1
{
	begin_v5(head);
	put_row();
	put_hex("ffffffff ffffffff");
	deliver();
	assert_int_equal(n_rows(), 1);
	assert_int_equal(count(LEDGER_bad_length), 0);
}

static void sampling_is_fourteen_bits(void **) // V5-1, SA-1
{
	static const uint16_t fields[] = {0, 0x4064, 0x8001, 0xffff, 0x0064};
	static const uint32_t rates[] = {0, 100, 1, 16383, 100};
	for (int i = 0; i < 5; i++) {
		struct v5_head h = head;
		h.sampling = fields[i];
		begin_v5(h);
		put_row();
		deliver();
		struct record r = row_at((uint64_t)i);
		assert_int_equal(r.sampling, rates[i]);
		assert_int_equal(r.packets, 10); // counters stay raw
	}
}

static void uptime_wraps(void **)
{
	struct v5_head h = head;
	h.uptime_ms = 500;
	begin_v5(h);
	put_times(0u - 2000u, 100);
	deliver();
	struct record r = row_at(0);
	assert_int_equal(r.start_ns, NOW - 2500 * NS_PER_MSEC);
	assert_int_equal(r.end_ns, NOW - 400 * NS_PER_MSEC);
}

static void header_time_has_nanoseconds(void **)
{
	struct v5_head h = head;
	h.nsec = 250000000;
	begin_v5(h);
	put_times(UPTIME, UPTIME);
	deliver();
	assert_int_equal(row_at(0).start_ns, NOW + 250 * NS_PER_MSEC);
}

static void times_before_1970_give_way_to_the_receive_time(void **)
{
	struct v5_head h = head;
	h.sec = 0;
	begin_v5(h);
	put_times(UPTIME - 5000, UPTIME);
	deliver();
	assert_int_equal(row_at(0).start_ns, NOW);
	assert_int_equal(count(LEDGER_time_clamped), 1);
}

static void icmp_stands_in_the_port(void **)
{
	begin_v5(head);
	put_hex("0a000001 0a000002 00000000 0000 0000 00000001 00000054");
	wbuf_u32(&w, UPTIME);
	wbuf_u32(&w, UPTIME);
	put_hex("0000 0303 00 00 01 00 0000 0000 00 00 0000");
	deliver();
	struct record r = row_at(0);
	assert_int_equal(r.icmp_type, 3);
	assert_int_equal(r.icmp_code, 3);
	begin_v5(head);
	put_row();
	deliver();
	assert_int_equal(row_at(1).icmp_type, 0);
}

static void sequence_counts_flows(void **) // V5-1
{
	static const uint32_t numbers[] = {0xfffffffe, 0, 2, 6, 4, 8};
	for (int i = 0; i < 6; i++) {
		struct v5_head h = head;
		h.count = 2;
		h.sequence = numbers[i]; // over the wrap; 6 is before 4
		begin_v5(h);
		put_row();
		put_row();
		deliver();
	}
	assert_int_equal(count(LEDGER_sequence_reordered), 1);
	now_ns += 2 * NS_PER_SEC;
	intake_tick(&in, now_ns);
	assert_int_equal(count(LEDGER_sequence_lost), 0);
	struct v5_head h = head;
	h.sequence = 15; // 10 to 14 are missing
	begin_v5(h);
	put_row();
	deliver();
	now_ns += 2 * NS_PER_SEC;
	intake_tick(&in, now_ns);
	assert_int_equal(count(LEDGER_sequence_lost), 5);
	assert_int_equal(count(LEDGER_sequence_reset), 0);
}

static void engines_number_apart(void **) // as V9-3
{
	for (uint32_t i = 0; i < 10; i++) {
		struct v5_head h = head;
		h.engine = i & 1 ? 0x0102 : 0x0103;
		h.sequence = i & 1 ? i / 2 : 1000000 + i / 2;
		begin_v5(h);
		put_row();
		deliver();
	}
	assert_int_equal(count(LEDGER_sequence_lost) + count(LEDGER_sequence_reset), 0);
	assert_int_equal(in.sessions.n, 2);
	assert_int_equal(row_at(0).domain, 0x0103);
	assert_int_equal(row_at(1).domain, 0x0102);
}

static void engine_is_not_a_domain_of_v9(void **)
{
	struct v5_head h = head;
	h.engine = DOMAIN;
	begin_v5(h);
	put_row();
	deliver();
	begin(9);
	DEFINE(256, 8, 4);
	set(256, "0a000001");
	deliver();
	assert_int_equal(in.sessions.n, 2);
	assert_int_equal(n_rows(), 2);
	assert_int_equal(count(LEDGER_sequence_reset), 0);
}

static void begin_v1(uint16_t version, uint16_t count)
{
	begin_v5(head);
	bytes[1] = (uint8_t)version;
	bytes[3] = (uint8_t)count;
	if (version == NETFLOW1_VERSION)
		w.p -= 8; // neither sequence, engine nor sampling
}

static void put_v1_row(void)
{
	put_hex("0a000001 0a000002 0a0000fe 0003 0004 0000000a 000003e8");
	wbuf_u32(&w, UPTIME - 5000);
	wbuf_u32(&w, UPTIME - 1000);
	put_hex("c000 0050 0000 06 08 1b 000000 00000000");
}

static void assert_common(const struct record *r)
{
	assert_src(r, 1);
	assert_int_equal(r->next_hop.b[15], 254);
	assert_int_equal(r->in_if, 3);
	assert_int_equal(r->out_if, 4);
	assert_int_equal(r->packets, 10);
	assert_int_equal(r->bytes, 1000);
	assert_int_equal(r->end_ns - r->start_ns, 4 * NS_PER_SEC);
	assert_int_equal(r->sport, 0xc000);
	assert_int_equal(r->dport, 80);
	assert_int_equal(r->proto, 6);
	assert_int_equal(r->tos, 8);
	assert_int_equal(r->tcp_flags, 0x1b);
}

static void v1_has_neither_sequence_nor_as(void **)
{
	begin_v1(NETFLOW1_VERSION, 2);
	put_v1_row();
	put_v1_row();
	deliver();
	assert_int_equal(n_rows(), 2);
	struct record r = row_at(0);
	assert_common(&r);
	assert_false(r.set & RECORD_BIT(src_as));
	deliver(); // the same again is no duplicate
	assert_int_equal(count(LEDGER_sequence_duplicate), 0);
}

static void v1_records_may_be_padded_to_52_bytes(void **)
{
	begin_v1(NETFLOW1_VERSION, 2);
	for (int i = 0; i < 2; i++) {
		put_v1_row();
		wbuf_u32(&w, 0);
	}
	deliver();
	assert_int_equal(n_rows(), 2);
	struct record r = row_at(1);
	assert_common(&r);
}

static void v7_tells_the_router_behind_the_record(void **)
{
	begin_v1(NETFLOW7_VERSION, 2);
	for (int i = 0; i < 2; i++) {
		put_row();
		put_hex("c0000209");
	}
	bytes[22] = 0x40; // reserved: no sampling
	bytes[23] = 9;
	deliver();
	assert_int_equal(n_rows(), 2);
	struct record r = row_at(1);
	assert_common(&r);
	assert_int_equal(r.src_as, 0xfde8);
	assert_int_equal(r.dst_mask, 0x10);
	assert_false(r.set & RECORD_BIT(sampling));
}

static void v1_and_v7_that_are_cut_short_are_refused(void **)
{
	for (int version = 1; version <= 7; version += 6) {
		begin_v1((uint16_t)version, 1);
		size_t header = wbuf_len(&w);
		if (version == 1)
			put_v1_row();
		else
			put_row(), put_hex("c0000209");
		struct peer p = peer_of(1);
		for (size_t n = 2; n < wbuf_len(&w); n++)
			intake_datagram(&in, &p, buf_of(bytes, n), now_ns);
		assert_int_equal(n_rows(), 0);
		assert_true(count(LEDGER_bad_length) >= wbuf_len(&w) - header);
		bytes[2] = 0xff; // more than a datagram holds
		deliver();
		bytes[2] = bytes[3] = 0;
		deliver();
		assert_int_equal(n_rows(), 0);
		intake_restart();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(v1_has_neither_sequence_nor_as),
		TEST(v1_records_may_be_padded_to_52_bytes),
		TEST(v7_tells_the_router_behind_the_record),
		TEST(v1_and_v7_that_are_cut_short_are_refused),
		TEST(every_field_is_read),
		TEST(as_many_rows_as_the_count_says),
		TEST(counts_that_cannot_be_are_refused),
		TEST(rows_that_are_not_there_are_refused),
		TEST(bytes_behind_the_rows_are_padding),
		TEST(sampling_is_fourteen_bits),
		TEST(uptime_wraps),
		TEST(header_time_has_nanoseconds),
		TEST(times_before_1970_give_way_to_the_receive_time),
		TEST(icmp_stands_in_the_port),
		TEST(sequence_counts_flows),
		TEST(engines_number_apart),
		TEST(engine_is_not_a_domain_of_v9),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
