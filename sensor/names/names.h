// SPDX-License-Identifier: Apache-2.0
#pragma once

// Application names out of the first payload bytes of flows: TLS, DTLS and QUIC server names with
// ALPN and JA4, DNS questions and answers, HTTP hosts. Most packets of most flows cost only the
// test names_wants(); the rest are told by their first bytes (DNS by its ports), parsed where they
// lie, and only a name that is spread over packets is gathered, in memory bounded by names_options.
//
//	if (names_wants(&flow->names, payload_len, tcp_flags) &&
//	    names_look(n, &flow->names, &packet, &result))
//		... a new name of the flow, or more answers: names_merge(), names_pack()
//	...
//	names_end(n, &flow->names);      // before the flow's memory is used for another
//	names_turn(n, now_ns);		 // once per burst
//
// Thread: worker; create, free: control.

#include "sensor/names/pool.h"
#include "sensor/names/result.h"

struct names;

struct names_options {
	uint32_t n_flows;      // whose names are gathered at the same time, 1 to 65533
	uint16_t max_bytes;    // of a flow's beginning, 512 to 16384
	uint8_t max_segments;  // of those bytes, 1 to 255
	uint8_t max_packets;   // with payload that are looked at, 1 to 255
	uint16_t max_permille; // of the time, for looking; 0: no limit
};

#define NAMES_OPTIONS_DEFAULT                                                                      \
	((struct names_options){                                                                   \
		.n_flows = 4096,                                                                   \
		.max_bytes = 4096,                                                                 \
		.max_segments = 4,                                                                 \
		.max_packets = 8,                                                                  \
		.max_permille = 250,                                                               \
	})

// A packet's payload. Only the direction of a flow's first packet and the two ends' own must be
// told apart: `reverse` is the flow table's direction.
struct names_packet {
	const uint8_t *payload;
	size_t len;	    // bytes that are there
	uint32_t seq;	    // of TCP
	uint16_t tcp_flags; // of TCP
	uint16_t sport, dport;
	uint8_t proto;
	bool reverse;
};

struct names_counters {
	uint64_t found[NAMES_N_KINDS];	   // names, by kind; DNS: messages
	uint64_t malformed[NAMES_N_KINDS]; // payloads, by kind
#define KIND(symbol, name, text)
#define COUNTER(name, unit, text) uint64_t name;
#include "sensor/names/names.def"
#undef KIND
#undef COUNTER
};

struct names_info {
	const char *name;
	const char *unit;
	const char *text;
	size_t offset; // in struct names_counters
};

// Every counter, for summaries and metrics: "tls", "tls_malformed", …, "looked", …
extern const struct names_info names_infos[];
extern const size_t names_n_infos;

// 0, -ERANGE, -ENOMEM or -ENOTSUP (see crypt.h).
[[nodiscard]] int names_create(const struct names_options *o, struct names **ret_names);
void names_free(struct names *n);

// Whether a packet of this flow is to be looked at.
static inline bool names_wants(const struct names_flow *f, size_t payload_len, uint16_t tcp_flags)
{
	return f->stage != NAMES_DONE && (payload_len > 0 || tcp_flags & TCP_SYN);
}

// Looks at a packet's payload; TCP: also at SYNs without. True when *ret_result was filled.
bool names_look(
	struct names *n,
	struct names_flow *f,
	const struct names_packet *p,
	struct names_result *ret_result
);

void names_end_held(struct names *n, struct names_flow *f);

// Ends a flow, or begins it anew.
static inline void names_end(struct names *n, struct names_flow *f)
{
	if (f->stage == NAMES_HELD)
		names_end_held(n, f);
	*f = (struct names_flow){};
}

// Tells the time, for max_permille.
void names_turn(struct names *n, uint64_t now_ns);

const struct names_counters *names_counters(const struct names *n);
