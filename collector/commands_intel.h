// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the control socket can ask of feeds, single indicators, the allow-list and hunts: handlers
// for the table in commands.c.
// Thread: control; several at once.

#include "lib/base/control_server.h"

control_handler cmd_intel_status;
control_handler cmd_feeds_list;
control_handler cmd_feeds_add;
control_handler cmd_feeds_remove;
control_handler cmd_feeds_refresh;
control_handler cmd_allow_list;
control_handler cmd_allow_add;
control_handler cmd_allow_remove;
control_handler cmd_indicators_list;
control_handler cmd_indicators_add;
control_handler cmd_indicators_remove;
control_handler cmd_hits_list;
control_handler cmd_hunts_list;
control_handler cmd_hunts_start;
control_handler cmd_hunts_cancel;
