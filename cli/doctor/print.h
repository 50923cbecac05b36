// SPDX-License-Identifier: Apache-2.0
#pragma once

// The doctor's findings and the network cards on standard output: for people with the commands
// below what they mend, as one JSON object, or as CSV of the findings. Thread: control.

#include "cli/output.h"
#include "lib/doctor/doctor.h"

// `settings` is the file they were read from; NULL: the defaults.
void doctor_print(const struct doctor *d, const char *settings, enum output_format format);
