// SPDX-License-Identifier: Apache-2.0
// The exporter while its TCP collector is away: what waits, what is given up, and that every flow
// is accounted for.
#include "sensor/export/exporter.h"
#include "sensor/flow/table.h"
#include "tests/unit/sensor/export/exporting.h"

#include <errno.h>
#include <pthread.h>

#define RING 4096

static struct exporting *x;

static int setup(void **)
{
	x = exporting_create(RING);
	return 0;
}

static int teardown(void **)
{
	exporting_free(x);
	return 0;
}

// A port on which nobody listens for now.
static void start_towards_nobody(void)
{
	collector_open(&x->collector, SOCK_STREAM);
	close(x->collector.listen_fd);
	x->collector.listen_fd = -1;
	x->options.target = x->collector.target;
	assert_int_equal(exporter_start(&x->options, &x->exporter), 0);
}

static void collector_goes(void)
{
	collector_close(&x->collector);
}

static void collector_comes(void)
{
	collector_listen(&x->collector);
	collector_accept(&x->collector);
}

// Every one of the rings' flows went one way or the other.
static void assert_accounted(uint64_t n)
{
	assert_int_equal(x->counters.exported + x->counters.unsent + x->counters.no_target, n);
}

static void flows_wait_for_a_collector_that_is_not_there_yet(void **)
{
	start_towards_nobody();
	exporting_push_all(x, 0, 0, 500);
	exporting_push_all(x, 1, 0, 500);
	usleep(50000);
	collector_comes();
	while (x->collector.n_records < 1000)
		(void)collector_next(&x->collector);
	collector_goes();
	exporting_stop(x);
	assert_int_equal(x->counters.exported, 1000);
	assert_int_equal(x->counters.unsent, 0);
}

static void flows_that_end_while_the_collector_restarts_arrive_afterwards(void **)
{
	exporting_start(x, SOCK_STREAM);
	assert_true(exporting_push(x, 0, 0));
	(void)collector_data(&x->collector);
	collector_goes();
	usleep(50000); // nothing is sent meanwhile, so nothing tells but the connection itself
	exporting_push_all(x, 0, 1, 500);
	exporting_push_all(x, 1, 0, 500);
	usleep(400000); // long enough for messages to grow old
	collector_comes();
	while (x->collector.n_records < 1001)
		(void)collector_next(&x->collector);
	collector_goes();
	exporting_stop(x);
	assert_int_equal(x->counters.unsent, 0);
	assert_int_equal(x->counters.exported, 1001);
}

// The collector fails the test when data come before their template.
static void a_new_connection_begins_with_templates_whatever_was_being_built(void **)
{
	uint32_t pushed = 0;
	uint64_t arrived = 0;
	exporting_start(x, SOCK_STREAM);
	for (int round = 0; round < 20; round++) {
		bool seen[N_RINGS + 1] = {false};
		for (int n = 0; n < 300; n++, pushed++)
			assert_true(exporting_push(x, pushed % 2, pushed));
		uint64_t want = x->collector.n_records + 1 + 13UL * (unsigned)round;
		for (struct message m; x->collector.n_records < want;) {
			m = collector_next(&x->collector);
			assert_true(seen[m.domain] || m.has_templates || round == 0);
			seen[m.domain] = true;
		}
		arrived = x->collector.n_records;
		collector_hang_up(&x->collector); // in the midst of it
		collector_accept(&x->collector);
	}
	assert_true(arrived > 0);
	collector_goes();
	exporting_stop(x);
	assert_accounted(pushed);
}

static void a_break_in_the_midst_of_a_burst_costs_a_message_at_most(void **)
{
	enum { N = 3000, ROUNDS = 5, PER_MESSAGE = 25 };
	exporting_start(x, SOCK_STREAM);
	for (unsigned round = 0; round < ROUNDS; round++) {
		(void)collector_next(&x->collector);
		(void)collector_next(&x->collector); // both templates: it is idle now
		exporting_push_all(x, 0, round * N, N);
		usleep(round * 300);
		collector_hang_up(&x->collector);
		collector_accept(&x->collector);
	}
	collector_drain(&x->collector);
	collector_goes();
	exporting_stop(x);
	assert_accounted((uint64_t)ROUNDS * N);
	assert_true(x->counters.unsent <= (uint64_t)ROUNDS * PER_MESSAGE);
}

static void without_a_collector_at_the_start_patience_ends(void **)
{
	struct exporter *e = NULL;
	collector_open(&x->collector, SOCK_STREAM);
	collector_goes();
	x->options.target = x->collector.target;
	x->options.patience_ns = 150 * NS_PER_MSEC;
	assert_int_equal(exporter_start(&x->options, &e), -ECONNREFUSED);
	assert_null(e);
}

static void flows_are_given_up_when_patience_ends(void **)
{
	x->options.patience_ns = 150 * NS_PER_MSEC;
	exporting_start(x, SOCK_STREAM);
	collector_goes();
	exporting_push_all(x, 0, 0, 3 * RING); // makes room only by giving up
	exporting_stop(x);
	assert_int_equal(x->counters.unsent, 3 * RING);
	assert_int_equal(x->counters.exported, 0);
	assert_int_equal(x->counters.error, -ECONNREFUSED);
}

static void flows_wait_for_ever_until_told_to_hurry(void **)
{
	uint32_t n = 0;
	start_towards_nobody();
	while (exporting_push(x, 0, n))
		n++;
	assert_int_equal(n, RING);
	usleep(200000);
	assert_false(exporting_push(x, 0, n)); // still full
	exporter_hurry(x->exporter);
	exporting_push_all(x, 0, n, 2 * RING);
	exporting_stop(x);
	assert_int_equal(x->counters.unsent, 3 * RING);
}

static void stopping_gives_up_what_waits(void **)
{
	start_towards_nobody();
	exporting_push_all(x, 0, 0, 100);
	exporting_push_all(x, 1, 0, 100);
	exporting_stop(x);
	assert_int_equal(x->counters.unsent, 200);
}

static void stopping_in_a_break_leaves_no_flow_uncounted(void **)
{
	for (unsigned round = 0; round < 20; round++) {
		if (round > 0)
			teardown(NULL), setup(NULL);
		exporting_start(x, SOCK_STREAM);
		exporting_push_all(x, 0, 0, 2000);
		exporting_push_all(x, 1, 0, 2000);
		usleep(round * 100);
		collector_goes();
		exporting_stop(x);
		assert_accounted(4000);
	}
}

// A worker whose ring is often full, as the exporter sees it: from another thread.
static void *work(void *arg)
{
	struct flow_table *table = arg;
	struct packet p = {.bytes = 100, .proto = PROTO_UDP};
	struct flow_probe probe;
	for (uint32_t i = 0; i < 50000; i++) {
		memcpy(p.src.b, &i, sizeof(i));
		p.time_ns = T0 + i;
		flow_table_probe(table, &p, 1, &probe);
		struct flow *flow;
		flow_table_update(table, &p, 1, &probe, &flow);
	}
	flow_table_flush(table);
	return NULL;
}

static void worker_and_exporter_agree_on_every_flow_while_many_are_lost(void **)
{
	struct flow_ring *small = flow_ring_create(16, false);
	struct flow_table_options o = {
		.n_flows = 16, .idle_ns = NS_PER_SEC, .active_ns = NS_PER_SEC, .out = small};
	struct flow_table *table;
	pthread_t thread;
	assert_int_equal(flow_table_create(&o, &table), 0);
	const struct flow_counters *c = flow_table_counters(table);
	x->options.sources =
		&(struct exporter_source){.ring = small, .lost = &c->lost, .domain = 1};
	x->options.n_sources = 1;
	exporting_start(x, SOCK_DGRAM);
	assert_int_equal(pthread_create(&thread, NULL, work, table), 0);
	pthread_join(thread, NULL);
	exporting_stop(x);
	assert_int_equal(c->flows, 50000);
	assert_accounted(c->flows - c->lost);
	flow_table_free(table);
	flow_ring_free(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(flows_wait_for_a_collector_that_is_not_there_yet),
		TEST(flows_that_end_while_the_collector_restarts_arrive_afterwards),
		TEST(a_new_connection_begins_with_templates_whatever_was_being_built),
		TEST(a_break_in_the_midst_of_a_burst_costs_a_message_at_most),
		TEST(without_a_collector_at_the_start_patience_ends),
		TEST(flows_are_given_up_when_patience_ends),
		TEST(flows_wait_for_ever_until_told_to_hurry),
		TEST(stopping_gives_up_what_waits),
		TEST(stopping_in_a_break_leaves_no_flow_uncounted),
		TEST(worker_and_exporter_agree_on_every_flow_while_many_are_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
