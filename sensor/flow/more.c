// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/more.h"

#include "lib/base/clock.h"
#include "lib/record/record.h"

enum {
	STEP_SYN = 1,	  // the client opened
	STEP_SYN_ACK = 2, // the server answered
	STEP_DONE = 3,
	STEP_MASK = 3,
	SEEN = 4, // << direction
};

static uint16_t at_most_u16(uint64_t v)
{
	return (uint16_t)(v < UINT16_MAX ? v : UINT16_MAX);
}

void flow_more_init(struct flow_more *m, const struct packet *pkt, bool has_metrics)
{
	*m = (struct flow_more){
		.tunnel_id = pkt->tunnel_id,
		.tunnel_kind = (uint8_t)packet_tunnel_kind(pkt->tunnel),
		.mpls_label = pkt->mpls_label,
		.has_metrics = has_metrics,
	};
}

void flow_more_restart(struct flow_more *m)
{
	m->retransmitted[0] = m->retransmitted[1] = 0;
	m->zero_window[0] = m->zero_window[1] = 0;
	m->min_len = m->max_len = 0;
	m->min_ttl = m->max_ttl = 0;
}

static void count_sizes(struct flow_more *m, const struct packet *pkt)
{
	uint16_t len = at_most_u16(pkt->bytes);
	bool is_first = m->max_len == 0;
	if (is_first || len < m->min_len)
		m->min_len = len;
	if (len > m->max_len)
		m->max_len = len;
	if (is_first || pkt->ttl < m->min_ttl)
		m->min_ttl = pkt->ttl;
	if (pkt->ttl > m->max_ttl)
		m->max_ttl = pkt->ttl;
}

// What is told of a round trip: 0 means not known.
static uint32_t since(const struct flow_more *m, uint32_t now_us)
{
	uint32_t us = now_us - m->handshake_us;
	return us ? us : 1;
}

// SYN, SYN+ACK, ACK: the first two are a round trip to the server, the others one to the client. Of
// steps sent again the last one counts (RFC 6298 §3 has it so for want of a better one).
static void follow_handshake(struct flow_more *m, const struct packet *pkt, unsigned dir)
{
	unsigned step = m->state & STEP_MASK, next = step;
	uint16_t flags = pkt->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST);
	uint32_t now_us = (uint32_t)(pkt->time_ns / NS_PER_USEC);
	if (flags == TCP_SYN && dir == FLOW_FORWARD && step <= STEP_SYN)
		next = STEP_SYN;
	else if (flags == (TCP_SYN | TCP_ACK) && dir == FLOW_REVERSE && step <= STEP_SYN_ACK)
		next = STEP_SYN_ACK;
	else if (flags == TCP_ACK && dir == FLOW_FORWARD && step == STEP_SYN_ACK)
		next = STEP_DONE;
	else
		return;
	if (next == STEP_SYN_ACK && step == STEP_SYN)
		m->rtt_server = since(m, now_us);
	if (next == STEP_DONE)
		m->rtt_client = since(m, now_us);
	m->handshake_us = now_us;
	m->state = (uint8_t)((m->state & ~STEP_MASK) | next);
}

// A segment that begins before the furthest byte: it fills the gap, or it comes again.
static void look_back(struct flow_more *m, const struct packet *pkt, uint32_t len, unsigned dir)
{
	uint32_t seq = pkt->tcp_seq, into = seq - m->hole_at[dir], hole = m->hole_len[dir];
	if (into < hole) { // what is left is behind it, or, when it does not begin there, before it
		uint32_t left = into ? into : hole > len ? hole - len : 0;
		m->hole_at[dir] += into ? 0 : len;
		m->hole_len[dir] = (uint16_t)left;
		return;
	}
	bool opens = pkt->tcp_flags & (TCP_SYN | TCP_FIN);
	bool is_alive = !opens && len <= 1 && seq + 1 == m->next_seq[dir];
	m->retransmitted[dir] += !is_alive && seq + len - m->next_seq[dir] - 1 >= 1u << 31;
}

static void follow_sequence(struct flow_more *m, const struct packet *pkt, unsigned dir)
{
	uint32_t seq = pkt->tcp_seq, flags = pkt->tcp_flags;
	uint32_t len = pkt->tcp_len + !!(flags & TCP_SYN) + !!(flags & TCP_FIN);
	uint32_t end = seq + len;
	if (len == 0 || flags & TCP_RST)
		return;
	uint8_t seen = (uint8_t)(SEEN << dir);
	uint32_t ahead = seq - m->next_seq[dir];
	if (m->state & seen && ahead >= 1u << 31)
		look_back(m, pkt, len, dir);
	if (m->state & seen && ahead && ahead < 1u << 31) {
		m->hole_at[dir] = m->next_seq[dir];
		m->hole_len[dir] = at_most_u16(ahead);
	}
	if (!(m->state & seen) || end - m->next_seq[dir] < 1u << 31)
		m->next_seq[dir] = end;
	m->state |= seen;
}

void flow_more_count(struct flow_more *m, const struct packet *pkt, unsigned dir)
{
	if (dir == FLOW_FORWARD)
		count_sizes(m, pkt);
	if (pkt->proto != PROTO_TCP || pkt->tcp_flags == 0) // of no TCP, or a later fragment
		return;
	bool may_be_shut = !(pkt->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST));
	if (may_be_shut && pkt->tcp_window == 0 && m->zero_window[dir] < UINT16_MAX)
		m->zero_window[dir]++;
	if ((m->state & STEP_MASK) != STEP_DONE)
		follow_handshake(m, pkt, dir);
	follow_sequence(m, pkt, dir);
}
