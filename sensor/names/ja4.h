// SPDX-License-Identifier: Apache-2.0
#pragma once

// JA4, the fingerprint of a TLS client, after FoxIO's specification (technical_details/JA4.md of
// github.com/FoxIO-LLC/ja4): protocol, version, whether a name is asked for, numbers of ciphers and
// extensions, first protocol; then truncated SHA-256 of the sorted ciphers, and of the sorted
// extensions with the signature algorithms. JA4 itself is under the BSD licence; of the other
// fingerprints of that family nothing is here.
// Thread: worker.

#include "sensor/names/tls.h"

#define JA4_LEN 36
#define JA4_LIST_MAX 1024 // numbers in a list: all that are assigned are fewer

enum ja4_protocol {
	JA4_TLS = 't',
	JA4_QUIC = 'q',
	JA4_DTLS = 'd',
};

// JA4_LEN characters, no final NUL. False, and nothing is written, when a list is longer than
// JA4_LIST_MAX.
[[nodiscard]] bool
ja4_format(enum ja4_protocol protocol, const struct tls_hello *h, char ret[JA4_LEN]);
