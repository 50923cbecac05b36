// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/collector/ingest/intake.h"

static struct prefix prefix_of(const char *text)
{
	struct prefix p;
	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

// A message with a template and a row from 10.0.0.1 that starts at `sec` and ends at `end`.
static void begin_row(uint32_t sec, uint32_t end)
{
	uint8_t row[12] = {10, 0, 0, 1};
	struct wbuf r = wbuf_of(row, sizeof(row));
	(void)wbuf_take(&r, 4);
	wbuf_u32(&r, sec);
	wbuf_u32(&r, end);
	begin(10);
	DEFINE(256, 8, 4, 150, 4, 151, 4);
	set_bytes(256, row, sizeof(row));
}

static void rows_say_where_and_when_they_came_from(void **)
{
	begin_row(SEC - 9, SEC - 1);
	now_ns = NOW + 5;
	deliver_from(peer_of(3));
	struct record r = row_at(0);
	assert_exporter(&r, 3);
	assert_int_equal(r.domain, DOMAIN);
	assert_int_equal(r.recv_ns, NOW + 5);
	assert_int_equal(r.start_ns, (SEC - 9) * NS_PER_SEC);
	assert_int_equal(count(LEDGER_datagrams), 1);
	assert_int_equal(count(LEDGER_messages), 1);
	assert_int_equal(count(LEDGER_templates), 1);
	assert_int_equal(count(LEDGER_records), 1);
}

static void verdict_comes_with_the_row(void **)
{
	begin(10);
	DEFINE(256, 8, 4, 233, 1);
	set(256, "0a000001 01 0a000001 03");
	deliver();
	assert_int_equal(row_at(0).verdict, VERDICT_ALLOW);
	assert_int_equal(row_at(1).verdict, VERDICT_DENY);
}

static void foreign_bytes_are_counted(void **) // IP-1
{
	struct peer p = peer_of(1);
	intake_datagram(&in, &p, buf_of("", 0), now_ns);
	intake_datagram(&in, &p, buf_of("\0", 1), now_ns);
	intake_datagram(&in, &p, buf_of("\0\x05", 2), now_ns);
	assert_int_equal(count(LEDGER_bad_length), 3);
	intake_datagram(&in, &p, buf_of("GET / HTTP/1.1\r\n", 16), now_ns);
	intake_datagram(&in, &p, buf_of("\0\x08\0\0", 4), now_ns);
	assert_int_equal(count(LEDGER_bad_version), 2);
	assert_int_equal(count(LEDGER_datagrams), 5);
	assert_int_equal(count(LEDGER_messages), 5);
	assert_int_equal(in.sessions.n, 0);
}

static void several_messages_of_a_datagram_are_taken(void **)
{
	begin_row(SEC, SEC);
	size_t len = buf_left(&(struct buf){message().p, message().end, false});
	for (size_t i = 1; i < 5; i++)
		memcpy(bytes + i * len, bytes, len);
	memset(bytes + 5 * len, 0, 3);
	struct peer p = peer_of(1);
	intake_datagram(&in, &p, buf_of(bytes, 5 * len + 3), now_ns);
	assert_int_equal(n_rows(), 5);
	assert_int_equal(count(LEDGER_messages), 5);
	assert_int_equal(count(LEDGER_datagrams), 1);
	bytes[2 * len + 2] =
		0xff; // the third says it is longer: it, and what is behind it, is lost
	intake_datagram(&in, &p, buf_of(bytes, 5 * len), now_ns);
	assert_int_equal(n_rows(), 7);
	assert_int_equal(count(LEDGER_bad_length), 1);
}

static void rows_without_address_are_no_flows(void **)
{
	begin(10);
	DEFINE(256, 7, 2);
	DEFINE(257, 12, 4);
	set(256, "0050 0051");
	set(257, "0a000001");
	deliver();
	assert_int_equal(n_rows(), 1);
	assert_int_equal(count(LEDGER_records), 3);
	assert_int_equal(count(LEDGER_no_address), 2);
}

static void clocks_that_are_off_give_way_to_ours(void **)
{
	static const int64_t offsets[] = {0, -86400, 86400, -86401, 86401, -SEC, 400000000};
	static const bool is_kept[] = {true, true, true, false, false, false, false};
	for (int i = 0; i < 7; i++) {
		uint32_t sec = (uint32_t)(SEC + offsets[i]);
		begin_row(sec ? sec : 1, sec ? sec : 1);
		deliver();
		struct record r = row_at((uint64_t)i);
		assert_int_equal(r.start_ns, is_kept[i] ? sec * NS_PER_SEC : NOW);
		assert_int_equal(r.end_ns, r.start_ns);
	}
	assert_int_equal(count(LEDGER_time_clamped), 4);
}

// Timers go by a clock that is never set; only stamps go by the one that is.
static void clock_that_is_set_ends_no_template(void **) // IP-18
{
	begin(10);
	DEFINE(256, 8, 4, 150, 4);
	deliver();
	for (int i = 0; i < 2; i++) {
		uint64_t hour = i ? 0 - NS_PER_HOUR : NS_PER_HOUR; // forward, then back
		in.wall_ns = hour;
		begin(10);
		set(256, "0a000001 6553f100");
		deliver();
		intake_tick(&in, now_ns);
		struct record r = row_at((uint64_t)i);
		assert_int_equal(r.recv_ns, NOW + hour);
		assert_int_equal(r.start_ns, NOW);
	}
	in.wall_ns = 2 * 24 * NS_PER_HOUR;
	deliver(); // two days before it came
	assert_int_equal(row_at(2).start_ns, NOW + 2 * 24 * NS_PER_HOUR);
	assert_int_equal(count(LEDGER_time_clamped), 1);
	assert_int_equal(count(LEDGER_buffered), 0);
}

static void one_time_that_is_off_spoils_both(void **)
{
	begin_row(SEC - 90000, SEC);
	deliver();
	assert_int_equal(row_at(0).start_ns, NOW);
	assert_int_equal(row_at(0).end_ns, NOW);
	begin_row(SEC + 10, SEC - 10); // ends before it starts: swapped
	deliver();
	assert_int_equal(row_at(1).start_ns, (SEC - 10) * NS_PER_SEC);
	assert_int_equal(row_at(1).end_ns, (SEC + 10) * NS_PER_SEC);
	assert_int_equal(count(LEDGER_time_clamped), 1);
}

static void any_time_is_taken_when_asked(void **)
{
	options.clock_skew_ns = 0;
	intake_restart();
	begin_row(1, 2);
	deliver();
	assert_int_equal(row_at(0).start_ns, NS_PER_SEC);
	assert_int_equal(count(LEDGER_time_clamped), 0);
}

static void exporters_belong_to_the_entity_of_the_longest_prefix(void **)
{
	struct ingest_entity entities[] = {
		{prefix_of("192.0.0.0/8"), 5},
		{prefix_of("192.0.2.2"), 7},
		{prefix_of("192.0.2.0/24"), 6},
		{prefix_of("2001:db8::/32"), 8},
	};
	uint16_t entity;
	options.entities = entities;
	options.n_entities = 4;
	options.default_entity = 1;
	intake_restart();
	struct peer peers[5] = {peer_of(1), peer_of(2), peer_of(3), peer_of(4), peer_of(5)};
	peers[2].addr.b[14] = 9; // 192.0.9.3
	peers[3].addr.b[12] = 193;
	peers[4].addr = addr_of_v6("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
	static const uint16_t want[] = {6, 7, 5, 1, 8};
	for (uint64_t i = 0; i < 5; i++) {
		begin_row(SEC, SEC);
		deliver_from(peers[i]);
		(void)sink_row(&sink, i, &entity);
		assert_int_equal(entity, want[i]);
	}
}

static void strangers_are_not_listened_to(void **) // IP-26
{
	struct prefix allow[] = {prefix_of("192.0.2.8/30"), prefix_of("2001:db8::1")};
	options.allow = allow;
	options.n_allow = 2;
	intake_restart();
	for (uint8_t last = 7; last <= 12; last++) {
		begin_row(SEC, SEC);
		deliver_from(peer_of(last));
	}
	struct peer v6 = peer_of(1);
	v6.addr = addr_of_v6("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
	deliver_from(v6);
	assert_int_equal(n_rows(), 5);
	assert_int_equal(count(LEDGER_exporter_refused), 2);
	assert_int_equal(in.sessions.n, 5);
}

static void imported_rows_keep_their_exporter_and_time(void **)
{
	struct prefix trust[] = {prefix_of("192.0.2.1")};
	options.trust = trust;
	options.n_trust = 1;
	intake_restart();
	begin(10);
	DEFINE(256, 8, 4, 130, 4, 149, 4, 150, 4);
	set(256, "0a000001 c6336405 0000002a 00000005");
	deliver_from(peer_of(1));
	deliver_from(peer_of(2)); // whom nobody trusts
	struct record trusted = row_at(0), other = row_at(1);
	assert_int_equal(trusted.exporter.b[15], 5);
	assert_int_equal(trusted.domain, 42);
	assert_int_equal(trusted.start_ns, 5 * NS_PER_SEC);
	assert_exporter(&other, 2);
	assert_int_equal(other.domain, DOMAIN);
	assert_int_equal(other.start_ns, NOW);
	assert_int_equal(count(LEDGER_imported), 1);
	assert_int_equal(count(LEDGER_time_clamped), 1);
}

static void batches_wait_for_rows_and_then_for_time(void **)
{
	sink.batch_rows = 3;
	begin_row(SEC, SEC);
	deliver();
	deliver();
	assert_int_equal(n_rows(), 0);
	intake_tick(&in, now_ns + options.flush_ns - 1);
	assert_int_equal(n_rows(), 0);
	deliver(); // full
	assert_int_equal(n_rows(), 3);
	deliver();
	intake_tick(&in, now_ns + options.flush_ns);
	assert_int_equal(n_rows(), 4);
	assert_int_equal(sink.n_out, 0);
}

static void oldest_batch_goes_when_too_many_are_open(void **)
{
	static struct ingest_entity entities[6];
	sink.batch_rows = 100;
	options.open_batches = 4;
	for (uint16_t i = 0; i < 6; i++)
		entities[i] = (struct ingest_entity
		){.prefix = {peer_of((uint8_t)(i + 1)).addr, 128}, .entity = i};
	options.entities = entities;
	options.n_entities = 6;
	intake_restart();
	for (uint8_t i = 0; i < 6; i++, now_ns++) {
		begin_row(SEC, SEC);
		deliver_from(peer_of((uint8_t)(i + 1)));
		assert_true(sink.n_out <= 4);
	}
	uint16_t entity;
	assert_int_equal(n_rows(), 2);
	(void)sink_row(&sink, 0, &entity);
	assert_int_equal(entity, 0);
	(void)sink_row(&sink, 1, &entity);
	assert_int_equal(entity, 1);
	assert_int_equal(count(LEDGER_records), 6);
}

static void counts_reach_the_ledger_before_the_rows_do(void **)
{
	begin_row(SEC, SEC);
	deliver(); // pushed at once
	assert_int_equal(ledger_get(&ledger, LEDGER_records), 1);
	deliver();
	intake_account(&in);
	assert_int_equal(ledger_get(&ledger, LEDGER_datagrams), 2);
	assert_int_equal(in.counts[LEDGER_datagrams], 0);
}

static void ended_sessions_leave_their_losses(void **)
{
	begin(10);
	set(300, "01020304");
	deliver();
	begin_head(10, (struct message_head){SEC, 0, 50, DOMAIN + 1});
	deliver();
	begin_head(10, (struct message_head){SEC, 0, 57, DOMAIN + 1});
	deliver();
	intake_end(); // the gap was younger than a second, the data waited still
	assert_int_equal(count(LEDGER_template_unknown), 1);
	assert_int_equal(count(LEDGER_sequence_lost), 7);
	intake_start();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_say_where_and_when_they_came_from),
		TEST(verdict_comes_with_the_row),
		TEST(foreign_bytes_are_counted),
		TEST(several_messages_of_a_datagram_are_taken),
		TEST(rows_without_address_are_no_flows),
		TEST(clocks_that_are_off_give_way_to_ours),
		TEST(clock_that_is_set_ends_no_template),
		TEST(one_time_that_is_off_spoils_both),
		TEST(any_time_is_taken_when_asked),
		TEST(exporters_belong_to_the_entity_of_the_longest_prefix),
		TEST(strangers_are_not_listened_to),
		TEST(imported_rows_keep_their_exporter_and_time),
		TEST(batches_wait_for_rows_and_then_for_time),
		TEST(oldest_batch_goes_when_too_many_are_open),
		TEST(counts_reach_the_ledger_before_the_rows_do),
		TEST(ended_sessions_leave_their_losses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
