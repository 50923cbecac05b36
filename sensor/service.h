// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a running sensor is asked: the control socket ("ping", "ledger", "metrics"), /metrics over
// HTTP, and /weir/ledger and /weir/workers among DPDK's telemetry commands, each if configured.
// Thread: control.

#include "sensor/report.h"

struct service;

struct service_options {
	const char *control; // path of a socket, "": none
	const char *metrics; // "HOST:PORT", "": none
	bool telemetry;
	uint64_t begin_ns; // of the sensor, monotonic
	// Fills a report; what it points to stays as long as the service. Thread: any, also several
	// at the same time.
	void (*report)(void *ctx, struct report *ret_report);
	void *ctx;
};

// 0, or -errno, logged.
[[nodiscard]] int service_start(const struct service_options *o, struct service **ret_service);
void service_stop(struct service *s); // NULL is allowed
