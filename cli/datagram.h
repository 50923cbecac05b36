// SPDX-License-Identifier: Apache-2.0
#pragma once

// The UDP datagram in a captured frame: Ethernet with VLANs, raw IP or Linux cooked, IPv4 or IPv6.
// Thread: any.

#include "cli/pcapfile.h"
#include "lib/base/addr.h"

enum datagram_reason {
	DATAGRAM_OK,
	DATAGRAM_LINK,	 // a link type that is not read
	DATAGRAM_NOT_IP, // another protocol
	DATAGRAM_NOT_UDP,
	DATAGRAM_FRAGMENT, // of an IP packet
	DATAGRAM_CUT,	   // by the capture, or a length that cannot be
	DATAGRAM_N,
};

struct datagram {
	struct addr src, dst;
	uint16_t sport, dport;
	const uint8_t *data;
	size_t len;
};

enum datagram_reason
datagram_parse(const struct pcapfile_packet *packet, struct datagram *ret_datagram);

// "not UDP", for people.
const char *datagram_reason_text(enum datagram_reason reason);
