// SPDX-License-Identifier: Apache-2.0
#pragma once

// What does not fit a flow's two cache lines: one line beside them, of the flows in tunnels or
// below labels, and with `metrics` of all. What TCP tells is what a third party sees: a segment
// counts as sent again when all of its bytes were seen before, not when it fills a gap, and not
// when it only keeps a connection alive. Times are microseconds. Thread: worker, then (by the ring)
// exporter.

#include "sensor/flow/flow.h"
#include "sensor/packet/packet.h"

#include <stddef.h>

struct flow_more {
	alignas(64) uint32_t tunnel_id;
	uint32_t mpls_label;
	uint32_t next_seq[2]; // behind the furthest byte seen, once SEEN
	uint32_t retransmitted[2];
	uint32_t hole_at[2]; // bytes missed before next_seq: the latest gap
	uint16_t hole_len[2];
	uint16_t zero_window[2]; // segments; stays at its maximum
	uint32_t handshake_us;	 // when its last step was seen
	uint32_t rtt_client, rtt_server;
	uint16_t min_len, max_len; // of forward packets; 0: there was none
	uint8_t min_ttl, max_ttl;
	uint8_t tunnel_kind;
	uint8_t state; // of the handshake, and of which directions next_seq is set
	bool has_metrics;
};
static_assert(sizeof(struct flow_more) == 64, "one cache line");

// Of the first packet of a flow, which is not counted yet.
void flow_more_init(struct flow_more *m, const struct packet *pkt, bool has_metrics);

// Counts a packet; `dir` is FLOW_FORWARD or FLOW_REVERSE.
void flow_more_count(struct flow_more *m, const struct packet *pkt, unsigned dir);

// A record of the flow has ended, the next one begins.
void flow_more_restart(struct flow_more *m);

// Takes it off the front of what a flow of the ring has beside. False: it has none.
static inline bool
flow_more_take(const struct flow *f, const uint8_t **extra, size_t *len, struct flow_more *ret_more)
{
	if (!f->has_more || *len < sizeof(*ret_more))
		return false;
	__builtin_memcpy(ret_more, *extra, sizeof(*ret_more));
	*extra += sizeof(*ret_more);
	*len -= sizeof(*ret_more);
	return true;
}
