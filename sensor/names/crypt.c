// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/crypt.h"

// The one way to hash that takes no memory is from before OpenSSL 3: EVP_DigestInit_ex2 makes a new
// state for each message, also in a context that has one.
#define OPENSSL_API_COMPAT 10100
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <errno.h>
#include <stdlib.h>

// The ciphers are fetched once: EVP_aes_128_gcm() and the like are looked up anew, with locks, each
// time they are used.
struct crypt {
	EVP_CIPHER *aes_ecb, *aes_gcm;
	EVP_CIPHER_CTX *block, *gcm;
};

void crypt_free(struct crypt *c)
{
	if (!c)
		return;
	EVP_CIPHER_CTX_free(c->block);
	EVP_CIPHER_CTX_free(c->gcm);
	EVP_CIPHER_free(c->aes_ecb);
	EVP_CIPHER_free(c->aes_gcm);
	free(c);
}

static int prepare(struct crypt *c)
{
	c->block = EVP_CIPHER_CTX_new();
	c->gcm = EVP_CIPHER_CTX_new();
	if (!c->block || !c->gcm)
		return -ENOMEM;
	c->aes_ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	c->aes_gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	if (!c->aes_ecb || !c->aes_gcm)
		return -ENOTSUP;
	// The first use of a context takes its memory: here rather than at the first packet.
	static const uint8_t zeros[CRYPT_KEY_LEN];
	bool ok = EVP_EncryptInit_ex2(c->block, c->aes_ecb, zeros, NULL, NULL) &&
		  EVP_CIPHER_CTX_set_padding(c->block, 0) &&
		  EVP_DecryptInit_ex2(c->gcm, c->aes_gcm, zeros, zeros, NULL);
	return ok ? 0 : -ENOTSUP;
}

int crypt_create(struct crypt **ret_crypt)
{
	struct crypt *c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	int ret = prepare(c);
	if (ret < 0) {
		crypt_free(c);
		return ret;
	}
	*ret_crypt = c;
	return 0;
}

bool crypt_sha256(struct buf data, uint8_t ret[CRYPT_HASH_LEN])
{
	SHA256_CTX hash;
	return SHA256_Init(&hash) && SHA256_Update(&hash, data.p, buf_left(&data)) &&
	       SHA256_Final(ret, &hash);
}

// HMAC (RFC 2104) of a key no longer than a block.
static bool hmac(struct buf key, struct buf data, uint8_t ret[CRYPT_HASH_LEN])
{
	uint8_t inner[SHA256_CBLOCK], outer[SHA256_CBLOCK], digest[CRYPT_HASH_LEN];
	size_t n = buf_left(&key);
	SHA256_CTX hash;
	for (size_t i = 0; i < SHA256_CBLOCK; i++) {
		uint8_t k = i < n ? key.p[i] : 0;
		inner[i] = k ^ 0x36;
		outer[i] = k ^ 0x5c;
	}
	return SHA256_Init(&hash) && SHA256_Update(&hash, inner, sizeof(inner)) &&
	       SHA256_Update(&hash, data.p, buf_left(&data)) && SHA256_Final(digest, &hash) &&
	       SHA256_Init(&hash) && SHA256_Update(&hash, outer, sizeof(outer)) &&
	       SHA256_Update(&hash, digest, sizeof(digest)) && SHA256_Final(ret, &hash);
}

bool crypt_extract(struct buf salt, struct buf secret, uint8_t ret[CRYPT_HASH_LEN])
{
	return hmac(salt, secret, ret);
}

bool crypt_expand(const uint8_t secret[CRYPT_HASH_LEN], const char *label, uint8_t *ret, size_t n)
{
	uint8_t info[64], block[CRYPT_HASH_LEN];
	struct wbuf w = wbuf_of(info, sizeof(info));
	size_t label_len = strlen(label);

	wbuf_u16(&w, (uint16_t)n);
	wbuf_u8(&w, (uint8_t)(6 + label_len));
	wbuf_bytes(&w, "tls13 ", 6);
	wbuf_bytes(&w, label, label_len);
	wbuf_u8(&w, 0); // no context
	wbuf_u8(&w, 1); // the first block of output is enough
	if (w.full || n > sizeof(block))
		return false;
	if (!hmac(buf_of(secret, CRYPT_HASH_LEN), buf_of(info, wbuf_len(&w)), block))
		return false;
	memcpy(ret, block, n);
	return true;
}

bool crypt_block(
	struct crypt *c, const uint8_t key[CRYPT_KEY_LEN], const uint8_t in[16], uint8_t ret[16]
)
{
	int n = 0;
	return EVP_EncryptInit_ex2(c->block, NULL, key, NULL, NULL) &&
	       EVP_EncryptUpdate(c->block, ret, &n, in, 16) && n == 16;
}

bool crypt_open(struct crypt *c, const struct crypt_box *box, uint8_t *ret)
{
	size_t head_len = buf_left(&box->head), len = buf_left(&box->sealed);
	uint8_t tag[CRYPT_TAG_LEN];
	int n = 0;

	if (len < CRYPT_TAG_LEN || len > INT32_MAX || head_len > INT32_MAX)
		return false;
	len -= CRYPT_TAG_LEN;
	memcpy(tag, box->sealed.p + len, sizeof(tag)); // OpenSSL wants it writable
	return EVP_DecryptInit_ex2(c->gcm, NULL, box->key, box->iv, NULL) &&
	       EVP_CIPHER_CTX_ctrl(c->gcm, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) &&
	       EVP_DecryptUpdate(c->gcm, NULL, &n, box->head.p, (int)head_len) &&
	       EVP_DecryptUpdate(c->gcm, ret, &n, box->sealed.p, (int)len) &&
	       EVP_DecryptFinal_ex(c->gcm, ret + len, &n);
}
