// SPDX-License-Identifier: Apache-2.0
#pragma once

// ClientHellos for the tests: by OpenSSL, as it really sends them, and written field by field, so
// that any of them can be wrong.

#include "lib/base/buf.h"
#include "tests/unit/cmocka.h"

#include <openssl/ssl.h>

#include <stdlib.h>

#define HELLO_MAX 16384

// Hexadecimal digits to bytes; anything else between them is passed over.
static inline size_t bytes_of_hex(const char *hex, uint8_t *to)
{
	size_t n = 0;
	for (int high = -1; *hex; hex++) {
		int digit = *hex >= '0' && *hex <= '9'	 ? *hex - '0'
			    : *hex >= 'a' && *hex <= 'f' ? *hex - 'a' + 10
							 : -1;
		if (digit < 0)
			continue;
		if (high >= 0)
			to[n++] = (uint8_t)(high << 4 | digit);
		high = high < 0 ? digit : -1;
	}
	return n;
}

struct openssl_hello {
	const SSL_METHOD *method;
	int version; // the highest offered
	const char *name;
	const char *alpn; // each value with its length in front
	unsigned mtu;	  // of DTLS
};

// The client's first flight, records and all; the number of bytes.
static inline size_t openssl_hello(const struct openssl_hello *o, uint8_t *to, size_t room)
{
	SSL_CTX *ctx = SSL_CTX_new(o->method);
	SSL *ssl = SSL_new(ctx);
	assert_non_null(ssl);
	assert_int_equal(SSL_set_max_proto_version(ssl, o->version), 1);
	if (o->name)
		assert_int_equal(SSL_set_tlsext_host_name(ssl, o->name), 1);
	if (o->alpn) {
		const uint8_t *alpn = (const uint8_t *)o->alpn;
		assert_int_equal(SSL_set_alpn_protos(ssl, alpn, (unsigned)strlen(o->alpn)), 0);
	}
	if (o->mtu) {
		SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
		SSL_set_mtu(ssl, o->mtu);
	}
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	assert_int_equal(SSL_connect(ssl), -1);
	int n = BIO_read(SSL_get_wbio(ssl), to, (int)room);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	assert_true(n > 0);
	return (size_t)n;
}

// A hello written by hand. Lists are in wire order.
struct written_hello {
	uint16_t version;
	const uint16_t *ciphers;
	size_t n_ciphers;
	const uint8_t *extensions; // type, length, value of each
	size_t extensions_len;
	bool has_extensions;
	bool has_cookie; // DTLS
};

static inline size_t open_len(struct wbuf *w, size_t n)
{
	wbuf_uint(w, 0, n);
	return wbuf_len(w);
}

static inline void close_len(struct wbuf *w, size_t at)
{
	wbuf_put_u16(w, at - 2, (uint16_t)(wbuf_len(w) - at));
}

// The handshake message.
static inline void put_hello(struct wbuf *w, const struct written_hello *h)
{
	wbuf_u8(w, 1);
	size_t message = open_len(w, 3);
	wbuf_u16(w, h->version);
	for (int i = 0; i < 32; i++)
		wbuf_u8(w, (uint8_t)i);
	wbuf_u8(w, 0); // session id
	if (h->has_cookie)
		wbuf_bytes(w, "\4cook", 5);
	wbuf_u16(w, (uint16_t)(2 * h->n_ciphers));
	for (size_t i = 0; i < h->n_ciphers; i++)
		wbuf_u16(w, h->ciphers[i]);
	wbuf_u16(w, 0x0100); // compression: none
	if (h->has_extensions) {
		wbuf_u16(w, (uint16_t)h->extensions_len);
		wbuf_bytes(w, h->extensions, h->extensions_len);
	}
	close_len(w, message);
	assert_false(w->full);
}

static inline void put_record(struct wbuf *w, const uint8_t *p, size_t n)
{
	wbuf_u8(w, 22);
	wbuf_u16(w, 0x0301);
	wbuf_u16(w, (uint16_t)n);
	wbuf_bytes(w, p, n);
}

static inline void put_extension(struct wbuf *w, uint16_t type, const void *p, size_t n)
{
	wbuf_u16(w, type);
	wbuf_u16(w, (uint16_t)n);
	wbuf_bytes(w, p, n);
}

static inline void put_server_name(struct wbuf *w, const char *name, size_t n)
{
	wbuf_u16(w, 0);
	wbuf_u16(w, (uint16_t)(n + 5));
	wbuf_u16(w, (uint16_t)(n + 3));
	wbuf_u8(w, 0);
	wbuf_u16(w, (uint16_t)n);
	wbuf_bytes(w, name, n);
}

static inline void put_alpn(struct wbuf *w, const char *first, size_t n)
{
	wbuf_u16(w, 16);
	wbuf_u16(w, (uint16_t)(n + 3));
	wbuf_u16(w, (uint16_t)(n + 1));
	wbuf_u8(w, (uint8_t)n);
	wbuf_bytes(w, first, n);
}

// A copy of exactly that size, so that the sanitizers see each byte too far.
static inline uint8_t *exact_copy(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	assert_non_null(copy);
	memcpy(copy, p, n);
	return copy;
}
