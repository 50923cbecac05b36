// SPDX-License-Identifier: Apache-2.0
#include "sensor/export/tls.h"

#include "lib/base/log.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct tls {
	SSL_CTX *ctx;
	SSL *ssl; // NULL: no connection
	char host[256];
};

static int refuse(const char *what, const char *path)
{
	char words[256];
	ERR_error_string_n(ERR_peek_last_error(), words, sizeof(words));
	log_err("export over TLS: %s %s: %s", what, path, words);
	ERR_clear_error();
	return -EINVAL;
}

static int load(struct tls *t, const char *ca, const char *cert, const char *key)
{
	if (*ca && SSL_CTX_load_verify_locations(t->ctx, ca, NULL) != 1)
		return refuse("authorities", ca);
	if (!*ca && SSL_CTX_set_default_verify_paths(t->ctx) != 1)
		return refuse("authorities", "of the system");
	if (*cert && SSL_CTX_use_certificate_chain_file(t->ctx, cert) != 1)
		return refuse("certificate", cert);
	if (*cert && SSL_CTX_use_PrivateKey_file(t->ctx, *key ? key : cert, SSL_FILETYPE_PEM) != 1)
		return refuse("key", *key ? key : cert);
	return 0;
}

int tls_create(
	const char *host, const char *ca, const char *cert, const char *key, struct tls **ret_tls
)
{
	struct tls *t = calloc(1, sizeof(*t));
	if (!t || !(t->ctx = SSL_CTX_new(TLS_client_method()))) {
		free(t);
		return -ENOMEM;
	}
	snprintf(t->host, sizeof(t->host), "%s", host);
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(t->ctx, SSL_MODE_AUTO_RETRY);
	int ret = load(t, ca, cert, key);
	if (ret < 0) {
		tls_free(t);
		return ret;
	}
	*ret_tls = t;
	return 0;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	free(t);
}

static int set_host(const struct tls *t)
{
	unsigned char address[16];
	X509_VERIFY_PARAM *check = SSL_get0_param(t->ssl);
	bool is_address = inet_pton(AF_INET, t->host, address) == 1 ||
			  inet_pton(AF_INET6, t->host, address) == 1;
	if (is_address)
		return X509_VERIFY_PARAM_set1_ip_asc(check, t->host);
	return SSL_set1_host(t->ssl, t->host) && SSL_set_tlsext_host_name(t->ssl, t->host);
}

static int error_of(const struct tls *t, int ret)
{
	int error = errno;
	int kind = SSL_get_error(t->ssl, ret);
	ERR_clear_error();
	long verdict = SSL_get_verify_result(t->ssl);
	if (verdict != X509_V_OK) {
		log_err("export over TLS: the certificate of %s is refused: %s",
			t->host,
			X509_verify_cert_error_string(verdict));
		return -EACCES;
	}
	if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
		return -ETIMEDOUT;
	if (kind == SSL_ERROR_SYSCALL)
		return error == EAGAIN ? -ETIMEDOUT : -EPIPE;
	return -EPROTO;
}

int tls_connect(struct tls *t, int fd)
{
	SSL_free(t->ssl);
	t->ssl = SSL_new(t->ctx);
	if (!t->ssl)
		return -ENOMEM;
	if (!set_host(t) || !SSL_set_fd(t->ssl, fd))
		return -EINVAL;
	errno = 0;
	int ret = SSL_connect(t->ssl);
	return ret == 1 ? 0 : error_of(t, ret);
}

int tls_send(struct tls *t, const void *p, size_t len)
{
	size_t done;
	errno = 0;
	int ret = SSL_write_ex(t->ssl, p, len, &done); // whole, or not at all
	return ret == 1 ? 0 : error_of(t, ret);
}

void tls_close(struct tls *t, bool wait)
{
	char scrap[1024];
	if (!t->ssl)
		return;
	if (wait && SSL_shutdown(t->ssl) >= 0) {
		shutdown(SSL_get_fd(t->ssl), SHUT_WR);
		// Bytes that were never read would turn the end into a reset.
		for (int i = 0; i < 64 && recv(SSL_get_fd(t->ssl), scrap, sizeof(scrap), 0) > 0;
		     i++)
			;
	}
	ERR_clear_error();
	SSL_free(t->ssl);
	t->ssl = NULL;
}
