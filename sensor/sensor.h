// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sensor as a whole: what is started in which order, and stopped in the reverse.
// Thread: control.

#include "sensor/summary.h"

struct sensor;

// Starts everything for the settings; `rest` are the user's EAL arguments, NULL at the end. 0, or
// -errno, logged.
[[nodiscard]] int
sensor_start(const struct sensor_config *c, char **rest, struct sensor **ret_sensor);

// Reads the files of indicators again, beside everything else.
void sensor_reload(struct sensor *s);

// True once no worker has anything more to read.
bool sensor_ended(struct sensor *s);

// Whether every worker has gone on since the last call. A replay may wait for its exporter.
bool sensor_goes_on(struct sensor *s);

// Flushes and exports every flow, stops everything. 0, or -errno (logged) when the run was not what
// was asked for. The sums are filled either way.
[[nodiscard]] int sensor_stop(struct sensor *s, struct summary *ret_summary);
