// SPDX-License-Identifier: Apache-2.0
#include "collector/ingest/frame.h"

#include "lib/ipfix/wire.h"

#include <netinet/in.h>

#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define ETHERTYPE_MPLS 0x8847
#define ETHERTYPE_PPPOE 0x8864
#define PPP_IP4 0x0021
#define PPP_IP6 0x0057
#define DEPTH_MAX 8 // tags, labels, extension headers

static struct record_mac mac_of(struct buf *b)
{
	struct record_mac mac = {0};
	const uint8_t *p = buf_take(b, sizeof(mac));
	if (p)
		memcpy(&mac, p, sizeof(mac));
	return mac;
}

void frame_ports(struct buf b, struct record *r)
{
	switch (r->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		if (buf_left(&b) < 4)
			return;
		RECORD_SET(r, sport, buf_u16(&b));
		RECORD_SET(r, dport, buf_u16(&b));
		if (r->proto != IPPROTO_TCP || buf_left(&b) < 10)
			return;
		buf_skip(&b, 8);
		RECORD_SET(r, tcp_flags, buf_u16(&b) & 0x0fff); // the rest is the header's length
		return;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (buf_left(&b) < 2)
			return;
		RECORD_SET(r, icmp_type, buf_u8(&b));
		RECORD_SET(r, icmp_code, buf_u8(&b));
		return;
	default:
		return;
	}
}

static bool ip4(struct buf b, struct record *r)
{
	struct buf head = b;
	unsigned words = buf_u8(&head) & 15;
	uint8_t tos = buf_u8(&head);
	uint16_t len = buf_u16(&head);
	buf_skip(&head, 2);
	uint16_t fragment = buf_u16(&head) & 0x1fff;
	buf_skip(&head, 1);
	uint8_t proto = buf_u8(&head);
	buf_skip(&head, 2);
	const uint8_t *addrs = buf_take(&head, 8);
	if (!addrs || words < 5 || len < words * 4)
		return false;
	RECORD_SET(r, tos, tos);
	RECORD_SET(r, bytes, len);
	RECORD_SET(r, proto, proto);
	RECORD_SET(r, src, addr_of_v4(addrs));
	RECORD_SET(r, dst, addr_of_v4(addrs + 4));
	buf_skip(&b, (size_t)words * 4);
	if (fragment == 0 && !b.bad)
		frame_ports(b, r);
	return true;
}

static bool is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_DSTOPTS || next == IPPROTO_AH;
}

// Follows extension headers to the transport header; false: it is not there, or of a later
// fragment.
static bool skip_extensions(struct buf *b, uint8_t *next)
{
	for (int i = 0; is_extension(*next); i++) {
		uint8_t kind = *next;
		struct buf head = *b;
		*next = buf_u8(&head);
		uint8_t len = buf_u8(&head);
		uint16_t fragment = buf_u16(&head);
		if (head.bad || i == DEPTH_MAX)
			return false;
		if (kind == IPPROTO_FRAGMENT)
			len = 0;
		buf_skip(b, kind == IPPROTO_AH ? (len + (size_t)2) * 4 : (len + (size_t)1) * 8);
		if (b->bad || (kind == IPPROTO_FRAGMENT && fragment & 0xfff8))
			return false;
	}
	return true;
}

static bool ip6(struct buf b, struct record *r)
{
	uint32_t first = buf_u32(&b);
	uint16_t len = buf_u16(&b);
	uint8_t next = buf_u8(&b);
	buf_skip(&b, 1);
	const uint8_t *addrs = buf_take(&b, 32);
	if (!addrs)
		return false;
	RECORD_SET(r, tos, (uint8_t)(first >> 20));
	RECORD_SET(r, bytes, len + 40u);
	RECORD_SET(r, src, addr_of_v6(addrs));
	RECORD_SET(r, dst, addr_of_v6(addrs + 16));
	bool has_ports = skip_extensions(&b, &next);
	RECORD_SET(r, proto, next);
	if (has_ports)
		frame_ports(b, r);
	return true;
}

bool frame_ip(struct buf b, struct record *r)
{
	unsigned version = buf_left(&b) ? b.p[0] >> 4 : 0;
	return version == 4 ? ip4(b, r) : version == 6 ? ip6(b, r) : false;
}

// Labels down to the one at the bottom of the stack; the first is the record's.
static bool skip_labels(struct buf *b, struct record *r)
{
	for (int i = 0; i < DEPTH_MAX && !b->bad; i++) {
		uint32_t label = buf_u32(b);
		if (i == 0)
			RECORD_SET(r, mpls_label, label >> 12);
		if (label & 0x100)
			return !b->bad;
	}
	return false;
}

static uint16_t skip_tags(struct buf *b, uint16_t type, struct record *r)
{
	for (int i = 0; (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ) && i < DEPTH_MAX; i++) {
		uint16_t id = buf_u16(b) & 0x0fff;
		type = buf_u16(b);
		if (b->bad)
			return 0;
		if (i == 0)
			RECORD_SET(r, vlan, id);
		else if (i == 1)
			RECORD_SET(r, cvlan, id);
	}
	return type;
}

bool frame_ethernet(struct buf b, struct record *r)
{
	struct record_mac dst = mac_of(&b), src = mac_of(&b);
	uint16_t type = buf_u16(&b);
	if (b.bad)
		return false;
	RECORD_SET(r, dst_mac, dst);
	RECORD_SET(r, src_mac, src);
	type = skip_tags(&b, type, r);
	if (type == ETHERTYPE_PPPOE) {
		buf_skip(&b, 6);
		uint16_t protocol = buf_u16(&b);
		type = protocol == PPP_IP4   ? ETHERTYPE_IP4
		       : protocol == PPP_IP6 ? ETHERTYPE_IP6
					     : 0;
	}
	if (type == ETHERTYPE_MPLS)
		return skip_labels(&b, r) && frame_ip(b, r);
	return !b.bad && (type == ETHERTYPE_IP4 || type == ETHERTYPE_IP6) && frame_ip(b, r);
}
