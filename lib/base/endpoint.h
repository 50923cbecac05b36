// SPDX-License-Identifier: Apache-2.0
#pragma once

// "[KIND:]HOST:PORT" as it stands on command lines and in the configuration: "udp:0.0.0.0:2055",
// "tcp:[::1]:4739", "https:127.0.0.1:8443". HOST is an address or a name (resolved once).
// Thread: control (name lookup may block).

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#define ENDPOINT_TEXT_LEN 64

struct endpoint {
	int kind; // index into the kinds given to endpoint_parse
	socklen_t len;
	struct sockaddr_storage sa;
};

// `kinds` ends with NULL; kinds[0] is meant when the text names none. 0, or -EINVAL (form, kind,
// port) or -EHOSTUNREACH (name not found).
[[nodiscard]] int
endpoint_parse(const char *text, const char *const *kinds, struct endpoint *ret_endpoint);

// "192.0.2.1:2055" or "[2001:db8::1]:2055"; returns `text`.
const char *endpoint_format(const struct sockaddr *sa, char text[static ENDPOINT_TEXT_LEN]);

// The port of an AF_INET or AF_INET6 socket address, in host order.
unsigned endpoint_port(const struct sockaddr *sa);

void endpoint_set_port(struct sockaddr *sa, unsigned port);
