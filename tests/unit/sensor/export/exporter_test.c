// SPDX-License-Identifier: Apache-2.0
#include "sensor/export/exporter.h"
#include "sensor/export/record.h"
#include "tests/unit/sensor/export/exporting.h"

#include <errno.h>

static struct exporting *x;

static int setup(void **)
{
	x = exporting_create(4096);
	return 0;
}

static int teardown(void **)
{
	exporting_free(x);
	return 0;
}

static void assert_same(const struct record *got, const struct record *want)
{
	assert_true(addr_eq(&got->src, &want->src));
	assert_true(addr_eq(&got->dst, &want->dst));
	assert_true(got->start_ns == want->start_ns / NS_PER_MSEC * NS_PER_MSEC);
	assert_true(got->end_ns == want->end_ns / NS_PER_MSEC * NS_PER_MSEC);
	assert_int_equal(got->sport, want->sport);
	assert_int_equal(got->dport, want->dport);
	assert_int_equal(got->proto, want->proto);
	assert_int_equal(got->packets, want->packets);
	assert_int_equal(got->bytes, want->bytes);
	assert_int_equal(got->rev_packets, want->rev_packets);
	assert_int_equal(got->rev_bytes, want->rev_bytes);
	assert_int_equal(got->end_reason, want->end_reason);
}

static void flows_arrive(int type)
{
	exporting_start(x, type);
	for (uint32_t i = 0; i < 8; i++)
		assert_true(exporting_push(x, 0, i));
	while (x->collector.n_records < 8)
		(void)collector_next(&x->collector);
	for (uint32_t i = 0; i < 8; i++) {
		struct flow f = exporting_flow(i);
		struct record want;
		record_of_flow(&f, NULL, NULL, &want);
		assert_same(&x->collector.first[i], &want);
	}
	collector_close(&x->collector); // lets a stream end at once
	exporting_stop(x);
	assert_int_equal(x->counters.exported, 8);
	assert_int_equal(x->counters.unsent + x->counters.no_target, 0);
}

static void flows_arrive_by_udp_without_waiting_for_more(void **)
{
	flows_arrive(SOCK_DGRAM);
}

static void flows_arrive_by_tcp_without_waiting_for_more(void **)
{
	flows_arrive(SOCK_STREAM);
}

static void templates_come_before_data_in_every_domain(void **)
{
	static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
	for (int t = 0; t < 2; t++) {
		bool seen[N_RINGS + 1] = {false};
		if (t > 0)
			teardown(NULL), setup(NULL);
		exporting_start(x, types[t]);
		for (uint32_t i = 0; i < 100; i++)
			assert_true(exporting_push(x, i % 2, i));
		while (x->collector.n_records < 100) {
			struct message m = collector_next(&x->collector);
			assert_in_range(m.domain, 1, N_RINGS);
			assert_true(seen[m.domain] || (m.has_templates && !m.has_data));
			seen[m.domain] = true;
		}
	}
}

static void templates_are_sent_again_by_time_over_udp(void **)
{
	x->options.template_interval_ns = 50 * NS_PER_MSEC;
	exporting_start(x, SOCK_DGRAM);
	assert_true(exporting_push(x, 0, 0));
	unsigned n[N_RINGS + 1] = {0};
	uint32_t want[N_RINGS + 1] = {0};
	while (n[1] < 4 || n[2] < 4) {
		struct message m = collector_next(&x->collector);
		n[m.domain] += m.has_templates;
		assert_int_equal(m.sequence, want[m.domain]); // they are no records
		want[m.domain] += m.n_records;
	}
	assert_int_equal(x->collector.n_records, 1);
}

static void templates_are_sent_once_per_connection_over_tcp(void **)
{
	unsigned n = 0;
	x->options.template_interval_ns = 10 * NS_PER_MSEC;
	exporting_start(x, SOCK_STREAM);
	for (uint32_t i = 0; i < 20; i++) {
		assert_true(exporting_push(x, 0, i));
		usleep(10000);
	}
	while (x->collector.n_records < 20) {
		struct message m = collector_next(&x->collector);
		n += m.has_templates && !m.n_records;
	}
	assert_int_equal(n, N_RINGS);
}

static void the_sequence_counts_the_records_of_each_domain(void **)
{
	uint32_t want[N_RINGS + 1] = {0};
	unsigned n_messages = 0;
	exporting_start(x, SOCK_STREAM);
	exporting_push_all(x, 0, 0, 3000);
	exporting_push_all(x, 1, 0, 2000);
	while (x->collector.n_records < 5000) {
		struct message m = collector_next(&x->collector);
		assert_int_equal(m.sequence, want[m.domain]);
		want[m.domain] += m.n_records;
		n_messages += m.has_data;
	}
	assert_int_equal(want[1], 3000 + 1); // and the statistics
	assert_int_equal(want[2], 2000 + 1);
	assert_true(n_messages > 100);
}

static void flows_that_were_lost_are_a_gap_in_the_sequence(void **)
{
	exporting_start(x, SOCK_DGRAM);
	assert_true(exporting_push(x, 0, 0));
	assert_int_equal(collector_data(&x->collector).sequence, 1); // after the statistics
	__atomic_store_n(&x->lost[0], 5, __ATOMIC_RELAXED);
	assert_true(exporting_push(x, 0, 1));
	assert_int_equal(collector_data(&x->collector).sequence, 7);
	assert_true(exporting_push(x, 0, 2));
	assert_int_equal(collector_data(&x->collector).sequence, 8); // once
	assert_true(exporting_push(x, 1, 3));
	assert_int_equal(collector_data(&x->collector).sequence, 1); // of one domain only
}

static void messages_keep_to_their_length_and_use_it(void **)
{
	static const uint16_t lens[] = {640, 1420, 9000, 65535};
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		size_t longest = 0;
		if (i > 0)
			teardown(NULL), setup(NULL);
		x->options.max_len = lens[i];
		exporting_start(x, SOCK_STREAM);
		exporting_push_all(x, 0, 0, 4000);
		while (x->collector.n_records < 4000) {
			struct message m = collector_next(&x->collector);
			assert_true(m.len <= lens[i]);
			if (m.has_data && m.len > longest)
				longest = m.len;
		}
		assert_true(longest > lens[i] - 150u);
	}
}

static void an_uniflow_exporter_tells_each_direction(void **)
{
	x->options.biflow = false;
	exporting_start(x, SOCK_STREAM);
	assert_true(exporting_push(x, 0, 2)); // with answers
	while (x->collector.n_records < 2)
		(void)collector_next(&x->collector);
	assert_int_equal(x->collector.last.packets, 7);
	assert_int_equal(x->collector.last.rev_packets, 0);
	assert_int_equal(x->collector.last.sport, 443);
	collector_close(&x->collector);
	exporting_stop(x);
	assert_int_equal(x->counters.exported, 1); // it counts flows
}

static void what_is_left_is_sent_when_it_stops(void **)
{
	exporting_start(x, SOCK_DGRAM);
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(exporting_push(x, i % 2, i));
	exporting_stop(x);
	collector_drain(&x->collector);
	assert_int_equal(x->collector.n_records, 1000);
	assert_int_equal(x->counters.exported, 1000);
	assert_int_equal(x->counters.messages, x->collector.n_messages);
	assert_int_equal(x->counters.bytes, x->collector.n_bytes);
	assert_int_equal(x->counters.error, 0);
}

static void flows_without_a_target_are_counted_as_such(void **)
{
	assert_int_equal(exporter_start(&x->options, &x->exporter), 0);
	exporting_push_all(x, 0, 0, 10000); // more than the ring holds: it is drained
	exporting_push_all(x, 1, 0, 10);
	exporting_stop(x);
	assert_int_equal(x->counters.no_target, 10010);
	assert_int_equal(x->counters.exported + x->counters.unsent, 0);
	assert_int_equal(x->counters.messages + x->counters.bytes, 0);
}

static void a_rate_loses_nothing(void **)
{
	x->options.rate = 200000;
	exporting_start(x, SOCK_DGRAM);
	exporting_push_all(x, 0, 0, 1000);
	while (x->collector.n_records < 1000)
		(void)collector_next(&x->collector);
	exporting_stop(x);
	assert_int_equal(x->counters.exported, 1000);
}

// The word of the i-th flow's hit, or its record with the indicator.
static void push_with_note(uint32_t i, bool is_word)
{
	uint8_t bytes[FLOW_EXTRA_MAX];
	struct note n = {.indicator = 77, .score = 800, .matched = 1, .type = is_word};
	struct flow f = exporting_flow(i);
	if (is_word)
		f.end_reason = FLOW_END_NONE;
	size_t len = note_put(&n, bytes);
	assert_int_equal(flow_ring_push_extra(x->sources[0].ring, &f, bytes, len), FLOW_RING_OK);
}

static void hits_leave_at_once_and_are_no_flows(void **)
{
	exporting_start(x, SOCK_STREAM);
	for (uint32_t i = 0; i < 20; i++) {
		push_with_note(i, true);
		while (x->collector.n_hits <= i)
			(void)collector_next(&x->collector);
		assert_int_equal(x->collector.n_records, i);
		push_with_note(i, false);
		while (x->collector.n_records <= i)
			(void)collector_next(&x->collector);
		assert_int_equal(x->collector.n_hits, i + 1);
		assert_true(x->collector.last.indicator == 77);
	}
	exporting_stop(x);
	assert_int_equal(x->counters.exported, 20);
	assert_int_equal(x->counters.hits_told, 20);
	assert_int_equal(x->counters.unsent, 0);
}

static void hits_without_a_target_are_no_flows_either(void **)
{
	push_with_note(0, true);
	push_with_note(0, false);
	push_with_note(1, true);
	assert_int_equal(exporter_start(&x->options, &x->exporter), 0);
	exporting_stop(x);
	assert_int_equal(x->counters.no_target, 1);
}

static void a_target_that_is_none_is_refused(void **)
{
	struct exporter *e = NULL;
	x->options.target = "udp:127.0.0.1";
	assert_int_equal(exporter_start(&x->options, &e), -EINVAL);
	x->options.target = "ftp:127.0.0.1:21";
	assert_int_equal(exporter_start(&x->options, &e), -EINVAL);
	x->options.target = "udp:127.0.0.1:4739";
	x->options.max_len = 100;
	assert_int_equal(exporter_start(&x->options, &e), -EINVAL);
	assert_null(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(flows_arrive_by_udp_without_waiting_for_more),
		TEST(flows_arrive_by_tcp_without_waiting_for_more),
		TEST(templates_come_before_data_in_every_domain),
		TEST(templates_are_sent_again_by_time_over_udp),
		TEST(templates_are_sent_once_per_connection_over_tcp),
		TEST(the_sequence_counts_the_records_of_each_domain),
		TEST(hits_leave_at_once_and_are_no_flows),
		TEST(hits_without_a_target_are_no_flows_either),
		TEST(flows_that_were_lost_are_a_gap_in_the_sequence),
		TEST(messages_keep_to_their_length_and_use_it),
		TEST(an_uniflow_exporter_tells_each_direction),
		TEST(what_is_left_is_sent_when_it_stops),
		TEST(flows_without_a_target_are_counted_as_such),
		TEST(a_rate_loses_nothing),
		TEST(a_target_that_is_none_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
