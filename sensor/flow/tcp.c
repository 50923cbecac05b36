// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/tcp.h"

enum tcp_event { EVENT_FIN_FORWARD, EVENT_FIN_REVERSE, EVENT_RST, N_EVENTS };

static const uint8_t transitions[TCP_N_STATES][N_EVENTS] = {
	[TCP_OPEN] =
		{
			[EVENT_FIN_FORWARD] = TCP_FIN_FORWARD,
			[EVENT_FIN_REVERSE] = TCP_FIN_REVERSE,
			[EVENT_RST] = TCP_CLOSED,
		},
	[TCP_FIN_FORWARD] =
		{
			[EVENT_FIN_FORWARD] = TCP_FIN_FORWARD,
			[EVENT_FIN_REVERSE] = TCP_CLOSED,
			[EVENT_RST] = TCP_CLOSED,
		},
	[TCP_FIN_REVERSE] =
		{
			[EVENT_FIN_FORWARD] = TCP_CLOSED,
			[EVENT_FIN_REVERSE] = TCP_FIN_REVERSE,
			[EVENT_RST] = TCP_CLOSED,
		},
	[TCP_CLOSED] =
		{
			[EVENT_FIN_FORWARD] = TCP_CLOSED,
			[EVENT_FIN_REVERSE] = TCP_CLOSED,
			[EVENT_RST] = TCP_CLOSED,
		},
};

enum tcp_state tcp_next(enum tcp_state state, uint16_t flags, unsigned dir)
{
	if (flags & TCP_RST)
		return transitions[state][EVENT_RST];
	if (flags & TCP_FIN)
		return transitions[state][dir ? EVENT_FIN_REVERSE : EVENT_FIN_FORWARD];
	return state;
}
