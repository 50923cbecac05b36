// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the programs' settings in weir.yaml ask of the machine.
// Thread: control.

#include "collector/config.h"
#include "lib/doctor/doctor.h"
#include "sensor/config.h"

// The settings, and the needs that refer to them.
struct needs {
	struct sensor_config sensor;
	struct collector_config collector;
	struct doctor_needs doctor;
};

// Reads the file, or takes the defaults when it is NULL. CONFIG_RUN, or the exit status with words
// on standard error. To be released by needs_fini either way.
[[nodiscard]] int needs_init(struct needs *n, const char *file);
void needs_fini(struct needs *n);
