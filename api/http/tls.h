// SPDX-License-Identifier: Apache-2.0
#pragma once

// The TLS side of the server: TLS 1.2 and 1.3 with forward secrecy and AEAD only, and a self-signed
// certificate for the first start.
// Thread: control; a context may be used by all.

#include <openssl/ssl.h>

#include <stdbool.h>
#include <stddef.h>

#define TLS_ERROR_LEN 512
#define TLS_FINGERPRINT_LEN 96 // "AB:CD:…" of 32 bytes

// Makes a P-256 key and a certificate for localhost, this host's name and the n addresses (as
// text). A key without its certificate, which a start that was cut short leaves, gets one; any
// other file that is there is left alone and means -EEXIST.
[[nodiscard]] int tls_self_sign(
	const char *cert,
	const char *key,
	const char *const *addrs,
	size_t n,
	char error[static TLS_ERROR_LEN]
);

// A server context with the certificate chain and key; offers h2 by ALPN if told so.
[[nodiscard]] int tls_context(
	const char *cert,
	const char *key,
	bool http2,
	SSL_CTX **ret_ctx,
	char error[static TLS_ERROR_LEN]
);

// The SHA-256 of the context's certificate as browsers show it; returns `text`.
const char *tls_fingerprint(SSL_CTX *ctx, char text[static TLS_FINGERPRINT_LEN]);
