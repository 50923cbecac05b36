// SPDX-License-Identifier: Apache-2.0
#pragma once

// `weir export`: stored flows as nfdump files, CSV or JSON lines.
// Thread: control.

// argv[0] is "export". The exit status.
int export_main(int argc, char **argv);
