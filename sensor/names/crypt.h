// SPDX-License-Identifier: Apache-2.0
#pragma once

// The cryptography that reading names takes: SHA-256 for JA4, and for QUIC HKDF (RFC 5869),
// AES-128 on one block and AES-128-GCM. The only file of the sensor that knows OpenSSL. Everything
// is made at the start; no call after that takes memory.
// Thread: one worker each; create, free: control.

#include "lib/base/buf.h"

#define CRYPT_HASH_LEN 32
#define CRYPT_KEY_LEN 16
#define CRYPT_IV_LEN 12
#define CRYPT_TAG_LEN 16

struct crypt;

// 0, -ENOMEM, or -ENOTSUP when OpenSSL was built or configured without the algorithms.
[[nodiscard]] int crypt_create(struct crypt **ret_crypt);
void crypt_free(struct crypt *c);

// What fails below fails inside OpenSSL; the output is undefined then.
[[nodiscard]] bool crypt_sha256(struct buf data, uint8_t ret[CRYPT_HASH_LEN]);

// HKDF-Extract, and HKDF-Expand-Label of TLS 1.3 (RFC 8446 §7.1) with an empty context, n of at
// most 32 bytes.
[[nodiscard]] bool crypt_extract(struct buf salt, struct buf secret, uint8_t ret[CRYPT_HASH_LEN]);
[[nodiscard]] bool
crypt_expand(const uint8_t secret[CRYPT_HASH_LEN], const char *label, uint8_t *ret, size_t n);

// AES-128 of one block.
[[nodiscard]] bool crypt_block(
	struct crypt *c, const uint8_t key[CRYPT_KEY_LEN], const uint8_t in[16], uint8_t ret[16]
);

struct crypt_box {
	const uint8_t *key, *iv;
	struct buf head;   // authenticated only
	struct buf sealed; // with its tag at the end
};

// AES-128-GCM: the sealed bytes without the tag to `ret`; false also when they were not sealed so.
[[nodiscard]] bool crypt_open(struct crypt *c, const struct crypt_box *box, uint8_t *ret);
