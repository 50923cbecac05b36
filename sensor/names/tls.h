// SPDX-License-Identifier: Apache-2.0
#pragma once

// The ClientHello of TLS (RFC 8446 §4.1.2 and before) out of a TCP stream, a DTLS datagram
// (RFC 6347, RFC 9147) or the bytes of QUIC's CRYPTO frames. Every length is checked against what
// holds it, known or not; a hello that a server would refuse for its form is LOOK_BAD.
// Thread: worker.

#include "lib/base/buf.h"
#include "sensor/names/assembly.h"
#include "sensor/names/look.h"

#define TLS_MESSAGE_MAX 16384 // of a ClientHello: real ones have 200 to 2,500 bytes
#define TLS_RECORD_HEADER_LEN 5

#define TLS_EXT_SERVER_NAME 0
#define TLS_EXT_SIGNATURE_ALGORITHMS 13
#define TLS_EXT_ALPN 16
#define TLS_EXT_SUPPORTED_VERSIONS 43
#define TLS_EXT_ECH 0xfe0d

// What a ClientHello offers. The cursors point into the bytes it was read from.
struct tls_hello {
	uint16_t version;     // the highest of supported_versions, else of the hello itself
	bool has_server_name; // the extension, even an empty one
	// An outer hello (RFC 9849): its server name is not the one meant. Or a browser's GREASE,
	// which cannot be told from one.
	bool has_ech;
	struct buf server_name; // as sent; empty: none
	struct buf alpn;	// the first value; empty: none
	struct buf ciphers;	// 16-bit numbers, GREASE included
	struct buf extensions;	// type, length and value of each, lengths known to be right
	struct buf signature_algorithms; // 16-bit numbers
};

// Memory of a worker, for a hello that is spread over records.
struct tls_scratch {
	uint8_t message[TLS_MESSAGE_MAX];
};

// Values reserved so that servers do not choke on new ones (RFC 8701).
static inline bool tls_is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

// True when the first bytes, at least six, can only be a ClientHello in a TLS record.
static inline bool tls_is_record(const uint8_t *p, size_t len)
{
	return len >= 6 && p[0] == 22 && p[1] == 3 && p[2] <= 4 && p[5] == 1;
}

// A handshake message from its header on.
enum look tls_message_parse(const uint8_t *p, size_t len, size_t max, struct tls_hello *ret_hello);

// A TCP stream from its first byte on; messages of more than max bytes are not waited for.
enum look tls_stream_parse(
	struct buf stream, size_t max, struct tls_scratch *scratch, struct tls_hello *ret_hello
);

// True when the first bytes are those of a DTLS record with a handshake message, in epoch 0.
static inline bool dtls_is_record(const uint8_t *p, size_t len)
{
	return len >= 25 && p[0] == 22 && p[1] == 0xfe && p[2] >= 0xfd && !p[3] && !p[4];
}

// Adds the ClientHello fragments of a datagram to `a`, where they become a message with a header
// like TLS's. *sequence is the number of the message that `a` holds: a later one replaces it.
enum look dtls_datagram_parse(
	struct buf datagram, struct assembly *a, uint16_t *sequence, struct tls_hello *ret_hello
);
