// SPDX-License-Identifier: Apache-2.0
#pragma once

// QUIC Initial packets, protected as RFC 9001 §5 says, of any payload.

#include "sensor/names/quic.h"

#include <openssl/evp.h>

#include <stdlib.h>

struct seal {
	uint32_t version;
	struct quic_keys keys;
	const uint8_t *cid;
	uint8_t cid_len;
	uint8_t scid_len; // of zeros
	uint16_t token_len;
	uint32_t number;     // of the packet
	uint8_t number_len;  // 1 to 4
	size_t datagram_len; // the payload is padded to it
};

static inline void seal_varint(struct wbuf *w, uint64_t v, size_t n)
{
	static const uint8_t top[] = {[1] = 0, [2] = 0x40, [4] = 0x80, [8] = 0xc0};
	wbuf_u8(w, (uint8_t)(v >> (8 * (n - 1)) | top[n]));
	if (n > 1)
		wbuf_uint(w, v, n - 1);
}

static inline void seal_crypto(struct wbuf *w, const uint8_t *hello, size_t at, size_t n)
{
	wbuf_u8(w, 6);
	seal_varint(w, at, 2);
	seal_varint(w, n, 2);
	wbuf_bytes(w, hello + at, n);
}

static inline void
seal_encrypt(const struct quic_keys *k, const uint8_t iv[12], struct buf head, uint8_t *p, size_t n)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;
	if (!ctx || !EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, k->key, iv) ||
	    !EVP_EncryptUpdate(ctx, NULL, &len, head.p, (int)buf_left(&head)) ||
	    !EVP_EncryptUpdate(ctx, p, &len, p, (int)n) || !EVP_EncryptFinal_ex(ctx, p + n, &len) ||
	    !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, p + n))
		abort();
	EVP_CIPHER_CTX_free(ctx);
}

static inline void seal_mask(const struct quic_keys *k, const uint8_t *sample, uint8_t mask[32])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;
	if (!ctx || !EVP_EncryptInit_ex(ctx, EVP_aes_128_ecb(), NULL, k->hp, NULL) ||
	    !EVP_EncryptUpdate(ctx, mask, &len, sample, 16))
		abort();
	EVP_CIPHER_CTX_free(ctx);
}

// Appends the packet; its payload is the frames and padding.
static inline void seal_initial(struct wbuf *w, const struct seal *s, const void *frames, size_t n)
{
	uint8_t *first = w->p, iv[12], mask[32];
	uint8_t type = s->version == QUIC_VERSION_2 ? 0xd0 : 0xc0;
	wbuf_u8(w, (uint8_t)(type | (s->number_len - 1)));
	wbuf_u32(w, s->version);
	wbuf_u8(w, s->cid_len);
	wbuf_bytes(w, s->cid, s->cid_len);
	wbuf_u8(w, s->scid_len);
	for (unsigned i = 0; i < s->scid_len; i++)
		wbuf_u8(w, 0);
	seal_varint(w, s->token_len, 2);
	for (unsigned i = 0; i < s->token_len; i++)
		wbuf_u8(w, 't');
	size_t head = (size_t)(w->p - first) + 2 + s->number_len + 16;
	size_t len = s->datagram_len > head + n ? s->datagram_len - head : n;
	seal_varint(w, s->number_len + len + 16, 2);
	uint8_t *number = w->p;
	wbuf_uint(w, s->number, s->number_len);
	uint8_t *payload = wbuf_take(w, len + 16);
	if (!payload)
		abort();
	memset(payload, 0, len);
	memcpy(payload, frames, n);
	memcpy(iv, s->keys.iv, sizeof(iv));
	for (unsigned i = 0; i < 4; i++)
		iv[8 + i] ^= (uint8_t)(s->number >> (24 - 8 * i));
	seal_encrypt(&s->keys, iv, buf_of(first, (size_t)(payload - first)), payload, len);
	seal_mask(&s->keys, number + 4, mask);
	*first ^= mask[0] & 0x0f;
	for (unsigned i = 0; i < s->number_len; i++)
		number[i] ^= mask[1 + i];
}
