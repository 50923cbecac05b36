// SPDX-License-Identifier: Apache-2.0
#pragma once

// The question of a DNS message and the addresses it is answered with (RFC 1035 §4, RFC 3596); mDNS
// (RFC 6762) and LLMNR (RFC 4795) have the same form. Compression pointers may only lead back
// (RFC 1035 §4.1.4), so that no name is endless.
// Thread: any; keeps no state.

#include "lib/base/buf.h"
#include "sensor/names/look.h"
#include "sensor/names/result.h"

#define DNS_PORT 53
#define DNS_PORT_MDNS 5353
#define DNS_PORT_LLMNR 5355

static inline bool dns_is_port(uint16_t port)
{
	return port == DNS_PORT || port == DNS_PORT_MDNS || port == DNS_PORT_LLMNR;
}

// A message, whole. Fills *ret_result from scratch: the first question's name and type, of a
// response also rcode and addresses. An mDNS response asks nothing: its name is that of the first
// address in it, or else of the first record.
enum look dns_message_parse(struct buf message, struct names_result *ret_result);

// A TCP stream from the length of a message on (RFC 1035 §4.2.2); messages of more than max bytes
// are not waited for.
enum look dns_stream_parse(struct buf stream, size_t max, struct names_result *ret_result);
