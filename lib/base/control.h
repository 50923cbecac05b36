// SPDX-License-Identifier: Apache-2.0
#pragma once

// The control socket of the collector or a sensor, seen from its clients: a Unix stream on which
// one line of JSON asks {"cmd": "user.add", "args": {…}} and one line answers {"ok": true,
// "result": …} or
// {"ok": false, "error": "…"}. Served by lib/base/control_server.c.
// Thread: any that may block.

#include <jansson.h>

#define CONTROL_LINE_MAX (1 << 20)
#define CONTROL_TIMEOUT_SEC 10

// Asks and waits for the answer. `args` may be NULL and stays the caller's. 0 with the result in
// *ret_result (the caller's), or -errno; -EREMOTEIO when the collector refused. On any failure the
// words for the user are in `error`.
[[nodiscard]] int control_call(
	const char *path, const char *cmd, json_t *args, json_t **ret_result, char error[static 256]
);
