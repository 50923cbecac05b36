// SPDX-License-Identifier: Apache-2.0

// sFlow version 5 (sflow.org, "sFlow Version 5", 2004; discarded packets: "sFlow Dropped Packet
// Notification Structures", 2020). A datagram is taken whole or not at all; a flow sample becomes a
// record of one packet, at the time it came, with the rate it was sampled at.

#include "collector/ingest/frame.h"
#include "collector/ingest/intake.h"
#include "lib/base/clock.h"
#include "lib/ipfix/wire.h"

#define AGENT_V4 1
#define AGENT_V6 2
#define FWD_DROPPED 128 // RFC 7270 §4.12: dropped, for a reason that is not known
#define IF_KNOWN 0	// what the two highest bits of an interface say
#define IF_DISCARDED 1

enum sample_kind { FLOW = 1, COUNTERS, FLOW_EXPANDED, COUNTERS_EXPANDED, DISCARDED };

// Flow records, by their format.
enum flow_kind {
	HEADER = 1,
	ETHERNET = 2,
	IPV4 = 3,
	IPV6 = 4,
	SWITCH = 1001,
	ROUTER = 1002,
	GATEWAY = 1003,
};

enum header_protocol { HEADER_ETHERNET = 1, HEADER_IPV4 = 11, HEADER_IPV6 = 12 };

struct head {
	struct addr agent;
	uint32_t sub_agent, sequence, n_samples;
};

// An address behind its kind; none for a kind that is unknown, which has no length then.
static struct addr addr_of(struct buf *b)
{
	struct addr none = {0};
	uint32_t kind = buf_u32(b);
	const uint8_t *p = buf_take(b, kind == AGENT_V4 ? 4 : kind == AGENT_V6 ? 16 : 0);
	return !p || kind == 0 || kind > AGENT_V6 ? none
	       : kind == AGENT_V4		  ? addr_of_v4(p)
						  : addr_of_v6(p);
}

static struct head head_of(struct buf *b)
{
	struct head h;
	buf_skip(b, 4); // version
	h.agent = addr_of(b);
	h.sub_agent = buf_u32(b);
	h.sequence = buf_u32(b);
	buf_skip(b, 4); // uptime: nothing is told in it
	h.n_samples = buf_u32(b);
	return h;
}

// Whether all that are announced are there.
static bool samples_fit(struct buf b, uint32_t n)
{
	for (uint32_t i = 0; i < n && !b.bad; i++) {
		buf_skip(&b, 4);
		buf_skip(&b, buf_u32(&b));
	}
	return !b.bad;
}

static bool take_header(struct buf b, struct record *r)
{
	uint32_t protocol = buf_u32(&b);
	buf_skip(&b, 8); // the frame's length, and what was stripped off its end
	struct buf frame = buf_sub(&b, buf_u32(&b));
	if (b.bad)
		return false;
	if (protocol == HEADER_ETHERNET)
		return frame_ethernet(frame, r);
	return (protocol == HEADER_IPV4 || protocol == HEADER_IPV6) && frame_ip(frame, r);
}

// Fields as the agent has parsed them, where the packet's own header is not there.
static bool take_parsed(struct buf b, struct record *r, bool is_v6)
{
	uint32_t len = buf_u32(&b), proto = buf_u32(&b);
	const uint8_t *addrs = buf_take(&b, is_v6 ? 32 : 8);
	uint32_t sport = buf_u32(&b), dport = buf_u32(&b), flags = buf_u32(&b), tos = buf_u32(&b);
	if (b.bad)
		return false;
	RECORD_SET(r, bytes, len);
	RECORD_SET(r, proto, (uint8_t)proto);
	RECORD_SET(r, src, is_v6 ? addr_of_v6(addrs) : addr_of_v4(addrs));
	RECORD_SET(r, dst, is_v6 ? addr_of_v6(addrs + 16) : addr_of_v4(addrs + 4));
	RECORD_SET(r, sport, (uint16_t)sport);
	RECORD_SET(r, dport, (uint16_t)dport);
	RECORD_SET(r, tcp_flags, (uint16_t)(flags & 0x0fff));
	RECORD_SET(r, tos, (uint8_t)tos);
	return true;
}

static struct record_mac mac_of(struct buf *b)
{
	struct record_mac mac = {0};
	const uint8_t *p = buf_take(b, 8); // padded
	if (p)
		memcpy(&mac, p, sizeof(mac));
	return mac;
}

static void take_ethernet(struct buf b, struct record *r)
{
	buf_skip(&b, 4);
	struct record_mac src = mac_of(&b), dst = mac_of(&b);
	if (b.bad || r->set & RECORD_BIT(src_mac))
		return;
	RECORD_SET(r, src_mac, src);
	RECORD_SET(r, dst_mac, dst);
}

static void take_switch(struct buf b, struct record *r)
{
	uint32_t vlan = buf_u32(&b);
	if (!b.bad && vlan && vlan < 4095 && !(r->set & RECORD_BIT(vlan)))
		RECORD_SET(r, vlan, (uint16_t)vlan);
}

static void take_router(struct buf b, struct record *r)
{
	struct addr next = addr_of(&b);
	uint32_t src_mask = buf_u32(&b), dst_mask = buf_u32(&b);
	if (b.bad)
		return;
	RECORD_SET(r, next_hop, next);
	RECORD_SET(r, src_mask, (uint8_t)src_mask);
	RECORD_SET(r, dst_mask, (uint8_t)dst_mask);
}

// The destination's AS is the last one of the path; without a path it is the router's own.
static void take_gateway(struct buf b, struct record *r)
{
	(void)addr_of(&b);
	uint32_t own = buf_u32(&b), src = buf_u32(&b), dst = own;
	buf_skip(&b, 4); // the peer's
	uint32_t n = buf_u32(&b);
	for (uint32_t i = 0; i < n && !b.bad; i++) {
		buf_skip(&b, 4); // ordered or not
		uint32_t len = buf_u32(&b);
		for (uint32_t k = 0; k < len && !b.bad; k++)
			dst = buf_u32(&b);
	}
	if (b.bad)
		return;
	RECORD_SET(r, src_as, src ? src : own);
	RECORD_SET(r, dst_as, dst);
}

// All records of a sample into one. False: they overrun it.
static bool take_records(struct buf b, struct record *r, bool *ret_is_ip)
{
	bool has_header = false, has_parsed = false, is_v6 = false;
	struct buf parsed = {};
	uint32_t n = buf_u32(&b);
	for (uint32_t i = 0; i < n && !b.bad; i++) {
		uint32_t kind = buf_u32(&b);
		struct buf one = buf_sub(&b, buf_u32(&b));
		if (one.bad)
			return false;
		if (kind == HEADER)
			has_header |= take_header(one, r);
		else if (kind == ETHERNET)
			take_ethernet(one, r);
		else if (kind == SWITCH)
			take_switch(one, r);
		else if (kind == ROUTER)
			take_router(one, r);
		else if (kind == GATEWAY)
			take_gateway(one, r);
		if (kind != IPV4 && kind != IPV6)
			continue;
		parsed = one;
		has_parsed = true;
		is_v6 = kind == IPV6;
	}
	if (has_parsed && !has_header)
		has_parsed = take_parsed(parsed, r, is_v6);
	*ret_is_ip = has_header || has_parsed;
	return !b.bad;
}

static void
set_interfaces(struct record *r, uint32_t in_kind, uint32_t in, uint32_t out_kind, uint32_t out)
{
	if (in_kind == IF_KNOWN)
		RECORD_SET(r, in_if, in);
	if (out_kind == IF_KNOWN)
		RECORD_SET(r, out_if, out);
	else if (out_kind == IF_DISCARDED)
		RECORD_SET(r, fwd_status, FWD_DROPPED);
}

// What stands before the records, which differs by the kind of sample.
static void take_front(struct buf *b, enum sample_kind kind, struct record *r)
{
	bool is_wide = kind != FLOW;
	buf_skip(b, is_wide ? 12 : 8); // the sample's number, and whose it is
	if (kind == DISCARDED) {
		buf_skip(b, 4); // events that were not told
		uint32_t in = buf_u32(b), out = buf_u32(b);
		set_interfaces(r, IF_KNOWN, in, IF_DISCARDED, out);
		buf_skip(b, 4); // the reason
		return;
	}
	uint32_t rate = buf_u32(b);
	buf_skip(b, 8); // packets that could have been sampled, samples dropped
	if (rate)
		RECORD_SET(r, sampling, rate);
	uint32_t in_kind = is_wide ? buf_u32(b) : 0, in = buf_u32(b);
	uint32_t out_kind = is_wide ? buf_u32(b) : 0, out = buf_u32(b);
	if (is_wide)
		set_interfaces(r, in_kind, in, out_kind, out);
	else
		set_interfaces(r, in >> 30, in & 0x3fffffff, out >> 30, out & 0x3fffffff);
}

static void take_flow(
	struct intake *in, struct session *s, struct buf b, enum sample_kind kind, uint64_t now_ns
)
{
	struct record r = {};
	bool is_ip;
	in->counts[LEDGER_sflow_samples]++;
	take_front(&b, kind, &r);
	if (!take_records(b, &r, &is_ip)) {
		in->counts[LEDGER_bad_length]++;
		return;
	}
	if (!is_ip) {
		in->counts[LEDGER_sflow_no_ip]++;
		return;
	}
	RECORD_SET(&r, packets, 1);
	RECORD_SET(&r, start_ns, now_ns + in->wall_ns);
	RECORD_SET(&r, end_ns, r.start_ns);
	intake_add(in, s, &r, now_ns);
}

static void
take_sample(struct intake *in, struct session *s, uint32_t kind, struct buf b, uint64_t now_ns)
{
	switch (kind) {
	case FLOW:
	case FLOW_EXPANDED:
	case DISCARDED:
		take_flow(in, s, b, (enum sample_kind)kind, now_ns);
		return;
	case COUNTERS:
	case COUNTERS_EXPANDED:
		in->counts[LEDGER_sflow_counters]++;
		return;
	default:
		in->counts[LEDGER_sflow_unknown]++;
	}
}

void sflow_take(struct intake *in, const struct peer *p, struct buf data, uint64_t now_ns)
{
	static const struct siphash_key agents = {
		0, 0}; // the session table has a secret of its own
	struct head h = head_of(&data);
	if (data.bad || !samples_fit(data, h.n_samples)) {
		in->counts[LEDGER_bad_length]++;
		return;
	}
	// One address may pass on what several agents sent: each has numbers of its own.
	struct peer agent = *p;
	agent.source ^= siphash(&agents, &h.agent, sizeof(h.agent)) << 8;
	struct session_key key = {.domain = h.sub_agent, .fixed = SESSION_SFLOW};
	struct session *s = intake_session(in, &agent, key, now_ns);
	if (!s)
		return;
	s->version = SFLOW5_VERSION;
	intake_sequence(in, s, h.sequence, 1, now_ns);
	for (uint32_t i = 0; i < h.n_samples; i++) {
		uint32_t kind = buf_u32(&data);
		take_sample(in, s, kind, buf_sub(&data, buf_u32(&data)), now_ns);
	}
}
