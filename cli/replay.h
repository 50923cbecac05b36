// SPDX-License-Identifier: Apache-2.0
#pragma once

// `weir replay`: stored flows to another collector, as IPFIX or NetFlow v9, at a chosen speed.
// Thread: control.

// argv[0] is "replay". The exit status.
int replay_main(int argc, char **argv);
