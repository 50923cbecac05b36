// SPDX-License-Identifier: Apache-2.0
#pragma once

// weir doctor --store: what of a store can be read, and what is lost.
// Thread: main.

#include "cli/output.h"

#include <stdbool.h>

// The exit status: 0 all can be read, 1 something cannot.
int doctor_store(const char *dir, bool repair, enum output_format format);
