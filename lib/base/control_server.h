// SPDX-License-Identifier: Apache-2.0
#pragma once

// The control socket, served: how other programs ask a running one to change or tell something. The
// wire form is in lib/base/control.h. Who may connect is decided by the socket's file mode (0660).
// Thread: control (one for accepting, one per connection, few at most).

#include <jansson.h>

#include <stddef.h>

struct control;

// Answers one command: the result (given to the caller), or NULL with the reason in `error`.
typedef json_t *control_handler(void *ctx, json_t *args, char error[static 256]);

// For handlers: the reason in `error`, and NULL to return.
json_t *control_fail(char error[static 256], const char *what);

struct control_command {
	const char *name;
	control_handler *handler;
	const char *text;
};

// Serves `commands` (ended by a NULL name) on a Unix socket at `path`, replacing a socket nobody
// listens on. 0, or -errno; -EBUSY when another process answers there.
[[nodiscard]] int control_start(
	const char *path,
	const struct control_command *commands,
	void *ctx,
	struct control **ret_control
);

// Ends the connections and removes the socket.
void control_stop(struct control *c);
