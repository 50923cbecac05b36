// SPDX-License-Identifier: Apache-2.0
#pragma once

// Listening sockets, made before the event loops start.
// Thread: control.

#include "lib/base/endpoint.h"

#include <stdbool.h>

#define LISTEN_MAX 16

struct listener {
	int fd;
	bool tls;
	char text[ENDPOINT_TEXT_LEN]; // as bound: with the port the kernel chose
};

// Opens what a "[https|http]:HOST:PORT" says. 0, or -errno.
[[nodiscard]] int listen_open(const char *spec, struct listener *ret_listener);
