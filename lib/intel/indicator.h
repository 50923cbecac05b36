// SPDX-License-Identifier: Apache-2.0
#pragma once

// One thing that a feed says is malicious (or, in an allow-list, is not): an address, a network, an
// address with a port, a port, or a name. Values have one canonical form, and from it an id that is
// the same in every program, on every machine and after every reload: the first 64 bits of the
// SHA-256 of "type value".
// Thread: any.

#include "lib/base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum indicator_type {
	INDICATOR_NONE,
	INDICATOR_NET,	     // an address or a network: net
	INDICATOR_ADDR_PORT, // net (one address), port, proto
	INDICATOR_PORT,	     // port, proto
	INDICATOR_NAME,	     // name and the names below it, or with is_exact itself only
	INDICATOR_N_TYPES
};

enum indicator_severity {
	SEVERITY_NONE,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL,
	SEVERITY_N
};

#define INDICATOR_SCORE_MAX 1000
#define INDICATOR_NAME_MAX 253 // RFC 1035 §2.3.4, as text without the final dot
#define INDICATOR_TEXT_LEN 280 // the canonical value with its final NUL

// Texts are offsets into the text of the list the indicator is in (lib/intel/list.h); 0 is "".
struct indicator {
	uint64_t id;
	uint8_t type;  // enum indicator_type
	uint8_t proto; // of a port: 0 any, else the IP protocol
	bool is_exact;
	bool is_allow;	    // of an allow-list: what it covers is never a hit
	bool is_forced;	    // counts for private and other reserved addresses too
	uint8_t severity;   // enum indicator_severity
	uint8_t confidence; // 0..100
	uint16_t score;	    // 0..INDICATOR_SCORE_MAX
	uint16_t port;
	uint16_t feed; // number of the feed in the list
	struct prefix net;
	uint32_t name, value; // value: in canonical form
	uint32_t category, description, reference;
	uint32_t first_seen, last_seen, expires; // seconds since 1970; 0: not said, never
};

// What a value can be wrong for, as text for the feed's status; NULL: nothing.
typedef const char *indicator_fault;

// Parses one value in any of the forms feeds use: "192.0.2.1", "192.0.2.0/24", "2001:db8::/32",
// "192.0.2.1:443", "[2001:db8::1]:443", "192.0.2.1:443/udp", "port 4444", "port 4444/tcp",
// "example.com", ".example.com", "*.example.com" (all three: and below), "=example.com" (exactly).
// Networks with host bits set are masked. Fills type, proto, port, net, is_exact, and writes a name
// in canonical form to `name`. Returns the fault, or NULL.
indicator_fault indicator_parse(
	const char *text,
	size_t len,
	struct indicator *ret,
	char name[static INDICATOR_NAME_MAX + 1]
);

// A name as it is compared: lower case, no dot at the end, labels of 1 to 63 bytes of letters,
// digits, '-' and '_', at least two of them. The fault, or NULL.
indicator_fault
indicator_parse_name(const char *text, size_t len, char name[static INDICATOR_NAME_MAX + 1]);

// The canonical value; `name` is the indicator's name. Returns `text`.
const char *
indicator_format(const struct indicator *i, const char *name, char text[static INDICATOR_TEXT_LEN]);

uint64_t indicator_id(const struct indicator *i, const char *name);

const char *indicator_type_name(enum indicator_type type);	     // "net", "addr_port", …
const char *indicator_severity_name(enum indicator_severity s);	     // "high", …; "none"
enum indicator_severity indicator_severity_of(uint16_t score);	     // by quarters of the scale
bool indicator_severity_parse(const char *text, uint8_t *ret_value); // false: no such word

// Networks that are nobody's on the Internet: loopback, private, link-local, multicast and the like
// (RFC 6890). True when all of the network lies in one of them.
bool indicator_is_reserved(const struct prefix *net);
