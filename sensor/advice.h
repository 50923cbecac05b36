// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the sensor's settings ask of the machine, in the doctor's terms; and the doctor's words when
// DPDK does not start, which says little itself.
// Thread: control.

#include "lib/doctor/doctor.h"
#include "sensor/config.h"

// Bytes of hugepages for the settings.
uint64_t sensor_hugepage_len(const struct sensor_config *c);

// Lists and strings stay those of the settings. Fields that are not the sensor's are left alone.
void sensor_needs(const struct sensor_config *c, struct doctor_needs *needs);

// Logs what is amiss on this machine and the commands that mend it. `rest` are the user's EAL
// arguments, NULL at the end.
void sensor_advise(const struct sensor_config *c, char **rest);
