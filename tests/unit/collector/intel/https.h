// SPDX-License-Identifier: Apache-2.0
#pragma once

// A small HTTPS server on a free port of the loopback, with a certificate of its own for 127.0.0.1
// that is written to a file: one connection after the other, one request each.

#include "tests/unit/cmocka.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__
// What is not instrumented: the sanitizer sees the libraries' memory, but not their locks.
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:libcurl\n"
	       "called_from_lib:libssl\n"
	       "called_from_lib:libcrypto\n";
}
#endif

struct https {
	int fd;
	uint16_t port;
	SSL_CTX *ctx;
	pthread_t thread;
	_Atomic bool stop;
	_Atomic unsigned asked;
	// Writes the answer to a request (its head, NUL-terminated).
	void (*answer)(SSL *ssl, const char *request);
};

static inline X509 *https_certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME *name = X509_get_subject_name(x);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"test", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
	X509_add_ext(x, san, -1);
	X509_EXTENSION_free(san);
	X509_sign(x, key, EVP_sha256());
	return x;
}

static inline void https_serve(struct https *h, int fd)
{
	char request[4096];
	int n = 0, got = 1;
	SSL *ssl = SSL_new(h->ctx);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		request[0] = '\0';
		while (n < (int)sizeof(request) - 1 && got > 0 && !strstr(request, "\r\n\r\n")) {
			got = SSL_read(ssl, request + n, (int)sizeof(request) - 1 - n);
			n += got > 0 ? got : 0;
			request[n] = '\0';
		}
		if (got > 0) {
			atomic_fetch_add(&h->asked, 1);
			h->answer(ssl, request);
		}
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
}

static inline void *https_main(void *arg)
{
	struct https *h = arg;
	while (!atomic_load(&h->stop)) {
		struct pollfd p = {.fd = h->fd, .events = POLLIN};
		if (poll(&p, 1, 20) <= 0)
			continue;
		int fd = accept(h->fd, NULL, NULL);
		if (fd < 0)
			continue;
		https_serve(h, fd);
		close(fd);
	}
	return NULL;
}

static inline void
https_start(struct https *h, void (*answer)(SSL *ssl, const char *request), const char *ca_file)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	*h = (struct https){.answer = answer, .fd = socket(AF_INET, SOCK_STREAM, 0)};
	assert_int_equal(bind(h->fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(h->fd, 8), 0);
	assert_int_equal(getsockname(h->fd, (struct sockaddr *)&a, &len), 0);
	h->port = ntohs(a.sin_port);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = https_certificate(key);
	FILE *file = fopen(ca_file, "we");
	assert_non_null(file);
	PEM_write_X509(file, x);
	fclose(file);
	h->ctx = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate(h->ctx, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(h->ctx, key), 1);
	X509_free(x);
	EVP_PKEY_free(key);
	assert_int_equal(pthread_create(&h->thread, NULL, https_main, h), 0);
}

static inline void https_stop(struct https *h)
{
	atomic_store(&h->stop, true);
	pthread_join(h->thread, NULL);
	SSL_CTX_free(h->ctx);
	close(h->fd);
}
