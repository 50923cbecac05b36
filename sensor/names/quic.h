// SPDX-License-Identifier: Apache-2.0
#pragma once

// The ClientHello in the Initial packets of a QUIC client, version 1 (RFC 9000, RFC 9001) and 2
// (RFC 9369). Initials are encrypted with keys that come from a connection id in the packet itself:
// anyone on the path can read them, and what does not decrypt is no Initial of a client. Browsers
// spread the hello over several packets and shuffle its pieces.
// Thread: worker.

#include "sensor/names/crypt.h"
#include "sensor/names/tls.h"

#define QUIC_CID_MAX 20	       // RFC 9000 §17.2
#define QUIC_DATAGRAM_MIN 1200 // of a client's Initials, RFC 9000 §14.1
#define QUIC_PACKET_MAX 4096   // header and payload; paths carry 1,200 to 1,500 bytes
#define QUIC_VERSION_1 0x00000001u
#define QUIC_VERSION_2 0x6b3343cfu

struct quic_keys {
	uint8_t key[CRYPT_KEY_LEN], iv[CRYPT_IV_LEN], hp[CRYPT_KEY_LEN];
};

// What is kept of a connection between its Initials. All 0: nothing yet.
struct quic_client {
	uint32_t version;
	bool has_keys;
	uint8_t cid_len;
	uint8_t cid[QUIC_CID_MAX]; // that the keys are from
	struct quic_keys keys;
};

// Memory of a worker.
struct quic_scratch {
	uint8_t head[QUIC_PACKET_MAX];
	uint8_t payload[QUIC_PACKET_MAX];
};

// True when the first bytes are those of an Initial and the datagram is as long as a client's.
bool quic_is_initial(const uint8_t *p, size_t len);

// The keys of a client for its first destination connection id; false when OpenSSL fails.
[[nodiscard]] bool quic_client_keys(uint32_t version, struct buf cid, struct quic_keys *ret_keys);

// Opens the Initials of a datagram and adds the pieces of the hello in them to `a`. LOOK_BAD also
// when none of them can be opened.
enum look quic_datagram_parse(
	struct buf datagram,
	struct crypt *crypt,
	struct quic_scratch *scratch,
	struct quic_client *client,
	struct assembly *a
);

// The frames of an opened Initial; only some kinds may be in one (RFC 9000 §12.4). LOOK_MORE when
// they are in order.
enum look quic_frames_parse(struct buf frames, struct assembly *a);
