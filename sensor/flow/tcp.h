// SPDX-License-Identifier: Apache-2.0
#pragma once

// When a TCP conversation is over, as one who only watches can tell: a FIN from both ends, or an
// RST. A closed flow stays for TCP_LINGER_NS, so that the last ACK and retransmissions still belong
// to it; a new SYN before that begins a new flow. Thread: worker; keeps no state.

#include "lib/record/record.h"

#define TCP_LINGER_NS 1000000000ull // five times Linux' least retransmission timeout

enum tcp_state {
	TCP_OPEN = 0, // also every flow that is not TCP
	TCP_FIN_FORWARD,
	TCP_FIN_REVERSE,
	TCP_CLOSED,
	TCP_N_STATES
};

// The state after a packet with `flags`; `dir` is FLOW_FORWARD or FLOW_REVERSE.
enum tcp_state tcp_next(enum tcp_state state, uint16_t flags, unsigned dir);

// True when a packet opens a new conversation where the old one is closed.
static inline bool tcp_reopens(enum tcp_state state, uint16_t flags)
{
	return state == TCP_CLOSED && (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}
