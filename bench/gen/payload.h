// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the packets say: real protocol bytes where a sensor looks inside (TLS, HTTP, DNS), filler
// elsewhere.
// Thread: any.

#include "bench/gen/conv.h"

#define PAYLOAD_NAME_LEN 64

// The server's name in a conversation; returns `name`.
const char *payload_name(const struct conv *c, char name[static PAYLOAD_NAME_LEN]);

void payload_client_hello(struct wbuf *w, struct conv *c); // RFC 8446 §4.1.2, with SNI and ALPN
void payload_server_hello(struct wbuf *w, struct conv *c);
void payload_tls_data(struct wbuf *w, size_t len); // one application data record of len bytes
void payload_http_get(struct wbuf *w, struct conv *c);
void payload_http_ok(struct wbuf *w);
void payload_dns(struct wbuf *w, struct conv *c, bool answer); // A or AAAA (RFC 1035 §4)
void payload_ntp(struct wbuf *w, bool answer);		       // RFC 5905 §7.3
void payload_quic(struct wbuf *w, struct conv *c, size_t len); // a version 1 Initial's outside
void payload_filler(struct wbuf *w, size_t len);
