// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/tls.h"

#define CONTENT_HANDSHAKE 22
#define HANDSHAKE_CLIENT_HELLO 1
#define MESSAGE_HEADER_LEN 4
#define RECORD_MAX 16384    // RFC 8446 §5.1
#define SESSION_ID_MAX 32   // RFC 5246 §7.4.1.2
#define DTLS_SEQUENCE_LEN 8 // epoch and number of a record
#define NAME_TYPE_HOST 0    // RFC 6066 §3
#define ECH_OUTER 0

// A vector with its length in front, of so many bytes (RFC 8446 §3.4).
static struct buf vector(struct buf *b, size_t len_size)
{
	struct buf v = buf_sub(b, (size_t)buf_uint(b, len_size));
	v.bad |= b->bad;
	return v;
}

// RFC 6066 §3. Of the types of names only host_name was ever defined.
static bool take_server_name(struct buf body, struct tls_hello *h)
{
	h->has_server_name = true;
	if (buf_left(&body) == 0)
		return true;
	struct buf list = vector(&body, 2);
	if (list.bad || buf_left(&body) > 0)
		return false;
	while (buf_left(&list) > 0) {
		uint8_t type = buf_u8(&list);
		struct buf name = vector(&list, 2);
		if (name.bad)
			return false;
		if (type == NAME_TYPE_HOST && buf_left(&h->server_name) == 0)
			h->server_name = name;
	}
	return true;
}

// RFC 7301 §3.1.
static bool take_alpn(struct buf body, struct tls_hello *h)
{
	struct buf list = vector(&body, 2);
	if (list.bad || buf_left(&body) > 0)
		return false;
	for (bool first = true; buf_left(&list) > 0; first = false) {
		struct buf value = vector(&list, 1);
		if (value.bad)
			return false;
		if (first)
			h->alpn = value;
	}
	return true;
}

// RFC 8446 §4.2.1. The highest number, as JA4 takes it, also of DTLS, where higher is older.
static bool take_versions(struct buf body, struct tls_hello *h)
{
	struct buf list = vector(&body, 1);
	uint16_t highest = 0;
	if (list.bad || buf_left(&body) > 0 || buf_left(&list) % 2)
		return false;
	while (buf_left(&list) > 0) {
		uint16_t v = buf_u16(&list);
		if (!tls_is_grease(v) && v > highest)
			highest = v;
	}
	h->version = highest;
	return true;
}

// RFC 8446 §4.2.3.
static bool take_signature_algorithms(struct buf body, struct tls_hello *h)
{
	struct buf list = vector(&body, 2);
	h->signature_algorithms = list;
	return !list.bad && buf_left(&body) == 0 && buf_left(&list) % 2 == 0;
}

static bool take_extension(uint16_t type, struct buf body, struct tls_hello *h)
{
	switch (type) {
	case TLS_EXT_SERVER_NAME:
		return take_server_name(body, h);
	case TLS_EXT_ALPN:
		return take_alpn(body, h);
	case TLS_EXT_SUPPORTED_VERSIONS:
		return take_versions(body, h);
	case TLS_EXT_SIGNATURE_ALGORITHMS:
		return take_signature_algorithms(body, h);
	case TLS_EXT_ECH:
		h->has_ech = buf_u8(&body) == ECH_OUTER && !body.bad;
		return true;
	default:
		return true;
	}
}

// Of an extension that is there twice (RFC 8446 §4.2 forbids it) a server could follow the one and
// we the other.
static bool is_repeated(uint16_t type, uint64_t *seen)
{
	uint64_t bit = type < 63 ? 1ull << type : type == TLS_EXT_ECH ? 1ull << 63 : 0;
	bool repeated = *seen & bit;
	*seen |= bit;
	return repeated;
}

static bool take_extensions(struct buf b, struct tls_hello *h)
{
	uint64_t seen = 0;
	h->extensions = b;
	while (buf_left(&b) > 0) {
		uint16_t type = buf_u16(&b);
		struct buf body = vector(&b, 2);
		if (body.bad || is_repeated(type, &seen) || !take_extension(type, body, h))
			return false;
	}
	return true;
}

// The hello without its header; RFC 8446 §4.1.2, RFC 6347 §4.2.1. Before extensions came, it could
// end without.
static enum look hello_parse(struct buf b, bool is_dtls, struct tls_hello *h)
{
	*h = (struct tls_hello){.version = buf_u16(&b)};
	buf_skip(&b, 32); // random
	uint8_t session_len = buf_u8(&b);
	buf_skip(&b, session_len);
	if (is_dtls)
		buf_skip(&b, buf_u8(&b)); // cookie
	h->ciphers = vector(&b, 2);
	uint8_t n_compressions = buf_u8(&b);
	buf_skip(&b, n_compressions);
	size_t n_ciphers = buf_left(&h->ciphers);
	if (b.bad || session_len > SESSION_ID_MAX || n_ciphers == 0 || n_ciphers % 2 ||
	    n_compressions == 0)
		return LOOK_BAD;
	if (buf_left(&b) == 0)
		return LOOK_FOUND;
	struct buf extensions = vector(&b, 2);
	if (extensions.bad || buf_left(&b) > 0 || !take_extensions(extensions, h))
		return LOOK_BAD;
	return LOOK_FOUND;
}

// The length of a message with its header; LOOK_MORE while it is not known yet.
static enum look message_len(const uint8_t *p, size_t len, size_t max, size_t *ret_len)
{
	*ret_len = 0;
	if (len > 0 && p[0] != HANDSHAKE_CLIENT_HELLO)
		return LOOK_NOTHING;
	if (len < MESSAGE_HEADER_LEN)
		return LOOK_MORE;
	*ret_len = MESSAGE_HEADER_LEN + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
	return *ret_len > max ? LOOK_TOO_LONG : LOOK_FOUND;
}

static enum look message_parse(struct buf b, size_t max, bool is_dtls, struct tls_hello *ret_hello)
{
	size_t len, left = buf_left(&b);
	enum look look = message_len(b.p, left, max, &len);
	if (look != LOOK_FOUND)
		return look;
	if (left < len)
		return LOOK_MORE;
	return hello_parse(
		buf_of(b.p + MESSAGE_HEADER_LEN, len - MESSAGE_HEADER_LEN), is_dtls, ret_hello
	);
}

enum look tls_message_parse(const uint8_t *p, size_t len, size_t max, struct tls_hello *ret_hello)
{
	return message_parse(buf_of(p, len), max, false, ret_hello);
}

// The header of a record, of which only a part may be there; its bytes are taken when it is whole.
static enum look record_len(struct buf *b, size_t *ret_len)
{
	size_t left = buf_left(b);
	if ((left > 0 && b->p[0] != CONTENT_HANDSHAKE) || (left > 1 && b->p[1] != 3) ||
	    (left > 2 && b->p[2] > 4))
		return LOOK_NOTHING;
	if (left < TLS_RECORD_HEADER_LEN)
		return LOOK_MORE;
	buf_skip(b, 3);
	*ret_len = buf_u16(b);
	return *ret_len == 0 || *ret_len > RECORD_MAX ? LOOK_BAD : LOOK_FOUND;
}

static size_t part_of(const struct buf *stream, size_t record)
{
	return record < buf_left(stream) ? record : buf_left(stream);
}

// Puts the records together whose contents are one hello.
static enum look parse_records(
	struct buf stream, size_t max, struct tls_scratch *scratch, struct tls_hello *ret_hello
)
{
	struct wbuf message = wbuf_of(scratch->message, sizeof(scratch->message));
	for (;;) {
		size_t len = 0;
		enum look look = record_len(&stream, &len);
		if (look == LOOK_NOTHING)
			return LOOK_BAD; // another kind of record within the message
		if (look != LOOK_FOUND)
			return look;
		size_t part = part_of(&stream, len), room = wbuf_left(&message);
		wbuf_bytes(&message, buf_take(&stream, part), part < room ? part : room);
		look = tls_message_parse(scratch->message, wbuf_len(&message), max, ret_hello);
		if (look != LOOK_MORE || part < len)
			return look;
	}
}

enum look tls_stream_parse(
	struct buf stream, size_t max, struct tls_scratch *scratch, struct tls_hello *ret_hello
)
{
	struct buf first = stream;
	size_t len = 0, need = 0;
	enum look look = record_len(&first, &len);
	if (look != LOOK_FOUND)
		return look;
	max = max < sizeof(scratch->message) ? max : sizeof(scratch->message);
	look = message_len(first.p, part_of(&first, len), max, &need);
	// Nearly every hello is in one record, and is read where it lies.
	if (look == LOOK_FOUND && len >= need)
		return tls_message_parse(first.p, part_of(&first, len), max, ret_hello);
	if (look != LOOK_FOUND && look != LOOK_MORE)
		return look;
	return parse_records(stream, max, scratch, ret_hello);
}

// One handshake message of a record to its place in the assembly; RFC 6347 §4.2.2.
static enum look add_fragment(struct buf *record, struct assembly *a, uint16_t *sequence)
{
	uint8_t head[MESSAGE_HEADER_LEN];
	const uint8_t *p = buf_take(record, sizeof(head));
	uint16_t number = buf_u16(record);
	size_t at = (size_t)buf_uint(record, 3), n = (size_t)buf_uint(record, 3);
	const uint8_t *part = buf_take(record, n);

	if (record->bad || !p || !part)
		return LOOK_BAD;
	memcpy(head, p, sizeof(head));
	if (head[0] != HANDSHAKE_CLIENT_HELLO)
		return LOOK_NOTHING;
	if (at + n > ((size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3]))
		return LOOK_BAD;
	// After a HelloVerifyRequest the client begins anew, with a cookie.
	if (a->n > 0 && (number != *sequence || memcmp(a->data, head, sizeof(head)) != 0))
		assembly_init(a, a->data, a->max);
	*sequence = number;
	if (!assembly_add(a, 0, head, sizeof(head)) ||
	    !assembly_add(a, MESSAGE_HEADER_LEN + at, part, n))
		return LOOK_BAD;
	return LOOK_MORE;
}

enum look dtls_datagram_parse(
	struct buf datagram, struct assembly *a, uint16_t *sequence, struct tls_hello *ret_hello
)
{
	while (dtls_is_record(datagram.p, buf_left(&datagram))) {
		buf_skip(&datagram, 3 + DTLS_SEQUENCE_LEN);
		struct buf record = buf_sub(&datagram, buf_u16(&datagram));
		while (buf_left(&record) > 0) {
			enum look look = add_fragment(&record, a, sequence);
			if (look != LOOK_MORE)
				return look;
		}
		if (record.bad)
			return LOOK_BAD;
	}
	return message_parse(buf_of(a->data, assembly_ready(a)), a->max, true, ret_hello);
}
