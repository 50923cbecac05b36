// SPDX-License-Identifier: Apache-2.0
#pragma once

// TLS 1.2 or later over a connected socket, as a client that checks its peer's certificate (RFC
// 7011 §11.1). The socket's time limits bound every call. Thread: exporter.

#include <stdbool.h>
#include <stddef.h>

struct tls;

// `host`: the name or address that the certificate must have. PEM files, "": none. 0, -ENOMEM,
// -EINVAL (files that cannot be used, logged).
[[nodiscard]] int tls_create(
	const char *host, const char *ca, const char *cert, const char *key, struct tls **ret_tls
);
void tls_free(struct tls *t); // NULL is allowed

// Both sides' hellos; 0, or -EPROTO, -EACCES (a certificate was refused) or -ETIMEDOUT.
[[nodiscard]] int tls_connect(struct tls *t, int fd);

// All of the bytes; 0, or -EPIPE or -ETIMEDOUT.
[[nodiscard]] int tls_send(struct tls *t, const void *p, size_t len);

// Says goodbye and, if asked to, waits for the peer's, so that nothing that was sent is lost.
void tls_close(struct tls *t, bool wait);
