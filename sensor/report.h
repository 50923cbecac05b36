// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sums of a sensor that runs, whole and by worker and port, and how they are told: the ledger
// as JSON, the metrics for Prometheus. Thread: any that may block.

#include "sensor/port.h"
#include "sensor/summary.h"

#include <stdio.h>

struct report_worker {
	const struct port *port;
	uint16_t queue;
	bool is_silent; // it did not answer in time: its sums are those it told before
	struct worker_sums sums;
};

struct report {
	struct summary sum;
	struct targets_counters targets;
	const struct config_list *to;
	uint64_t up_ns;
	uint64_t cycles_per_sec;
	unsigned n_ports, n_workers;
	const struct port *ports;
	struct port_traffic traffic[PORTS_MAX];
	struct report_worker *workers;
};

// {"counters": …, "drops": …, "residue": 0, "workers": […], "ports": […]}; NULL without memory.
[[nodiscard]] json_t *report_ledger(const struct report *r);

// A scrape_print of it.
void report_metrics(const struct report *r, FILE *out, bool open);

// How unevenly a port's queues are loaded: the busiest one's packets over the mean, at least 1; 0
// when there were none.
double report_imbalance(const struct report *r, unsigned port);
