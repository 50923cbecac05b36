// SPDX-License-Identifier: Apache-2.0
#pragma once

// For parse.c, link.c and tunnel.c: what is left to read of a frame. Bytes that the frame has but
// that were not captured are told from those that it does not have: the first only make a packet
// unreadable, the second make it malformed.
// Thread: worker.

#include "lib/base/buf.h"
#include "sensor/packet/parse.h"

#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_ETHERNET 0x6558 // transparent Ethernet bridging
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IP6 0x86dd
#define ETHERTYPE_PPP 0x880b
#define ETHERTYPE_MPLS 0x8847
#define ETHERTYPE_MPLS_MULTICAST 0x8848
#define ETHERTYPE_PPPOE_DISCOVERY 0x8863
#define ETHERTYPE_PPPOE 0x8864
#define ETHERTYPE_QINQ 0x88a8
#define ETHERTYPE_QINQ_OLD 0x9100 // before 802.1ad, still in use

#define ETHER_HEADER_LEN 14
#define UDP_HEADER_LEN 8
#define VLAN_TAGS_MAX 2
#define VLAN_ID_MASK 0x0fff

// What a transport header may be the outside of.
enum carrier {
	CARRIER_NONE,
	CARRIER_IP4,
	CARRIER_IP6,
	CARRIER_GRE,
	CARRIER_L2TP,
	CARRIER_VXLAN, // from here on: UDP, and only its port says so
	CARRIER_GENEVE,
	CARRIER_GTP,
};

struct cursor {
	struct buf b;	   // what was captured
	size_t frame_left; // bytes that the frame has from b.p on, captured or not
	size_t frame_len;
	size_t ip_left; // at a carrier: bytes of its IP packet from there
	const struct parse_options *o;
	uint8_t carrier; // enum carrier: what the transport header at hand may be
	bool is_cut;	 // a header was missed that the frame has
};

static inline uint16_t load_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t load_u32(const uint8_t *p)
{
	return (uint32_t)load_u16(p) << 16 | load_u16(p + 2);
}

// True when n more bytes can be read.
static inline bool cursor_has(struct cursor *c, size_t n)
{
	if (__builtin_expect(buf_left(&c->b) >= n, 1))
		return true;
	c->is_cut |= c->frame_left >= n;
	return false;
}

static inline const uint8_t *cursor_take(struct cursor *c, size_t n)
{
	if (!cursor_has(c, n))
		return NULL;
	const uint8_t *p = c->b.p;
	c->b.p += n;
	c->frame_left -= n;
	return p;
}

// Nothing beyond the next n bytes belongs to what is read.
static inline void cursor_limit(struct cursor *c, size_t n)
{
	if (n < c->frame_left) {
		c->frame_len -= c->frame_left - n;
		c->frame_left = n;
	}
	if (buf_left(&c->b) > n)
		c->b.end = c->b.p + n;
}

static inline bool is_vlan(uint16_t type)
{
	return type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_QINQ_OLD;
}

// VLAN tags up to the EtherType that is none.
static inline enum verdict parse_tags(struct cursor *c, uint16_t *type, struct packet *pkt)
{
	for (int depth = 0; is_vlan(*type); depth++) {
		const uint8_t *p = cursor_take(c, 4);
		if (depth == VLAN_TAGS_MAX)
			return PACKET_VLAN_DEPTH;
		if (!p)
			return PACKET_TRUNCATED;
		uint16_t id = load_u16(p) & VLAN_ID_MASK;
		if (depth == 0)
			pkt->vlan = id;
		else
			pkt->cvlan = id;
		*type = load_u16(p + 2);
	}
	return PACKET_KEEP;
}

// parse.c: an IP packet, of which the EtherType says the version.
enum verdict parse_ip(struct cursor *c, uint16_t type, struct packet *pkt);

// link.c: whatever stands between an EtherType and the IP packet.
enum verdict parse_link(struct cursor *c, uint16_t type, struct packet *pkt);

// link.c: the packet in pkt's tunnel, and in that one's; pkt itself where there is none.
enum verdict parse_inside(const struct cursor *at, struct packet *pkt);

// Whether a frame is likely to have this EtherType, where nothing but the bytes tells.
bool link_is_known(uint16_t type);

// What tunnel.c found: its kind and id, the EtherType of what it carries, 0 when that is nothing to
// look into, and the VLAN that the carried frame was taken from, 0 when it says so itself.
struct tunnel {
	uint32_t id;
	uint16_t type;
	uint16_t vlan;
	uint8_t kind; // enum tunnel_kind
};

// tunnel.c: takes the tunnel's header. False: the packet ends within it.
bool tunnel_open(struct cursor *c, bool is_ip4, struct tunnel *ret_tunnel);
