// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/quic.h"

#define PACKETS_MAX 4 // in a datagram: one per encryption level
#define SAMPLE_AT 4   // bytes after the start of the packet number, RFC 9001 §5.4.2
#define SAMPLE_LEN 16

enum packet_type { // as version 1 numbers them; version 2 turns them by one
	PACKET_INITIAL,
	PACKET_0RTT,
	PACKET_HANDSHAKE,
	PACKET_RETRY,
};

enum frame_type {
	FRAME_PADDING = 0x00,
	FRAME_PING = 0x01,
	FRAME_ACK = 0x02,
	FRAME_ACK_ECN = 0x03,
	FRAME_CRYPTO = 0x06,
	FRAME_CONNECTION_CLOSE = 0x1c,
};

// What differs between the versions: RFC 9001 §5.2, RFC 9369 §3.3.
struct version {
	uint32_t number;
	uint8_t turn; // of the packet types
	uint8_t salt[20];
	const char *key, *iv, *hp;
};

static const struct version versions[] = {
	{QUIC_VERSION_1,
	 0,
	 {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
	  0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
	 "quic key",
	 "quic iv",
	 "quic hp"},
	{QUIC_VERSION_2,
	 1,
	 {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
	  0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
	 "quicv2 key",
	 "quicv2 iv",
	 "quicv2 hp"},
};

static const struct version *version_find(uint32_t number)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		if (versions[i].number == number)
			return &versions[i];
	}
	return NULL;
}

// RFC 9000 §16.
static uint64_t varint(struct buf *b)
{
	static const uint64_t mask[] = {0x3f, 0x3fff, 0x3fffffff, 0x3fffffffffffffff};
	unsigned log_len = buf_left(b) > 0 ? *b->p >> 6 : 0;
	return buf_uint(b, 1u << log_len) & mask[log_len];
}

static enum packet_type type_of(const struct version *v, uint8_t first)
{
	return (enum packet_type)(((first >> 4) - v->turn) & 3);
}

bool quic_is_initial(const uint8_t *p, size_t len)
{
	if (len < QUIC_DATAGRAM_MIN || (p[0] & 0xc0) != 0xc0)
		return false;
	struct buf b = buf_of(p + 1, 4);
	const struct version *v = version_find(buf_u32(&b));
	return v && type_of(v, p[0]) == PACKET_INITIAL && p[5] <= QUIC_CID_MAX;
}

bool quic_client_keys(uint32_t version, struct buf cid, struct quic_keys *ret_keys)
{
	uint8_t initial[CRYPT_HASH_LEN], client[CRYPT_HASH_LEN];
	const struct version *v = version_find(version);
	struct quic_keys *k = ret_keys;
	return v && crypt_extract(buf_of(v->salt, sizeof(v->salt)), cid, initial) &&
	       crypt_expand(initial, "client in", client, sizeof(client)) &&
	       crypt_expand(client, v->key, k->key, sizeof(k->key)) &&
	       crypt_expand(client, v->iv, k->iv, sizeof(k->iv)) &&
	       crypt_expand(client, v->hp, k->hp, sizeof(k->hp));
}

static bool skip_ack(struct buf *b, bool with_ecn)
{
	(void)varint(b); // largest acknowledged
	(void)varint(b); // delay
	uint64_t n_ranges = varint(b);
	(void)varint(b); // first range
	for (; n_ranges > 0 && !b->bad; n_ranges--) {
		(void)varint(b);
		(void)varint(b);
	}
	for (int i = 0; with_ecn && i < 3; i++)
		(void)varint(b);
	return !b->bad;
}

static bool skip_close(struct buf *b)
{
	(void)varint(b); // error
	(void)varint(b); // frame
	buf_skip(b, varint(b));
	return !b->bad;
}

static bool take_crypto(struct buf *b, struct assembly *a)
{
	uint64_t at = varint(b), n = varint(b);
	const uint8_t *p = buf_take(b, n);
	return p && assembly_add(a, at, p, n);
}

enum look quic_frames_parse(struct buf b, struct assembly *a)
{
	bool ok = true;
	while (ok && buf_left(&b) > 0) {
		switch (varint(&b)) {
		case FRAME_PADDING:
			while (buf_left(&b) > 0 && *b.p == FRAME_PADDING)
				b.p++;
			break;
		case FRAME_PING:
			break;
		case FRAME_ACK:
			ok = skip_ack(&b, false);
			break;
		case FRAME_ACK_ECN:
			ok = skip_ack(&b, true);
			break;
		case FRAME_CRYPTO:
			ok = take_crypto(&b, a);
			break;
		case FRAME_CONNECTION_CLOSE:
			ok = skip_close(&b);
			break;
		default:
			ok = false;
		}
	}
	return ok && !b.bad ? LOOK_MORE : LOOK_BAD;
}

// A packet with a long header in its datagram; RFC 9000 §17.2.
struct packet {
	enum packet_type type;
	struct buf cid;	    // destination
	struct buf head;    // up to the packet number
	struct buf payload; // from the packet number on
};

static bool packet_next(struct buf *b, uint32_t version, struct packet *p)
{
	struct buf whole = *b;
	uint8_t first = buf_u8(b);
	const struct version *v = version_find(buf_u32(b));

	if (!(first & 0x80) || !v || v->number != version)
		return false; // the end: a short header, or padding
	p->type = type_of(v, first);
	p->cid = buf_sub(b, buf_u8(b));
	buf_skip(b, buf_u8(b)); // source connection id
	if (p->type == PACKET_INITIAL)
		buf_skip(b, varint(b)); // token
	uint64_t len = varint(b);
	p->head = buf_of(whole.p, (size_t)(b->p - whole.p));
	p->payload = buf_sub(b, len);
	return !b->bad && p->type != PACKET_RETRY && buf_left(&p->cid) <= QUIC_CID_MAX;
}

// Takes the protection off the header (RFC 9001 §5.4) into the scratch memory; the length of the
// packet number, 0 when it cannot be.
static size_t open_head(
	const struct packet *p,
	const struct quic_keys *k,
	struct crypt *crypt,
	struct quic_scratch *s,
	uint8_t ret_iv[CRYPT_IV_LEN]
)
{
	uint8_t mask[16];
	size_t head_len = buf_left(&p->head);
	if (!crypt_block(crypt, k->hp, p->payload.p + SAMPLE_AT, mask))
		return 0;
	memcpy(s->head, p->head.p, head_len);
	s->head[0] ^= mask[0] & 0x0f;
	size_t n = (s->head[0] & 3) + 1u;
	// The nonce is the iv with the packet number in its low bytes. A client's first packets
	// have numbers so small that none of their bytes were left out.
	memcpy(ret_iv, k->iv, CRYPT_IV_LEN);
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = p->payload.p[i] ^ mask[1 + i];
		s->head[head_len + i] = byte;
		ret_iv[CRYPT_IV_LEN - n + i] ^= byte;
	}
	return n;
}

// The opened payload lies in the scratch memory; empty and bad when it cannot be opened.
static struct buf open_payload(
	const struct packet *p,
	const struct quic_keys *k,
	struct crypt *crypt,
	struct quic_scratch *s
)
{
	static const struct buf none = {.bad = true};
	uint8_t iv[CRYPT_IV_LEN];
	size_t head_len = buf_left(&p->head), len = buf_left(&p->payload);

	if (len < SAMPLE_AT + SAMPLE_LEN || head_len + SAMPLE_AT + len > QUIC_PACKET_MAX)
		return none;
	size_t n = open_head(p, k, crypt, s, iv);
	struct crypt_box box = {
		.key = k->key,
		.iv = iv,
		.head = buf_of(s->head, head_len + n),
		.sealed = buf_of(p->payload.p + n, len - n),
	};
	if (n == 0 || !crypt_open(crypt, &box, s->payload))
		return none;
	return buf_of(s->payload, len - n - CRYPT_TAG_LEN);
}

// Opens with the keys at hand, else with those of the packet's own connection id: the first time,
// and after a Retry (RFC 9001 §5.2), with which the hello begins anew.
static struct buf open_initial(
	const struct packet *p,
	struct crypt *crypt,
	struct quic_scratch *scratch,
	struct quic_client *client,
	struct assembly *a
)
{
	struct quic_keys keys;
	struct buf payload = {.bad = true};
	size_t cid_len = buf_left(&p->cid);

	if (client->has_keys)
		payload = open_payload(p, &client->keys, crypt, scratch);
	bool is_known = client->has_keys && client->cid_len == cid_len &&
			memcmp(client->cid, p->cid.p, cid_len) == 0;
	if (!payload.bad || is_known || !quic_client_keys(client->version, p->cid, &keys))
		return payload;
	payload = open_payload(p, &keys, crypt, scratch);
	if (payload.bad)
		return payload;
	client->has_keys = true;
	client->keys = keys;
	client->cid_len = (uint8_t)cid_len;
	memcpy(client->cid, p->cid.p, cid_len);
	assembly_init(a, a->data, a->max);
	return payload;
}

enum look quic_datagram_parse(
	struct buf datagram,
	struct crypt *crypt,
	struct quic_scratch *scratch,
	struct quic_client *client,
	struct assembly *a
)
{
	struct packet p;
	bool any = false;
	if (!client->has_keys) {
		struct buf b = datagram;
		buf_skip(&b, 1);
		client->version = buf_u32(&b);
	}
	for (int i = 0; i < PACKETS_MAX && packet_next(&datagram, client->version, &p); i++) {
		if (p.type != PACKET_INITIAL)
			continue;
		struct buf frames = open_initial(&p, crypt, scratch, client, a);
		if (frames.bad)
			continue;
		if (quic_frames_parse(frames, a) == LOOK_BAD)
			return LOOK_BAD;
		any = true;
	}
	return any ? LOOK_MORE : LOOK_BAD;
}
