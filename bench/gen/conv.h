// SPDX-License-Identifier: Apache-2.0
#pragma once

// Conversations: what kinds there are, who talks to whom, and the packets of each, one at a time.
// Every conversation has a 5-tuple of its own, pauses for less than 30 s and lasts for less than
// 300 s, so that a flow meter with the usual timeouts must make exactly one biflow of it.
// Thread: the owner's.

#include "bench/gen/rng.h"
#include "lib/base/addr.h"
#include "lib/base/buf.h"

#define CONV_L4_MAX 1480 // bytes of a packet above the IP header

enum conv_kind {
	CONV_TLS,
	CONV_HTTP,
	CONV_BULK,
	CONV_BEACON,	// to a host of the feed
	CONV_REFUSED,	// SYN answered by RST: denied
	CONV_ABORTED,	// reset in the middle by the server, which had sent its SYN before
	CONV_FILTERED,	// SYNs that nobody answers
	CONV_MIDSTREAM, // began before the capture, reset by the server: denied
	CONV_DNS,
	CONV_NTP,
	CONV_QUIC,
	CONV_ECHO,
	CONV_SCTP,
	CONV_ESP,
	CONV_KINDS
};

struct conv {
	enum conv_kind kind;
	struct addr addr[2]; // initiator, responder
	uint16_t port[2];
	uint8_t proto;
	bool plain;    // small packets
	bool ip_extra; // IPv4 option or IPv6 extension header in every packet
	uint16_t vlan, cvlan;
	uint32_t seq[2]; // next to send
	uint32_t host;	 // index of the responder, for its name
	uint32_t n_packets, n_done;
	uint64_t start_us, duration_us, last_us;
	uint32_t rtt_us;
	struct rng rng;
};

// A packet above IP. The checksum field at `sum_at` is left 0 for the frame builder.
struct packet {
	bool back;   // from the responder
	int sum_at;  // -1: none, or already there
	bool pseudo; // the sum covers the pseudo header
	size_t len;
	uint8_t l4[CONV_L4_MAX];
};

struct conv_plan;

struct conv_options {
	uint64_t seed, start_us, duration_us;
	uint64_t n_packets;
	uint32_t n_flows;
	bool plain; // IPv4 only, TCP and UDP, small packets
};

// Decides the size of every conversation. 0, -ENOMEM, or -ERANGE when n_packets is too small for
// n_flows conversations (*ret_least says how many it takes).
[[nodiscard]] int
conv_plan_create(const struct conv_options *o, struct conv_plan **ret_plan, uint64_t *ret_least);
void conv_plan_free(struct conv_plan *p);

// The next conversation, in order of start; false: there are no more.
bool conv_plan_next(struct conv_plan *p, struct conv *ret_conv);

// When the conversation's next packet is sent.
uint64_t conv_time_us(struct conv *c);

// Its next packet.
void conv_next(struct conv *c, struct packet *ret_packet);

bool conv_is_denied(const struct conv *c);
bool conv_is_malicious(const struct conv *c);

// The hosts of the feed: the i-th as text, or NULL after the last.
const char *conv_feed_entry(uint32_t i);

// For conv.c: the packets of a kind, each in its own file.
void conv_tcp_next(struct conv *c, struct wbuf *w, struct packet *p);
void conv_udp_next(struct conv *c, struct wbuf *w, struct packet *p);
void conv_echo_next(struct conv *c, struct wbuf *w, struct packet *p);
void conv_sctp_next(struct conv *c, struct wbuf *w, struct packet *p);
void conv_esp_next(struct conv *c, struct wbuf *w, struct packet *p);
