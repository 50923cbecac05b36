// SPDX-License-Identifier: Apache-2.0
#include "sensor/packet/cursor.h"

#define LINKS_MAX 8   // headers between an EtherType and IP: Ethernet, tags, labels, PPP
#define LABELS_MAX 8  // of one MPLS stack
#define TUNNELS_MAX 4 // in one another

#define MPLS_BOTTOM 0x100
#define CONTROL_WORD_LEN 4 // RFC 4385
#define PPPOE_HEADER_LEN 6
#define PPPOE_VERSION_TYPE 0x11

enum ppp_protocol {
	PPP_IP4 = 0x0021,
	PPP_IP6 = 0x0057,
	PPP_MPLS = 0x0281,
};

bool link_is_known(uint16_t type)
{
	switch (type) {
	case ETHERTYPE_IP4:
	case ETHERTYPE_IP6:
	case ETHERTYPE_ARP:
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
	case ETHERTYPE_PPPOE:
	case ETHERTYPE_PPPOE_DISCOVERY:
		return true;
	default:
		return is_vlan(type);
	}
}

static enum verdict parse_ethernet(struct cursor *c, uint16_t *type, struct packet *pkt)
{
	const uint8_t *p = cursor_take(c, ETHER_HEADER_LEN);
	if (!p)
		return PACKET_TRUNCATED;
	memcpy(pkt->macs, p, sizeof(pkt->macs));
	pkt->vlan = pkt->cvlan = 0;
	*type = load_u16(p + 12);
	return parse_tags(c, type, pkt);
}

// What a label stack carries: nothing but its first bytes tells (RFC 4928). Below a control word,
// or without one, there may be Ethernet.
static enum verdict
below_labels(struct cursor *c, uint16_t *type, struct packet *pkt, uint32_t label)
{
	if (!cursor_has(c, 1))
		return PACKET_TRUNCATED;
	uint8_t version = c->b.p[0] >> 4;
	if (version == 4 || version == 6) {
		*type = version == 4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6;
		return PACKET_KEEP;
	}
	size_t skip = version == 0 ? CONTROL_WORD_LEN : 0;
	if (!cursor_has(c, skip + ETHER_HEADER_LEN))
		return c->is_cut ? PACKET_TRUNCATED : PACKET_MPLS_PAYLOAD;
	if (link_is_known(load_u16(c->b.p + 12)))
		skip = 0;
	if (!link_is_known(load_u16(c->b.p + skip + 12)))
		return PACKET_MPLS_PAYLOAD;
	(void)cursor_take(c, skip);
	packet_put_tunnel(pkt, TUNNEL_MPLS_ETH, label);
	*type = ETHERTYPE_ETHERNET;
	return PACKET_KEEP;
}

static enum verdict parse_mpls(struct cursor *c, uint16_t *type, struct packet *pkt)
{
	for (int depth = 0; depth < LABELS_MAX; depth++) {
		const uint8_t *p = cursor_take(c, 4);
		if (!p)
			return PACKET_TRUNCATED;
		uint32_t entry = load_u32(p);
		if (depth == 0)
			pkt->mpls_label = entry >> 12;
		if (entry & MPLS_BOTTOM)
			return below_labels(c, type, pkt, entry >> 12);
	}
	return PACKET_MPLS_DEPTH;
}

// Address and control may have been left out, and the protocol's first byte (RFC 1661 §6).
static enum verdict parse_ppp(struct cursor *c, uint16_t *type)
{
	if (!cursor_has(c, 1))
		return PACKET_TRUNCATED;
	if (c->b.p[0] == 0xff && !cursor_take(c, 2))
		return PACKET_TRUNCATED;
	if (!cursor_has(c, 1))
		return PACKET_TRUNCATED;
	size_t len = c->b.p[0] & 1 ? 1 : 2;
	const uint8_t *p = cursor_take(c, len);
	if (!p)
		return PACKET_TRUNCATED;
	switch (len == 1 ? p[0] : load_u16(p)) {
	case PPP_IP4:
		*type = ETHERTYPE_IP4;
		return PACKET_KEEP;
	case PPP_IP6:
		*type = ETHERTYPE_IP6;
		return PACKET_KEEP;
	case PPP_MPLS:
		*type = ETHERTYPE_MPLS;
		return PACKET_KEEP;
	default:
		return PACKET_PPP_CONTROL;
	}
}

static enum verdict parse_pppoe(struct cursor *c, uint16_t *type, struct packet *pkt)
{
	const uint8_t *p = cursor_take(c, PPPOE_HEADER_LEN);
	if (!p)
		return PACKET_TRUNCATED;
	if (p[0] != PPPOE_VERSION_TYPE)
		return PACKET_TUNNEL_HEADER;
	if (p[1] != 0)
		return PACKET_PPPOE_DISCOVERY;
	packet_put_tunnel(pkt, TUNNEL_PPPOE, load_u16(p + 2));
	cursor_limit(c, load_u16(p + 4));
	return parse_ppp(c, type);
}

enum verdict parse_link(struct cursor *c, uint16_t type, struct packet *pkt)
{
	for (int depth = 0; depth < LINKS_MAX; depth++) {
		enum verdict verdict;
		switch (type) {
		case ETHERTYPE_IP4:
		case ETHERTYPE_IP6:
			return parse_ip(c, type, pkt);
		case ETHERTYPE_ETHERNET:
			verdict = parse_ethernet(c, &type, pkt);
			break;
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
		case ETHERTYPE_QINQ_OLD:
			verdict = parse_tags(c, &type, pkt);
			break;
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_MULTICAST:
			verdict = parse_mpls(c, &type, pkt);
			break;
		case ETHERTYPE_PPPOE:
			verdict = parse_pppoe(c, &type, pkt);
			break;
		case ETHERTYPE_PPP:
			verdict = parse_ppp(c, &type);
			break;
		case ETHERTYPE_PPPOE_DISCOVERY:
			return PACKET_PPPOE_DISCOVERY;
		default: // also a length: 802.3 with LLC
			return PACKET_NOT_IP;
		}
		if (verdict != PACKET_KEEP)
			return verdict;
	}
	return PACKET_TUNNEL_DEPTH;
}

// Nothing of the carrier is the carried packet's but the way it came.
static void begin_inner(struct packet *pkt, const struct tunnel *t)
{
	uint16_t vlan = pkt->vlan, cvlan = pkt->cvlan;
	uint32_t label = pkt->mpls_label;
	memset(&pkt->tunnel, 0, offsetof(struct packet, macs) - offsetof(struct packet, tunnel));
	packet_put_tunnel(pkt, (enum tunnel_kind)t->kind, t->id);
	pkt->vlan = vlan;
	pkt->cvlan = cvlan;
	pkt->mpls_label = label;
}

// Whether a packet that cannot be read is the carrier's payload and no more: it is of no IP, or
// nothing but a port number said that it is a packet at all.
static bool is_payload(uint8_t carrier, enum verdict verdict)
{
	return carrier >= CARRIER_L2TP || verdict == PACKET_NOT_IP ||
	       verdict == PACKET_PPP_CONTROL || verdict == PACKET_MPLS_PAYLOAD ||
	       verdict == PACKET_PPPOE_DISCOVERY;
}

enum verdict parse_inside(const struct cursor *at, struct packet *pkt)
{
	struct cursor c = *at;
	for (int depth = 0;; depth++) {
		struct packet outer = *pkt;
		struct tunnel t = {};
		uint8_t carrier = c.carrier;
		bool is_whole = tunnel_open(&c, addr_is_v4(&pkt->src), &t);
		if (c.is_cut)
			return PACKET_TRUNCATED;
		if (!is_whole)
			return carrier >= CARRIER_L2TP ? PACKET_KEEP : PACKET_TUNNEL_HEADER;
		if (!t.type)
			return PACKET_KEEP;
		if (depth == TUNNELS_MAX)
			return PACKET_TUNNEL_DEPTH;
		c.carrier = CARRIER_NONE;
		begin_inner(pkt, &t);
		enum verdict verdict = parse_link(&c, t.type, pkt);
		if (c.is_cut)
			return PACKET_TRUNCATED;
		if (verdict != PACKET_KEEP && !is_payload(carrier, verdict))
			return verdict == PACKET_TRUNCATED ? PACKET_TUNNEL_HEADER : verdict;
		if (verdict != PACKET_KEEP) {
			*pkt = outer;
			return PACKET_KEEP;
		}
		if (!pkt->vlan)
			pkt->vlan = t.vlan;
		if (!c.carrier)
			return PACKET_KEEP;
	}
}
