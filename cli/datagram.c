// SPDX-License-Identifier: Apache-2.0
#include "cli/datagram.h"

#include "lib/base/buf.h"

#define ETHER_IPV4 0x0800
#define ETHER_IPV6 0x86dd
#define ETHER_VLAN 0x8100
#define ETHER_QINQ 0x88a8
#define ETHER_QINQ_OLD 0x9100
#define VLANS_MAX 4
#define PROTO_UDP 17
#define PROTO_FRAGMENT 44
#define EXTENSIONS_MAX 8

const char *datagram_reason_text(enum datagram_reason reason)
{
	static const char *const texts[DATAGRAM_N] = {
		[DATAGRAM_OK] = "taken",
		[DATAGRAM_LINK] = "unknown link type",
		[DATAGRAM_NOT_IP] = "not IP",
		[DATAGRAM_NOT_UDP] = "not UDP",
		[DATAGRAM_FRAGMENT] = "IP fragment",
		[DATAGRAM_CUT] = "cut short",
	};
	return texts[reason];
}

// What follows the link's header: the cursor is moved to it.
static uint16_t ether_type(struct buf *b)
{
	uint16_t type = buf_u16(b);
	for (int i = 0; i < VLANS_MAX; i++) {
		if (type != ETHER_VLAN && type != ETHER_QINQ && type != ETHER_QINQ_OLD)
			break;
		buf_skip(b, 2);
		type = buf_u16(b);
	}
	return type;
}

// The IP version, 0 for another protocol.
static unsigned ip_version(struct buf *b, uint16_t link, enum datagram_reason *ret_reason)
{
	uint16_t type;
	*ret_reason = DATAGRAM_NOT_IP;
	switch (link) {
	case LINK_ETHERNET:
		buf_skip(b, 12);
		type = ether_type(b);
		break;
	case LINK_SLL:
		buf_skip(b, 14);
		type = ether_type(b);
		break;
	case LINK_SLL2:
		type = buf_u16(b);
		buf_skip(b, 18);
		break;
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_IPV4:
	case LINK_IPV6:
		return buf_left(b) ? *b->p >> 4 : 0;
	default:
		*ret_reason = DATAGRAM_LINK;
		return 0;
	}
	return type == ETHER_IPV4 ? 4 : type == ETHER_IPV6 ? 6 : 0;
}

// Leaves the cursor on the UDP header, within the packet's own length.
static enum datagram_reason take_ip4(struct buf *b, struct datagram *d)
{
	struct buf head = *b;
	unsigned head_len = (buf_u8(&head) & 0x0fu) * 4;
	buf_skip(&head, 1);
	uint16_t len = buf_u16(&head);
	buf_skip(&head, 2);
	uint16_t fragment = buf_u16(&head);
	buf_skip(&head, 1);
	uint8_t proto = buf_u8(&head);
	buf_skip(&head, 2);
	const uint8_t *addrs = buf_take(&head, 8);
	if (!addrs || head_len < 20 || len < head_len || len > buf_left(b))
		return DATAGRAM_CUT;
	if (fragment & 0x3fff) // more to come, or not the first
		return DATAGRAM_FRAGMENT;
	if (proto != PROTO_UDP)
		return DATAGRAM_NOT_UDP;
	d->src = addr_of_v4(addrs);
	d->dst = addr_of_v4(addrs + 4);
	*b = buf_of(b->p + head_len, len - head_len);
	return DATAGRAM_OK;
}

static bool is_extension(uint8_t proto)
{
	return proto == 0 || proto == 43 || proto == 60; // hop-by-hop, routing, destination
}

static enum datagram_reason take_ip6(struct buf *b, struct datagram *d)
{
	struct buf head = *b;
	buf_skip(&head, 4);
	uint16_t len = buf_u16(&head);
	uint8_t proto = buf_u8(&head);
	buf_skip(&head, 1);
	const uint8_t *addrs = buf_take(&head, 32);
	if (!addrs || len > buf_left(&head))
		return DATAGRAM_CUT;
	*b = buf_sub(&head, len);
	for (int i = 0; is_extension(proto) && i < EXTENSIONS_MAX; i++) {
		proto = buf_u8(b);
		buf_skip(b, buf_u8(b) * 8u + 6);
	}
	if (b->bad)
		return DATAGRAM_CUT;
	if (proto == PROTO_FRAGMENT)
		return DATAGRAM_FRAGMENT;
	if (proto != PROTO_UDP)
		return DATAGRAM_NOT_UDP;
	d->src = addr_of_v6(addrs);
	d->dst = addr_of_v6(addrs + 16);
	return DATAGRAM_OK;
}

enum datagram_reason
datagram_parse(const struct pcapfile_packet *packet, struct datagram *ret_datagram)
{
	struct buf b = buf_of(packet->data, packet->len);
	enum datagram_reason reason;
	struct datagram d = {};
	unsigned version = ip_version(&b, packet->link, &reason);
	if (b.bad)
		return DATAGRAM_CUT;
	if (version != 4 && version != 6)
		return reason;
	reason = version == 4 ? take_ip4(&b, &d) : take_ip6(&b, &d);
	if (reason != DATAGRAM_OK)
		return reason;
	d.sport = buf_u16(&b);
	d.dport = buf_u16(&b);
	uint16_t len = buf_u16(&b);
	buf_skip(&b, 2);
	if (b.bad || len < 8 || len - 8u > buf_left(&b))
		return DATAGRAM_CUT;
	d.len = len - 8u;
	d.data = b.p;
	*ret_datagram = d;
	return DATAGRAM_OK;
}
