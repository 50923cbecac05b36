// SPDX-License-Identifier: Apache-2.0
#pragma once

// `weir doctor [-c FILE] [-o table|json|csv]`: whether this machine has what the settings ask for,
// and the commands that mend what is missing.
// Thread: control.

// argv[0] is "doctor". The exit status: 0 when there are at most warnings, 1 with any error, 2
// usage, 78 bad settings.
int doctor_main(int argc, char **argv);
