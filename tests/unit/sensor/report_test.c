// SPDX-License-Identifier: Apache-2.0
#include "lib/scrape/scrape.h"
#include "sensor/report.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

static struct port ports[2] = {{.name = "net_a0"}, {.name = "net_b0"}};
static struct report_worker workers[3];
static struct report report;
static const struct config_list to;

static int setup(void **)
{
	memset(workers, 0, sizeof(workers));
	report = (struct report){
		.cycles_per_sec = 1000,
		.to = &to,
		.n_ports = 2,
		.n_workers = 3,
		.ports = ports,
		.workers = workers,
	};
	for (int i = 0; i < 3; i++)
		workers[i].port = &ports[i == 2];
	workers[1].queue = 1;
	return 0;
}

static void received(int worker, uint64_t n)
{
	workers[worker].sums.worker.received = n;
	workers[worker].sums.worker.verdicts[PACKET_KEEP] = n;
	workers[worker].sums.flow.packets = n;
	summary_add_worker(&report.sum, &workers[worker].sums);
}

static void imbalance_is_the_busiest_over_the_mean(void **)
{
	assert_true(report_imbalance(&report, 0) == 0);
	received(0, 30);
	received(1, 10);
	received(2, 5);
	assert_true(report_imbalance(&report, 0) == 1.5);
	assert_true(report_imbalance(&report, 1) == 1);
}

static void the_ledger_has_all_and_a_residue(void **)
{
	received(0, 30);
	received(2, 12);
	workers[1].is_silent = true;
	report.traffic[1] = (struct port_traffic){.packets = 12, .bytes = 720, .drops.missed = 3};
	report.sum.packets += 1; // that nobody accounts for
	json_t *ledger = report_ledger(&report);
	assert_non_null(ledger);
	json_t *counters = json_object_get(ledger, "counters");
	json_t *w = json_array_get(json_object_get(ledger, "workers"), 1);
	json_t *p = json_array_get(json_object_get(ledger, "ports"), 1);
	assert_int_equal(json_integer_value(json_object_get(counters, "packets")), 43);
	assert_int_equal(json_integer_value(json_object_get(counters, "flow_packets")), 42);
	assert_int_equal(json_integer_value(json_object_get(ledger, "residue")), 1);
	assert_true(json_is_true(json_object_get(w, "silent")));
	assert_int_equal(json_integer_value(json_object_get(w, "queue")), 1);
	assert_string_equal(json_string_value(json_object_get(p, "port")), "net_b0");
	assert_int_equal(json_integer_value(json_object_get(p, "imissed")), 3);
	json_decref(ledger);
}

static void print(void *ctx, FILE *out, bool open)
{
	report_metrics(ctx, out, open);
}

static void metrics_are_labelled(void **)
{
	received(0, 30);
	workers[0].sums.worker.busy_cycles = 1500;
	report.sum.verdicts[PACKET_TRUNCATED] = 2;
	char *text = scrape_text(print, &report, true);
	assert_non_null(text);
	assert_non_null(strstr(text, "\nweir_sensor_packets_total 30\n"));
	assert_non_null(strstr(text, "\nweir_sensor_drops_total{reason=\"truncated\"} 2\n"));
	assert_non_null(strstr(
		text,
		"weir_sensor_worker_seconds_total{port=\"net_a0\",queue=\"0\",state=\"busy\"} 1.5"
	));
	assert_non_null(strstr(text, "\nweir_sensor_worker_up{port=\"net_a0\",queue=\"1\"} 1\n"));
	assert_non_null(strstr(text, "\nweir_sensor_residue -2\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(imbalance_is_the_busiest_over_the_mean, setup),
		cmocka_unit_test_setup(the_ledger_has_all_and_a_residue, setup),
		cmocka_unit_test_setup(metrics_are_labelled, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
