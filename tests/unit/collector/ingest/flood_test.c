// SPDX-License-Identifier: Apache-2.0

// Floods: of templates, of waiting data, of forged senders (RFC 7011 §11.4, §11.5). Memory stays
// within its bounds, what is refused is counted, and those who are at work lose nothing.

#include "tests/unit/collector/ingest/intake.h"

static struct peer forged(uint32_t i)
{
	const uint8_t v4[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
	return (struct peer){.addr = addr_of_v4(v4), .port = (uint16_t)(1024 + i % 60000)};
}

static struct peer tcp_peer(void)
{
	struct peer p = peer_of(9);
	p.is_tcp = true;
	p.source = INGEST_LISTEN_MAX + 1;
	return p;
}

static void begin_template(void)
{
	begin(10);
	DEFINE(256, 8, 4);
}

static void begin_rows(void)
{
	begin(10);
	set(256, "0a000001 0a000002");
}

static void assert_bounded(void)
{
	assert_true(in.budget.used <= in.budget.max);
	assert_true(in.sessions.n <= options.max_exporters);
}

// session_test.c floods the table alone with a million.
static void forged_senders_do_not_disturb_the_real_one(void **) // IP-26
{
	enum { FLOOD = 200000 };
	sink.is_counting = true;
	begin_template();
	deliver();
	begin_rows();
	deliver();
	begin(10); // an empty message makes a session of its sender
	struct buf empty = message();
	for (uint32_t i = 0; i < FLOOD; i++) {
		struct peer p = forged(i);
		intake_datagram(&in, &p, empty, now_ns);
		assert_bounded();
	}
	begin_rows();
	deliver();
	assert_int_equal(n_rows(), 4);
	assert_int_equal(count(LEDGER_exporter_limit), 0);
	assert_int_equal(count(LEDGER_datagrams), FLOOD + 3);
}

static void senders_at_work_are_not_displaced_by_others_at_work(void **) // IP-26
{
	sink.is_counting = true;
	options.max_exporters = 100;
	intake_restart();
	begin_template();
	set(256, "0a000001");
	for (uint32_t i = 0; i < 1000; i++)
		deliver_from(forged(i));
	assert_bounded();
	assert_int_equal(n_rows(), 100);
	assert_int_equal(count(LEDGER_exporter_limit), 900);
	now_ns += options.idle_ns + 1; // until they are silent
	for (uint32_t i = 1000; i < 1100; i++)
		deliver_from(forged(i));
	assert_int_equal(n_rows(), 200);
	assert_bounded();
}

// Definitions of ever new shapes, 1.2 million in messages of 1000, of 64 exporters that also send
// records and so have a right to their memory.
static void flood_of_templates_is_bounded(void **) // IP-26
{
	enum { EXPORTERS = 64 };
	uint32_t shape = 0;
	options.memory = 8 << 20;
	intake_restart();
	begin_template();
	set(256, "0a000001");
	deliver();
	for (uint32_t i = 0; i < EXPORTERS; i++)
		deliver_from(forged(i));
	for (uint32_t i = 0; i < 1200; i++) {
		begin(10);
		for (uint16_t n = 0; n < 1000; n++, shape++)
			DEFINE((uint16_t)(256 + shape % 60000), (uint16_t)(1 + shape % 399), 2);
		deliver_from(forged(i % EXPORTERS));
		assert_bounded();
	}
	uint64_t taken = count(LEDGER_templates) - 1 - EXPORTERS;
	uint64_t refused = count(LEDGER_template_limit);
	uint64_t senseless = count(LEDGER_bad_template); // addresses of two bytes
	assert_int_equal(taken + refused + senseless, 1200000);
	assert_true(refused > 1000000);
	begin_rows();
	deliver();
	assert_int_equal(n_rows(), 1 + EXPORTERS + 2);
}

static void flood_of_waiting_data_is_bounded(void **) // IP-14, IP-26
{
	static const uint8_t data[1000];
	options.memory = 4 << 20;
	intake_restart();
	for (uint32_t i = 0; i < 20000; i++) {
		begin(10);
		set_bytes((uint16_t)(256 + i % 7), data, sizeof(data));
		deliver_from(forged(i % 50));
		assert_bounded();
	}
	now_ns += 2 * options.limits.pending_ns;
	intake_tick(&in, now_ns);
	assert_int_equal(count(LEDGER_template_unknown), 20000);
}

// Who never sent a record gives memory back to one who comes, not the other way round.
static void memory_is_taken_from_those_who_sent_no_record(void **) // IP-26
{
	static const uint8_t data[60000];
	options.memory = 1 << 20;
	options.limits.pending_len = 1 << 20;
	intake_restart();
	begin_template();
	set(256, "0a000001");
	deliver();
	for (uint32_t i = 0; i < 100; i++) {
		begin(10);
		set_bytes(300, data, sizeof(data));
		deliver_from(forged(i));
		assert_bounded();
	}
	begin_template(); // a newcomer
	set(256, "0a000001");
	deliver_from(peer_of(2));
	begin(10); // and a new template of the one at work
	DEFINE(257, 12, 4);
	set(257, "0a000001");
	deliver();
	assert_int_equal(n_rows(), 3);
	assert_int_equal(count(LEDGER_exporter_limit), 0);
	assert_int_equal(count(LEDGER_template_limit), 0);
}

static void connections_are_not_displaced_by_forged_senders(void **) // IP-26
{
	struct peer p = tcp_peer();
	begin_template(); // over TCP it comes only once
	assert_int_equal(intake_message(&in, &p, message(), now_ns), INTAKE_TAKEN);
	begin(10);
	for (uint32_t i = 0; i < 2 * options.max_exporters; i++)
		deliver_from(forged(i));
	begin_rows();
	assert_int_equal(intake_message(&in, &p, message(), now_ns), INTAKE_TAKEN);
	assert_int_equal(n_rows(), 2);
}

static void idle_tick_gives_all_waiting_memory_back(void **)
{
	static const uint8_t data[1000];
	begin_template();
	deliver();
	size_t used = in.budget.used;
	for (int i = 0; i < 50; i++) {
		begin(10);
		set_bytes(300, data, sizeof(data));
		deliver();
	}
	assert_true(in.budget.used > used + 50000);
	now_ns += 2 * options.limits.pending_ns;
	intake_tick(&in, now_ns);
	assert_int_equal(in.budget.used, used);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(forged_senders_do_not_disturb_the_real_one),
		TEST(senders_at_work_are_not_displaced_by_others_at_work),
		TEST(flood_of_templates_is_bounded),
		TEST(flood_of_waiting_data_is_bounded),
		TEST(memory_is_taken_from_those_who_sent_no_record),
		TEST(connections_are_not_displaced_by_forged_senders),
		TEST(idle_tick_gives_all_waiting_memory_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
