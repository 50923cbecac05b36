// SPDX-License-Identifier: Apache-2.0
#pragma once

// weir flows, top, series, kpi: questions to the store, beside a running collector or without one,
// by the code that answers the API. Thread: control.

// argv[0] is the command's name. The exit status.
int query_main(int argc, char **argv);
