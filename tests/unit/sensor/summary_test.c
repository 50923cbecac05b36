// SPDX-License-Identifier: Apache-2.0
#include "sensor/summary.h"
#include "tests/unit/sensor/flow/flows.h"

#include <jansson.h>

#include <stdlib.h>

static struct flows flows;
static struct worker worker;

static int setup(void **)
{
	struct flow_table_options o = flows_options();
	flows_open(&flows, &o);
	memset(&worker, 0, sizeof(worker));
	worker.table = flows.table;
	worker.inspect = inspect_create(&(struct inspect_options){});
	assert_non_null(worker.inspect);
	return 0;
}

static int teardown(void **)
{
	flows_close(&flows);
	inspect_free(worker.inspect);
	return 0;
}

// `n` packets of one flow that ended, received by the worker.
static void work(uint32_t n)
{
	struct packet p = flows_packet(1, 2, PROTO_UDP);
	for (uint32_t i = 0; i < n; i++)
		flows_put(&flows, &p);
	flow_table_flush(flows.table);
	worker.counters.received += n;
	worker.counters.verdicts[PACKET_KEEP] += n;
}

static void drop(enum verdict verdict, uint64_t n)
{
	worker.counters.received += n;
	worker.counters.verdicts[verdict] += n;
}

static void add_worker(struct summary *s)
{
	struct worker_sums sums = {};
	atomic_store(&worker.done, true); // nobody runs it
	assert_true(worker_sums(&worker, 0, &sums));
	summary_add_worker(s, &sums);
}

static void workers_and_exporter_add_up(void **)
{
	struct summary s = {};
	work(10);
	drop(PACKET_NOT_IP, 3);
	add_worker(&s);
	add_worker(&s); // two queues alike
	summary_add_targets(
		&s,
		&(struct targets_counters
		){.n = 1, .copies = 1, .of = {{.exported = 1, .no_target = 0, .unsent = 1}}}
	);
	assert_int_equal(s.packets, 26);
	assert_int_equal(s.flow_packets, 20);
	assert_int_equal(s.bytes, 2000);
	assert_int_equal(s.flows, 2);
	assert_int_equal(s.exported, 1);
	assert_int_equal(s.unsent, 1);
	assert_int_equal(s.verdicts[PACKET_NOT_IP], 6);
	assert_int_equal(summary_residue(&s), 0);
}

static void every_drop_accounts_for_its_packets(void **)
{
	struct summary s = {};
	for (int v = PACKET_KEEP + 1; v < PACKET_N_VERDICTS; v++)
		drop((enum verdict)v, 1u << v);
	add_worker(&s);
	assert_int_equal(summary_residue(&s), 0);
	s.packets += 7;
	s.port = (struct port_drops){.missed = 1, .errors = 2, .no_buffer = 4};
	assert_int_equal(summary_residue(&s), 0);
}

static void every_end_accounts_for_its_flows(void **)
{
	struct summary s = {.flows = 1 + 2 + 4 + 8};
	s.exported = 1;
	s.ring_full = 2;
	s.no_target = 4;
	s.unsent = 8;
	s.evicted = 100; // no drop: those flows are exported
	assert_int_equal(summary_residue(&s), 0);
}

static void what_is_missing_shows_with_its_sign(void **)
{
	struct summary s = {.packets = 10, .flow_packets = 9};
	assert_int_equal(summary_residue(&s), 1);
	s = (struct summary){.packets = 9, .flow_packets = 10};
	assert_int_equal(summary_residue(&s), -1);
	s = (struct summary){.flows = 5, .exported = 3};
	assert_int_equal(summary_residue(&s), 2);
	s = (struct summary){.flows = 3, .exported = 5};
	assert_int_equal(summary_residue(&s), -2);
}

static void what_is_on_its_way_is_not_missing(void **)
{
	struct summary s = {.flows = 10, .exported = 4, .ring_full = 1};
	summary_let_fly(&s);
	assert_int_equal(s.in_flight, 5);
	assert_int_equal(summary_residue(&s), 0);
	s.packets = 1;
	assert_int_equal(summary_residue(&s), 1);
}

static void flows_lost_by_a_full_ring_are_a_drop(void **)
{
	struct summary s = {};
	struct flow_ring *small = flow_ring_create(2, false);
	struct flow_table_options o = flows_options();
	o.out = small;
	flow_table_free(flows.table);
	assert_int_equal(flow_table_create(&o, &flows.table), 0);
	worker.table = flows.table;
	for (uint32_t i = 0; i < 5; i++) {
		struct packet p = flows_packet(i, 100, PROTO_UDP);
		flows_put(&flows, &p);
	}
	flow_table_flush(flows.table);
	worker.counters.received = 5;
	add_worker(&s);
	summary_add_targets(
		&s, &(struct targets_counters){.n = 1, .copies = 1, .of = {{.exported = 2}}}
	);
	assert_int_equal(s.ring_full, 3);
	assert_int_equal(summary_residue(&s), 0);
	flow_ring_free(small);
}

static json_t *formatted(const struct summary *s)
{
	char *text = summary_format(s);
	assert_non_null(text);
	assert_null(strchr(text, '\n'));
	json_t *o = json_loads(text, 0, NULL);
	assert_non_null(o);
	free(text);
	return o;
}

static json_int_t number(const json_t *o, const char *name)
{
	const json_t *n = json_object_get(o, name);
	if (!json_is_integer(n))
		fail_msg("no number %s", name);
	return json_integer_value(n);
}

static void the_sums_are_told_as_json(void **)
{
	struct summary s = {.packets = 1ull << 40, .bytes = 1ull << 50, .flows = 3, .exported = 2};
	json_t *o = formatted(&s);
	assert_int_equal(number(o, "packets"), 1ull << 40);
	assert_int_equal(number(o, "bytes"), 1ull << 50);
	assert_int_equal(number(o, "flows"), 3);
	assert_int_equal(number(o, "exported"), 2);
	assert_int_equal(number(o, "hits"), 0);
	assert_int_equal(json_object_size(json_object_get(o, "dropped")), 0); // none, no zeros
	json_decref(o);
}

static void every_reason_is_told_by_its_name(void **)
{
	struct summary s = {
		.port = {.missed = 101, .errors = 102, .no_buffer = 103},
		.ring_full = 104,
		.no_target = 105,
		.unsent = 106,
	};
	for (int v = PACKET_KEEP; v < PACKET_N_VERDICTS; v++)
		s.verdicts[v] = 1 + (uint64_t)v;
	json_t *o = formatted(&s), *dropped = json_object_get(o, "dropped");
	for (int v = PACKET_KEEP + 1; v < PACKET_N_VERDICTS; v++)
		assert_int_equal(number(dropped, verdicts[v].name), v + 1);
	assert_int_equal(number(dropped, "port_missed"), 101);
	assert_int_equal(number(dropped, "port_errors"), 102);
	assert_int_equal(number(dropped, "port_no_buffer"), 103);
	assert_int_equal(number(dropped, "flow_ring_full"), 104);
	assert_int_equal(number(dropped, "flow_no_target"), 105);
	assert_int_equal(number(dropped, "flow_unsent"), 106);
	assert_int_equal(json_object_size(dropped), PACKET_N_VERDICTS - 1 + 6); // not those kept
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(workers_and_exporter_add_up),
		TEST(every_drop_accounts_for_its_packets),
		TEST(every_end_accounts_for_its_flows),
		TEST(what_is_missing_shows_with_its_sign),
		TEST(what_is_on_its_way_is_not_missing),
		TEST(flows_lost_by_a_full_ring_are_a_drop),
		TEST(the_sums_are_told_as_json),
		TEST(every_reason_is_told_by_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
