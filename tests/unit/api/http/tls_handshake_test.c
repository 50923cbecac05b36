// SPDX-License-Identifier: Apache-2.0

// What can be agreed on with a context of ours, tried out in memory.

#include "tests/unit/api/http/tls_fixture.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define ANY_CIPHER "ALL:COMPLEMENTOFALL:@SECLEVEL=0"

// A client that takes anything.
static SSL_CTX *lax_client(struct tls_fixture *f)
{
	SSL_CTX_free(f->client);
	f->client = SSL_CTX_new(TLS_client_method());
	assert_non_null(f->client);
	assert_int_equal(SSL_CTX_set_min_proto_version(f->client, TLS1_VERSION), 1);
	assert_int_equal(SSL_CTX_set_cipher_list(f->client, ANY_CIPHER), 1);
	return f->client;
}

struct session {
	SSL *client, *server;
};

// Shakes hands in memory; false: it came to nothing.
static bool shake(struct tls_fixture *f, struct session *s)
{
	BIO *a, *b;
	int ret = 0;
	*s = (struct session){SSL_new(f->client), SSL_new(f->server)};
	assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(s->client, a, a);
	SSL_set_bio(s->server, b, b);
	SSL_set_connect_state(s->client);
	SSL_set_accept_state(s->server);
	for (int i = 0; i < 20 && ret == 0; i++) {
		int c = SSL_do_handshake(s->client), v = SSL_do_handshake(s->server);
		if (c == 1 && v == 1)
			ret = 1;
		else if ((c < 1 && SSL_get_error(s->client, c) != SSL_ERROR_WANT_READ) || (v < 1 && SSL_get_error(s->server, v) != SSL_ERROR_WANT_READ))
			ret = -1;
	}
	ERR_clear_error();
	return ret == 1;
}

static void hang_up(struct session *s)
{
	SSL_free(s->client);
	SSL_free(s->server);
}

static void only_tls_1_2_and_1_3_are_spoken(void **state)
{
	struct tls_fixture *f = *state;
	static const struct {
		int version;
		bool want;
	} cases[] = {
		{TLS1_VERSION, false},
		{TLS1_1_VERSION, false},
		{TLS1_2_VERSION, true},
		{TLS1_3_VERSION, true}};
	assert_int_equal(SSL_CTX_get_min_proto_version(f->server), TLS1_2_VERSION);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct session s;
		SSL_CTX_set_max_proto_version(lax_client(f), cases[i].version);
		// even if a distribution allows less on the whole
		SSL_CTX_set_security_level(f->server, 0);
		assert_int_equal(shake(f, &s), cases[i].want);
		if (cases[i].want)
			assert_int_equal(SSL_version(s.client), cases[i].version);
		hang_up(&s);
	}
}

// Tries the suites of TLS 1.2 one by one; how many were agreed on.
static unsigned try_suites(struct tls_fixture *f)
{
	SSL_CTX *all = SSL_CTX_new(TLS_client_method());
	unsigned n_agreed = 0, n_tried = 0;
	assert_int_equal(SSL_CTX_set_cipher_list(all, ANY_CIPHER), 1);
	STACK_OF(SSL_CIPHER) *suites = SSL_CTX_get_ciphers(all);
	SSL_CTX_set_security_level(f->server, 0);
	for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++) {
		const SSL_CIPHER *suite = sk_SSL_CIPHER_value(suites, i);
		char only[80];
		struct session s;
		snprintf(only, sizeof(only), "%s:@SECLEVEL=0", SSL_CIPHER_get_name(suite));
		SSL_CTX_set_max_proto_version(lax_client(f), TLS1_2_VERSION);
		if (!strncmp(only, "TLS_", 4) || SSL_CTX_set_cipher_list(f->client, only) != 1)
			continue; // those of 1.3
		n_tried++;
		if (shake(f, &s)) {
			const SSL_CIPHER *agreed = SSL_get_current_cipher(s.client);
			n_agreed++;
			if (!SSL_CIPHER_is_aead(agreed) ||
			    SSL_CIPHER_get_kx_nid(agreed) != NID_kx_ecdhe ||
			    SSL_CIPHER_get_bits(agreed, NULL) < 128)
				fail_msg("agreed on %s", SSL_CIPHER_get_name(agreed));
		}
		hang_up(&s);
	}
	SSL_CTX_free(all);
	assert_true(n_tried > 50);
	return n_agreed;
}

static void only_suites_with_aead_and_forward_secrecy_are_agreed_on(void **state)
{
	assert_int_equal(try_suites(*state), 3); // GCM of two sizes, ChaCha20
}

// With an RSA key the suites without forward secrecy would be possible too.
static void the_same_holds_for_an_rsa_certificate(void **state)
{
	struct tls_fixture *f = *state;
	EVP_PKEY *rsa = EVP_RSA_gen(2048);
	X509 *x = X509_new();
	X509_set_version(x, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(x), -10);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, rsa);
	assert_int_not_equal(X509_sign(x, rsa, EVP_sha256()), 0);
	FILE *cert = fopen(f->cert, "w"), *key = fopen(f->key, "w");
	assert_true(cert && key);
	assert_int_equal(PEM_write_X509(cert, x), 1);
	assert_int_equal(PEM_write_PrivateKey(key, rsa, NULL, NULL, 0, NULL, NULL), 1);
	fclose(cert);
	fclose(key);
	tls_load(f, true);
	assert_int_equal(try_suites(f), 3);
	X509_free(x);
	EVP_PKEY_free(rsa);
}

static void tls_1_3_is_what_a_modern_client_gets(void **state)
{
	struct tls_fixture *f = *state;
	struct session s;
	f->client = SSL_CTX_new(TLS_client_method());
	X509_STORE_load_file(SSL_CTX_get_cert_store(f->client), f->cert);
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(f->client), X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(f->client), "192.0.2.7");
	SSL_CTX_set_verify(f->client, SSL_VERIFY_PEER, NULL);
	assert_true(shake(f, &s));
	assert_int_equal(SSL_version(s.client), TLS1_3_VERSION);
	assert_true(SSL_CIPHER_is_aead(SSL_get_current_cipher(s.client)));
	assert_int_equal(SSL_get_verify_result(s.client), X509_V_OK);
	hang_up(&s);
	X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(f->client), "192.0.2.8");
	assert_false(shake(f, &s)); // another's address
	hang_up(&s);
}

static void nobody_negotiates_anew_within_a_session(void **state)
{
	struct tls_fixture *f = *state;
	struct session s;
	SSL_CTX_set_max_proto_version(lax_client(f), TLS1_2_VERSION);
	assert_true(shake(f, &s));
	assert_null(SSL_get_current_compression(s.client));
	assert_int_equal(SSL_renegotiate(s.client), 1);
	(void)SSL_do_handshake(s.client);
	char byte;
	(void)SSL_read(s.server, &byte, 1);
	(void)SSL_do_handshake(s.client);
	assert_int_equal(SSL_num_renegotiations(s.server), 0);
	assert_int_not_equal(SSL_renegotiate_pending(s.client), 0); // and waits for ever
	hang_up(&s);
	ERR_clear_error();
}

static void check_protocol(struct tls_fixture *f, const char *offer, const char *want)
{
	const unsigned char *got;
	unsigned len;
	struct session s;
	assert_int_equal(
		SSL_CTX_set_alpn_protos(
			lax_client(f), (const unsigned char *)offer, (unsigned)strlen(offer)
		),
		0
	);
	assert_true(shake(f, &s));
	SSL_get0_alpn_selected(s.client, &got, &len);
	assert_int_equal(len, strlen(want));
	assert_true(len == 0 || memcmp(got, want, len) == 0);
	hang_up(&s);
}

static void http2_is_offered_first_unless_it_is_switched_off(void **state)
{
	struct tls_fixture *f = *state;
	check_protocol(f, "\x02h2\x08http/1.1", "h2");
	check_protocol(f, "\x08http/1.1\x02h2", "h2"); // our order counts
	check_protocol(f, "\x08http/1.1", "http/1.1");
	check_protocol(f, "\x02h3\x08http/1.0", "");
	check_protocol(f, "", "");
	tls_load(f, false);
	check_protocol(f, "\x02h2\x08http/1.1", "http/1.1");
	check_protocol(f, "\x02h2", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define EMPTY(name) cmocka_unit_test_setup_teardown(name, tls_set_up, tls_tear_down)
#define SIGNED(name) cmocka_unit_test_setup_teardown(name, tls_start, tls_tear_down)
		SIGNED(only_tls_1_2_and_1_3_are_spoken),
		SIGNED(only_suites_with_aead_and_forward_secrecy_are_agreed_on),
		EMPTY(the_same_holds_for_an_rsa_certificate),
		SIGNED(tls_1_3_is_what_a_modern_client_gets),
		SIGNED(nobody_negotiates_anew_within_a_session),
		SIGNED(http2_is_offered_first_unless_it_is_switched_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
