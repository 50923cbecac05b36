// SPDX-License-Identifier: Apache-2.0
#pragma once

// The commands of weir-gen. Each takes its own words (argv[0] is the command's name) and returns
// the exit status.
// Thread: main.

int gen_capture(int argc, char **argv);
int gen_export(int argc, char **argv);
