// SPDX-License-Identifier: Apache-2.0
#pragma once

// Answers Prometheus and its like: GET /metrics over HTTP on an address of its own, in OpenMetrics
// 1.0 for those who ask for it, else in the older text format. A few connections at a time, each
// with a deadline. No TLS and no users: bind loopback or a management network.
// Thread: start, stop: control; print: the server's own.

#include <stdbool.h>
#include <stdio.h>

struct scrape;

// Writes all metrics, with lib/base/openmetrics.h.
typedef void scrape_print(void *ctx, FILE *out, bool open);

// Listens on "HOST:PORT". 0, or -errno: -EINVAL and -EHOSTUNREACH as endpoint_parse has them.
[[nodiscard]] int
scrape_start(const char *listen, scrape_print *print, void *ctx, struct scrape **ret_scrape);
void scrape_stop(struct scrape *s); // NULL is allowed

// The port it listens on: the one given, or chosen freely for 0.
unsigned scrape_port(const struct scrape *s);

// The whole as a string of the caller's to free, NULL without memory.
[[nodiscard]] char *scrape_text(scrape_print *print, void *ctx, bool open);
