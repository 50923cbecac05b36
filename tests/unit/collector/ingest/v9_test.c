// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/collector/ingest/intake.h"

static uint32_t sequence;

static void begin_v9(uint32_t number, uint32_t uptime_ms)
{
	struct message_head h = message_head;
	h.sequence = number;
	h.uptime_ms = uptime_ms;
	begin_head(9, h);
}

// The next message of the stream, with one row.
static void send_row(void)
{
	begin_v9(sequence++, UPTIME);
	set(256, "0a000001");
	deliver();
}

static void send_template(void)
{
	begin_v9(sequence++, UPTIME);
	DEFINE(256, 8, 4);
	deliver();
}

static int set_up_stream(void **state)
{
	sequence = 0;
	return set_up(state);
}

static void let_losses_settle(void)
{
	now_ns += 2 * NS_PER_SEC;
	intake_tick(&in, now_ns);
}

static void sequence_counts_packets(void **) // V9-2
{
	sequence = 0xfffffff0; // over the wrap
	send_template();
	for (int i = 0; i < 100; i++) {
		if (i % 10 == 3)
			sequence++; // dropped on the way
		send_row();
	}
	let_losses_settle();
	assert_int_equal(n_rows(), 100);
	assert_int_equal(count(LEDGER_sequence_lost), 10);
	assert_int_equal(count(LEDGER_sequence_reset), 0);
}

static void number_of_rows_does_not_move_the_sequence(void **) // V9-2
{
	send_template();
	begin_v9(sequence++, UPTIME);
	set(256, "0a000001 0a000002 0a000003");
	deliver();
	send_row();
	let_losses_settle();
	assert_int_equal(count(LEDGER_sequence_lost), 0);
	assert_int_equal(n_rows(), 4);
}

static void swapped_and_doubled_packets_lose_nothing(void **) // V9-2
{
	send_template();
	for (int i = 0; i < 10; i++) {
		sequence = 1 + (uint32_t)i * 2 + 1;
		send_row();
		sequence = 1 + (uint32_t)i * 2;
		send_row();
	}
	deliver(); // the last one again
	let_losses_settle();
	assert_int_equal(count(LEDGER_sequence_lost), 0);
	assert_int_equal(count(LEDGER_sequence_reordered), 10);
	assert_int_equal(count(LEDGER_sequence_duplicate), 1);
}

static void streams_are_told_apart(void **) // V9-3
{
	// The same template id, with another shape in each stream, and the same numbers.
	static const uint16_t shapes[4] = {8, 12, 8, 12};
	struct peer peers[4] = {peer_of(1), peer_of(2), peer_of(1), peer_of(1)};
	uint32_t domains[4] = {DOMAIN, DOMAIN, DOMAIN + 1, DOMAIN};
	peers[3].port++;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 4; i++) {
			struct message_head h = message_head;
			h.domain = domains[i];
			h.sequence = (uint32_t)(1000 * i + round);
			begin_head(9, h);
			if (round == 0)
				DEFINE(256, shapes[i], 4);
			else
				set(256, "0a000001");
			deliver_from(peers[i]);
		}
	}
	assert_int_equal(in.sessions.n, 4);
	assert_int_equal(n_rows(), 4);
	for (uint64_t i = 0; i < 4; i++) {
		struct record r = row_at(i);
		bool is_src = r.src.b[15] == 1, is_dst = r.dst.b[15] == 1;
		assert_true(is_src == (shapes[i] == 8) && is_dst == (shapes[i] == 12));
		assert_int_equal(r.domain, domains[i]);
		assert_exporter(&r, i == 1 ? 2 : 1);
	}
	let_losses_settle();
	assert_int_equal(count(LEDGER_sequence_lost) + count(LEDGER_sequence_reset), 0);
}

static void restart_forgets_the_templates(void **) // V9-9
{
	sequence = 100000;
	send_template();
	send_row();
	assert_int_equal(n_rows(), 1);
	begin_v9(0, 1000); // a new process: both numbers fell
	set(256, "0a000001");
	deliver();
	assert_int_equal(n_rows(), 1);
	assert_int_equal(count(LEDGER_sequence_reset), 1);
	assert_int_equal(count(LEDGER_buffered), 1);
	begin_v9(1, 2000);
	DEFINE(256, 12, 4);
	deliver();
	assert_int_equal(n_rows(), 2);
	assert_int_equal(row_at(1).dst.b[15], 1);
}

static void uptime_that_wraps_is_no_restart(void **) // V9-9
{
	sequence = 100000;
	send_template();
	begin_v9(sequence++, 0u - 10u);
	set(256, "0a000001");
	deliver();
	begin_v9(sequence++, 10);
	set(256, "0a000001");
	deliver();
	assert_int_equal(n_rows(), 2);
	assert_int_equal(count(LEDGER_sequence_reset), 0);
}

static void data_that_come_long_after_are_no_restart(void **) // V9-9
{
	sequence = 100000;
	send_template();
	begin_v9(100000 - 98, UPTIME - 1006); // sent a second before the template
	set(256, "0a000001");
	deliver();
	assert_int_equal(n_rows(), 1);
}

static void sequence_that_falls_alone_is_no_restart(void **) // V9-9
{
	sequence = 100000;
	send_template();
	sequence = 0;
	send_row();
	assert_int_equal(n_rows(), 1);
	assert_int_equal(count(LEDGER_sequence_reset), 1);
}

static void data_waits_for_its_template(void **) // V9-5
{
	send_row();
	send_row();
	assert_int_equal(n_rows(), 0);
	assert_int_equal(count(LEDGER_buffered), 2);
	send_template();
	assert_int_equal(n_rows(), 2);
	assert_int_equal(count(LEDGER_template_unknown), 0);
	let_losses_settle();
	assert_int_equal(count(LEDGER_sequence_lost), 0);
}

static void data_does_not_wait_for_ever(void **) // V9-5
{
	send_row();
	now_ns += options.limits.pending_ns;
	intake_tick(&in, now_ns);
	assert_int_equal(count(LEDGER_template_unknown), 0);
	now_ns += 2 * NS_PER_SEC;
	intake_tick(&in, now_ns);
	assert_int_equal(count(LEDGER_template_unknown), 1);
	send_template();
	assert_int_equal(n_rows(), 0);
}

static void templates_expire(void **) // V9-7
{
	options.limits.lifetime_ns = 10 * NS_PER_SEC;
	intake_restart();
	send_template();
	now_ns += 10 * NS_PER_SEC;
	send_row();
	assert_int_equal(n_rows(), 1);
	now_ns++;
	send_row();
	assert_int_equal(n_rows(), 1);
	assert_int_equal(count(LEDGER_buffered), 1);
}

static void rates_belong_to_their_domain(void **) // SA-1
{
	for (uint32_t i = 0; i < 2; i++) {
		struct message_head h = message_head;
		h.domain = i;
		begin_head(9, h);
		set(1, "0101 0004 0004 0001 0004 0022 0004");
		set(257, i ? "00000001 00000064" : "00000001 000003e8");
		DEFINE(256, 8, 4);
		set(256, "0a000001");
		deliver();
	}
	assert_int_equal(row_at(0).sampling, 1000);
	assert_int_equal(row_at(1).sampling, 100);
	assert_int_equal(count(LEDGER_options), 2);
}

#undef TEST
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_stream, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sequence_counts_packets),
		TEST(number_of_rows_does_not_move_the_sequence),
		TEST(swapped_and_doubled_packets_lose_nothing),
		TEST(streams_are_told_apart),
		TEST(restart_forgets_the_templates),
		TEST(uptime_that_wraps_is_no_restart),
		TEST(data_that_come_long_after_are_no_restart),
		TEST(sequence_that_falls_alone_is_no_restart),
		TEST(data_waits_for_its_template),
		TEST(data_does_not_wait_for_ever),
		TEST(templates_expire),
		TEST(rates_belong_to_their_domain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
