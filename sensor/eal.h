// SPDX-License-Identifier: Apache-2.0
#pragma once

// DPDK's environment layer, started with arguments of our own making: hugepages when there are
// enough, else plain memory; no PCI bus unless ports ask for it; nothing left behind in the file
// system and nothing shared, so that any number of sensors run side by side, root or not. What the
// user gives after "--" comes last and wins.
// Thread: control, once per process.

#include "sensor/config.h"

// `rest` are the user's EAL arguments, NULL at the end. Worker lcores are 1..n_workers unless the
// user says otherwise. 0, or -errno, logged.
[[nodiscard]] int eal_start(const struct sensor_config *c, unsigned n_workers, char **rest);
void eal_stop(void);
