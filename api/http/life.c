// SPDX-License-Identifier: Apache-2.0
#include "api/http/life.h"

bool life_is_over(const struct life *l, const struct life_limits *limits, uint64_t now_ns)
{
	return now_ns - l->opened_ns >= limits->max_age_ns || l->n_requests >= limits->max_requests;
}

bool life_is_stuck(const struct life *l, uint64_t now_ns)
{
	if (!l->oldest_ns && l->n_streams) {
		uint64_t moved = l->acked_ns > l->stream_ns ? l->acked_ns : l->stream_ns;
		return now_ns - moved >= LIFE_STALL_NS;
	}
	if (!l->oldest_ns) // idle, or a request that trickles in
		return now_ns - l->done_ns >= LIFE_STALL_NS;
	// an answer nobody reads: TCP has moved nothing since it began
	uint64_t since = l->acked_ns > l->oldest_ns ? l->acked_ns : l->oldest_ns;
	return now_ns - l->oldest_ns >= LIFE_REQUEST_NS || now_ns - since >= LIFE_STALL_NS;
}
