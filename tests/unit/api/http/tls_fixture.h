// SPDX-License-Identifier: Apache-2.0
#pragma once

// A throw-away folder with a self-signed certificate, for the tests of TLS.

#include "api/http/tls.h"
#include "tests/unit/collector/store/rows.h"

struct tls_fixture {
	char dir[64], cert[80], key[80];
	char error[TLS_ERROR_LEN];
	SSL_CTX *server, *client;
};

static inline int tls_set_up(void **state)
{
	struct tls_fixture *f = calloc(1, sizeof(*f));
	rows_dir(f->dir);
	snprintf(f->cert, sizeof(f->cert), "%s/cert.pem", f->dir);
	snprintf(f->key, sizeof(f->key), "%s/key.pem", f->dir);
	*state = f;
	return 0;
}

static inline int tls_tear_down(void **state)
{
	struct tls_fixture *f = *state;
	SSL_CTX_free(f->server);
	SSL_CTX_free(f->client);
	rows_dir_remove(f->dir);
	free(f);
	return 0;
}

static inline void tls_sign(struct tls_fixture *f)
{
	static const char *const addrs[] = {"192.0.2.7", "2001:db8::7", "127.0.0.1"};
	if (tls_self_sign(f->cert, f->key, addrs, 3, f->error) < 0)
		fail_msg("%s", f->error);
}

static inline void tls_load(struct tls_fixture *f, bool http2)
{
	SSL_CTX_free(f->server);
	if (tls_context(f->cert, f->key, http2, &f->server, f->error) < 0)
		fail_msg("%s", f->error);
}

static inline int tls_start(void **state)
{
	tls_set_up(state);
	tls_sign(*state);
	tls_load(*state, true);
	return 0;
}
