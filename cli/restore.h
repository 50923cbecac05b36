// SPDX-License-Identifier: Apache-2.0
#pragma once

// weir restore: a folder that weir backup made becomes a store. Nothing that is there is replaced.
// Thread: main.

int restore_main(int argc, char **argv);
