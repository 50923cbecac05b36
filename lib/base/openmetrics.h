// SPDX-License-Identifier: Apache-2.0
#pragma once

// The two text formats of Prometheus: OpenMetrics 1.0, and the older 0.0.4 for who does not ask for
// it. Metrics are printed the same but for what is here.
// Thread: any.

#include <stdbool.h>
#include <stdio.h>

// Whether an Accept header, NULL for none, asks for OpenMetrics.
bool openmetrics_is_wanted(const char *accept);

const char *openmetrics_content_type(bool open);

// A metric's head; `type`: "counter", "gauge", "histogram". OpenMetrics names the family of a
// counter without the "_total" of its samples.
void openmetrics_head(FILE *out, bool open, const char *name, const char *type, const char *help);

// After the last metric.
void openmetrics_end(FILE *out, bool open);
