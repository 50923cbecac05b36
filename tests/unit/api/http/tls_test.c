// SPDX-License-Identifier: Apache-2.0
#include "api/http/tls.h"
#include "tests/unit/api/http/tls_fixture.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static mode_t mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	return st.st_mode & 07777;
}

static X509 *read_cert(const char *path)
{
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	X509 *x = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	assert_non_null(x);
	return x;
}

static void the_key_is_its_owners_alone(void **state)
{
	struct tls_fixture *f = *state;
	mode_t mask = umask(0);
	tls_sign(f);
	umask(mask);
	assert_int_equal(mode_of(f->key), 0600);
	assert_int_equal(mode_of(f->cert), 0644);
}

static void the_certificate_is_for_this_host_and_the_addresses(void **state)
{
	struct tls_fixture *f = *state;
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	char host[256];
	tls_sign(f);
	X509 *x = read_cert(f->cert);
	assert_int_equal(X509_check_host(x, "localhost", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(x, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "::1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "192.0.2.7", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "2001:db8::7", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "192.0.2.8", 0), 0);
	assert_int_equal(X509_check_host(x, "example.net", 0, 0, NULL), 0);
	if (gethostname(host, sizeof(host)) == 0 && *host && !host[strspn(host, plain)])
		assert_int_equal(X509_check_host(x, host, 0, 0, NULL), 1);
	X509_free(x);
}

static void the_certificate_is_for_a_server_and_nothing_more(void **state)
{
	struct tls_fixture *f = *state;
	tls_sign(f);
	X509 *x = read_cert(f->cert);
	EVP_PKEY *pkey = X509_get0_pubkey(x);
	char group[32];
	int days, seconds;
	assert_int_equal(X509_verify(x, pkey), 1);
	assert_int_equal(X509_get_version(x), X509_VERSION_3);
	assert_int_equal(X509_check_ca(x), 0);
	assert_int_equal(X509_get_extension_flags(x) & EXFLAG_CA, 0);
	assert_int_equal(X509_get_extended_key_usage(x), XKU_SSL_SERVER);
	assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE);
	assert_int_equal(EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL), 1);
	assert_string_equal(group, "prime256v1");
	assert_true(X509_cmp_current_time(X509_get0_notBefore(x)) < 0);
	assert_true(X509_cmp_current_time(X509_get0_notAfter(x)) > 0);
	assert_int_equal(
		ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(x), X509_get0_notAfter(x)), 1
	);
	assert_int_equal(days, 825);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	assert_true(ASN1_STRING_length(serial) >= 8);	// not to be guessed
	assert_int_equal(serial->type, V_ASN1_INTEGER); // not a negative one
	X509_free(x);
}

static void two_certificates_are_never_alike(void **state)
{
	struct tls_fixture *f = *state;
	char first[TLS_FINGERPRINT_LEN], second[TLS_FINGERPRINT_LEN];
	tls_sign(f);
	tls_load(f, true);
	tls_fingerprint(f->server, first);
	X509 *x = read_cert(f->cert);
	unlink(f->cert);
	unlink(f->key);
	tls_sign(f);
	tls_load(f, true);
	tls_fingerprint(f->server, second);
	X509 *y = read_cert(f->cert);
	assert_string_not_equal(first, second);
	assert_int_not_equal(
		ASN1_INTEGER_cmp(X509_get0_serialNumber(x), X509_get0_serialNumber(y)), 0
	);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(x), X509_get0_pubkey(y)), 0);
	X509_free(x);
	X509_free(y);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void check_file(const char *path, const char *want)
{
	char text[64] = "";
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	(void)!fgets(text, sizeof(text), file);
	fclose(file);
	assert_string_equal(text, want);
}

static void what_is_there_is_left_alone(void **state)
{
	struct tls_fixture *f = *state;
	write_file(f->key, "a key");
	assert_int_equal(tls_self_sign(f->cert, f->key, NULL, 0, f->error), -EEXIST);
	assert_non_null(strstr(f->error, f->key));
	check_file(f->key, "a key");
	assert_int_equal(access(f->cert, F_OK), -1);
}

// A key without its certificate would be taken at the next start, and fit nothing.
static void a_certificate_that_is_there_leaves_no_key_behind(void **state)
{
	struct tls_fixture *f = *state;
	write_file(f->cert, "a certificate");
	assert_int_equal(tls_self_sign(f->cert, f->key, NULL, 0, f->error), -EEXIST);
	assert_non_null(strstr(f->error, f->cert));
	check_file(f->cert, "a certificate");
	assert_int_equal(access(f->key, F_OK), -1);
}

// A start that ended between the two.
static void a_key_that_is_there_gets_its_certificate(void **state)
{
	struct tls_fixture *f = *state;
	char first[TLS_FINGERPRINT_LEN], second[TLS_FINGERPRINT_LEN];
	tls_sign(f);
	tls_load(f, true);
	tls_fingerprint(f->server, first);
	X509 *x = read_cert(f->cert);
	unlink(f->cert);
	tls_sign(f);
	tls_load(f, true);
	tls_fingerprint(f->server, second);
	X509 *y = read_cert(f->cert);
	assert_string_not_equal(first, second);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(x), X509_get0_pubkey(y)), 1);
	X509_free(x);
	X509_free(y);
}

static void links_are_not_followed(void **state)
{
	struct tls_fixture *f = *state;
	char target[80];
	snprintf(target, sizeof(target), "%s/target", f->dir);
	assert_int_equal(symlink(target, f->key), 0);
	assert_int_equal(tls_self_sign(f->cert, f->key, NULL, 0, f->error), -EEXIST);
	assert_int_equal(access(target, F_OK), -1);
	unlink(f->key);
	assert_int_equal(symlink(target, f->cert), 0);
	assert_int_equal(tls_self_sign(f->cert, f->key, NULL, 0, f->error), -EEXIST);
	assert_int_equal(access(target, F_OK), -1);
}

static void a_folder_that_is_not_there_is_said_so(void **state)
{
	struct tls_fixture *f = *state;
	assert_int_equal(tls_self_sign(f->cert, "/no/such/key", NULL, 0, f->error), -ENOENT);
	assert_non_null(strstr(f->error, "/no/such/key"));
}

static void files_that_are_no_pair_are_refused_by_name(void **state)
{
	struct tls_fixture *f = *state;
	char other_cert[80], other_key[80], junk[80];
	SSL_CTX *ctx = NULL;
	snprintf(other_cert, sizeof(other_cert), "%s/cert2.pem", f->dir);
	snprintf(other_key, sizeof(other_key), "%s/key2.pem", f->dir);
	snprintf(junk, sizeof(junk), "%s/junk", f->dir);
	write_file(junk, "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n");
	assert_int_equal(tls_self_sign(other_cert, other_key, NULL, 0, f->error), 0);
	const char *const pairs[][3] = {
		{"/no/such/cert", f->key, "/no/such/cert"},
		{f->cert, "/no/such/key", "/no/such/key"},
		{f->cert, other_key, other_key},
		{other_cert, f->key, f->key},
		{junk, f->key, junk},
		{f->cert, junk, junk},
		{f->key, f->cert, f->key},
		{f->dir, f->key, f->dir}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		strcpy(f->error, "");
		assert_int_equal(
			tls_context(pairs[i][0], pairs[i][1], true, &ctx, f->error), -EINVAL
		);
		assert_non_null(strstr(f->error, pairs[i][2]));
		assert_null(ctx);
	}
	assert_int_equal(ERR_peek_error(), 0); // nothing left for a later fault to be blamed on
}

// The pass phrase is typed by nobody: neither is a terminal asked for it nor the standard input.
static void a_key_with_a_pass_phrase_is_refused_and_not_asked_for(void **state)
{
	struct tls_fixture *f = *state;
	int fds[2], status = -1;
	char locked[80];
	snprintf(locked, sizeof(locked), "%s/locked", f->dir);
	FILE *file = fopen(locked, "w");
	assert_non_null(file);
	assert_int_equal(
		PEM_write_PrivateKey(
			file,
			SSL_CTX_get0_privatekey(f->server),
			EVP_aes_128_cbc(),
			(const unsigned char *)"phrase",
			6,
			NULL,
			NULL
		),
		1
	);
	fclose(file);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "phrase\n", 7), 7);
	close(fds[1]);
	pid_t child = fork();
	if (child == 0) {
		SSL_CTX *ctx = NULL;
		setsid(); // away from any terminal
		dup2(fds[0], STDIN_FILENO);
		int null = open("/dev/null", O_WRONLY);
		dup2(null, STDERR_FILENO);
		_exit(tls_context(f->cert, locked, true, &ctx, f->error) == -EINVAL ? 0 : 1);
	}
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_fingerprint_is_as_browsers_show_it(void **state)
{
	struct tls_fixture *f = *state;
	char text[TLS_FINGERPRINT_LEN];
	unsigned char md[32];
	unsigned n;
	X509 *x = read_cert(f->cert);
	assert_ptr_equal(tls_fingerprint(f->server, text), text);
	assert_int_equal(strlen(text), 95);
	assert_int_equal(strspn(text, "0123456789ABCDEF:"), 95);
	assert_int_equal(X509_digest(x, EVP_sha256(), md, &n), 1);
	for (unsigned i = 0; i < 32; i++) {
		assert_int_equal(strtoul(text + 3 * i, NULL, 16), md[i]);
		assert_int_equal(text[3 * i + 2], i < 31 ? ':' : '\0');
	}
	X509_free(x);
	SSL_CTX *bare = SSL_CTX_new(TLS_server_method());
	assert_string_equal(tls_fingerprint(bare, text), "");
	SSL_CTX_free(bare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define EMPTY(name) cmocka_unit_test_setup_teardown(name, tls_set_up, tls_tear_down)
#define SIGNED(name) cmocka_unit_test_setup_teardown(name, tls_start, tls_tear_down)
		EMPTY(the_key_is_its_owners_alone),
		EMPTY(the_certificate_is_for_this_host_and_the_addresses),
		EMPTY(the_certificate_is_for_a_server_and_nothing_more),
		EMPTY(two_certificates_are_never_alike),
		EMPTY(what_is_there_is_left_alone),
		EMPTY(a_certificate_that_is_there_leaves_no_key_behind),
		EMPTY(a_key_that_is_there_gets_its_certificate),
		EMPTY(links_are_not_followed),
		EMPTY(a_folder_that_is_not_there_is_said_so),
		SIGNED(files_that_are_no_pair_are_refused_by_name),
		SIGNED(a_key_with_a_pass_phrase_is_refused_and_not_asked_for),
		SIGNED(a_fingerprint_is_as_browsers_show_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
