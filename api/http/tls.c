// SPDX-License-Identifier: Apache-2.0
#include "api/http/tls.h"

#include "lib/base/addr.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAYS 825 // the longest that some clients take of a certificate

static int fail(int ret, char error[static TLS_ERROR_LEN], const char *what)
{
	char reason[160] = "";
	unsigned long code = ERR_get_error();
	if (code)
		ERR_error_string_n(code, reason, sizeof(reason));
	else if (ret < 0)
		snprintf(reason, sizeof(reason), "%s", strerror(-ret));
	snprintf(error, TLS_ERROR_LEN, "%s: %s", what, reason);
	ERR_clear_error();
	return ret;
}

static int add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	int ok = e && X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	return ok ? 0 : -EIO;
}

static void add_name(char *names, size_t size, const char *kind, const char *name)
{
	size_t n = strlen(names);
	snprintf(names + n, size - n, "%s%s:%s", n ? "," : "", kind, name);
}

static int add_names(X509 *x, const char *const *addrs, size_t n)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	char names[2048] = "", host[256] = "";
	add_name(names, sizeof(names), "DNS", "localhost");
	if (gethostname(host, sizeof(host) - 1) == 0 && *host && !host[strspn(host, plain)] &&
	    strcmp(host, "localhost") != 0)
		add_name(names, sizeof(names), "DNS", host);
	add_name(names, sizeof(names), "IP", "127.0.0.1");
	add_name(names, sizeof(names), "IP", "::1");
	for (size_t i = 0; i < n && i < 16; i++)
		if (strcmp(addrs[i], "127.0.0.1") != 0 && strcmp(addrs[i], "::1") != 0)
			add_name(names, sizeof(names), "IP", addrs[i]);
	return add_extension(x, NID_subject_alt_name, names);
}

static X509 *make_cert(EVP_PKEY *pkey, const char *const *addrs, size_t n)
{
	unsigned char serial[16];
	X509 *x = X509_new();
	BIGNUM *number = NULL;
	X509_NAME *name = x ? X509_get_subject_name(x) : NULL;
	bool ok = name && RAND_bytes(serial, sizeof(serial)) == 1;

	serial[0] &= 0x7f; // a positive number
	ok = ok && (number = BN_bin2bn(serial, sizeof(serial), NULL)) &&
	     BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) && X509_set_version(x, 2) &&
	     X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
	     X509_time_adj_ex(X509_getm_notAfter(x), DAYS, 0, NULL) &&
	     X509_NAME_add_entry_by_txt(
		     name, "CN", MBSTRING_ASC, (const unsigned char *)"weir-api", -1, -1, 0
	     ) &&
	     X509_set_issuer_name(x, name) && X509_set_pubkey(x, pkey) &&
	     add_names(x, addrs, n) == 0 &&
	     add_extension(x, NID_basic_constraints, "critical,CA:FALSE") == 0 &&
	     add_extension(x, NID_key_usage, "critical,digitalSignature") == 0 &&
	     add_extension(x, NID_ext_key_usage, "serverAuth") == 0 &&
	     X509_sign(x, pkey, EVP_sha256());
	BN_free(number);
	if (!ok) {
		X509_free(x);
		x = NULL;
	}
	return x;
}

// A key that is locked with a pass phrase is refused: nobody is there to be asked for it.
static int no_pass_phrase(char *, int, int, void *)
{
	return -1;
}

static int write_file(int fd, EVP_PKEY *pkey, X509 *x)
{
	FILE *f = fdopen(fd, "w");
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	int ok = pkey ? PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL)
		      : PEM_write_X509(f, x);
	if (fflush(f) != 0 || fsync(fd) < 0)
		ok = 0;
	if (fclose(f) != 0)
		ok = 0;
	return ok ? 0 : -EIO;
}

// Written aside and linked into place: there is never half a file of that name, and never another
// in its place.
static int write_pem(const char *path, mode_t mode, EVP_PKEY *pkey, X509 *x)
{
	char aside[PATH_MAX];
	if (snprintf(aside, sizeof(aside), "%s.XXXXXX", path) >= (int)sizeof(aside))
		return -ENAMETOOLONG;
	int fd = mkostemp(aside, O_CLOEXEC); // mode 0600
	if (fd < 0)
		return -errno;
	int ret = fchmod(fd, mode) < 0 ? -errno : 0;
	if (ret < 0)
		close(fd);
	else
		ret = write_file(fd, pkey, x);
	if (ret == 0 && link(aside, path) < 0)
		ret = -errno;
	unlink(aside);
	return ret;
}

// The key of a start that did not come as far as its certificate; *ret_key NULL: there is none.
static int read_key(const char *path, EVP_PKEY **ret_key)
{
	*ret_key = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno == ELOOP ? -EEXIST : -errno;
	FILE *f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	*ret_key = PEM_read_PrivateKey(f, NULL, no_pass_phrase, NULL);
	fclose(f);
	ERR_clear_error();
	return *ret_key ? 0 : -EEXIST; // whatever that is, it is not ours to replace
}

int tls_self_sign(
	const char *cert,
	const char *key,
	const char *const *addrs,
	size_t n,
	char error[static TLS_ERROR_LEN]
)
{
	EVP_PKEY *pkey;
	int ret = read_key(key, &pkey);
	if (ret < 0)
		return fail(ret, error, key);
	bool is_new = !pkey;
	if (is_new)
		pkey = EVP_EC_gen("P-256");
	X509 *x = pkey ? make_cert(pkey, addrs, n) : NULL;

	if (!x) {
		ret = fail(-EIO, error, "make a certificate");
	} else if (is_new && (ret = write_pem(key, 0600, pkey, NULL)) < 0) {
		ret = fail(ret, error, key);
	} else if ((ret = write_pem(cert, 0644, NULL, x)) < 0) {
		if (is_new)
			unlink(key); // it fits no certificate
		ret = fail(ret, error, cert);
	}
	X509_free(x);
	EVP_PKEY_free(pkey);
	return ret;
}

// RFC 7301: our order decides. Without h2 the first entry is left out.
static int select_protocol(
	SSL *ssl,
	const unsigned char **out,
	unsigned char *out_len,
	const unsigned char *in,
	unsigned in_len,
	void *arg
)
{
	static const unsigned char ours[] = "\x02h2\x08http/1.1";
	size_t skip = arg ? 0 : 3;
	unsigned char *chosen;
	(void)ssl;
	int ret = SSL_select_next_proto(
		&chosen, out_len, ours + skip, (unsigned)(sizeof(ours) - 1 - skip), in, in_len
	);
	if (ret != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

int tls_context(
	const char *cert,
	const char *key,
	bool http2,
	SSL_CTX **ret_ctx,
	char error[static TLS_ERROR_LEN]
)
{
	static bool offer_http2 = true;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx)
		return fail(-ENOMEM, error, "TLS");
	SSL_CTX_set_options(
		ctx,
		SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
			SSL_OP_PRIORITIZE_CHACHA
	);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_default_passwd_cb(ctx, no_pass_phrase);
	SSL_CTX_set_alpn_select_cb(ctx, select_protocol, http2 ? &offer_http2 : NULL);
	const char *at = "TLS settings";
	bool ok = SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
		  SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
		  SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"weir", 4) == 1;
	if (ok) {
		at = cert;
		ok = SSL_CTX_use_certificate_chain_file(ctx, cert) == 1;
	}
	if (ok) {
		at = key;
		ok = SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
		     SSL_CTX_check_private_key(ctx) == 1;
	}
	if (!ok) {
		SSL_CTX_free(ctx);
		return fail(-EINVAL, error, at);
	}
	*ret_ctx = ctx;
	return 0;
}

const char *tls_fingerprint(SSL_CTX *ctx, char text[static TLS_FINGERPRINT_LEN])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	const X509 *x = SSL_CTX_get0_certificate(ctx);
	text[0] = '\0';
	if (!x || !X509_digest(x, EVP_sha256(), md, &n))
		return text;
	for (unsigned i = 0; i < n && i < 32; i++)
		snprintf(text + 3 * i, 4, "%02X%s", md[i], i + 1 < n ? ":" : "");
	return text;
}
