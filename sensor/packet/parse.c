// SPDX-License-Identifier: Apache-2.0
#include "sensor/packet/parse.h"

#include "lib/base/buf.h"

#define VLAN_TAGS_MAX 2
#define IP6_EXT_MAX 8

#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define ETHERTYPE_QINQ_OLD 0x9100 // before 802.1ad, still in use

#define IP4_HEADER_LEN 20
#define IP6_HEADER_LEN 40
#define TCP_HEADER_LEN 20
#define UDP_HEADER_LEN 8
#define IP6_JUMBO_OPTION 0xc2 // RFC 2675 §2
#define VLAN_ID_MASK 0x0fff

enum ip6_next {
	IP6_HOP_BY_HOP = 0,
	IP6_ROUTING = 43,
	IP6_FRAGMENT = 44,
	IP6_AUTH = 51,
	IP6_NONE = 59,
	IP6_DEST_OPTIONS = 60,
	IP6_MOBILITY = 135,
	IP6_HIP = 139,
	IP6_SHIM6 = 140,
};

// What is left to read of a frame. `frame_left` counts the bytes that the frame has from b.p on,
// which may be more than were captured.
struct cursor {
	struct buf b;
	size_t frame_left, frame_len;
};

static uint16_t load_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static const uint8_t *take(struct cursor *c, size_t n)
{
	const uint8_t *p = buf_take(&c->b, n);
	c->frame_left -= p ? n : 0;
	return p;
}

// ICMP has no ports; its conversations are told apart by type and code, a question and its answer
// being one (RFC 792, RFC 4443). The value stands in both ports, so that the order of the ends is
// left to the addresses.
static uint16_t icmp_conversation(uint8_t proto, uint8_t type, uint8_t code)
{
	if (proto == PROTO_ICMP) {
		if (type == 0) // echo reply
			type = 8;
		else if (type == 14 || type == 16 || type == 18) // timestamp, information, mask
			type--;
	} else if (type == 129) { // echo reply
		type = 128;
	}
	return (uint16_t)(type << 8 | code);
}

static void parse_icmp(const uint8_t *p, struct packet *pkt)
{
	pkt->icmp_type = p[0];
	pkt->icmp_code = p[1];
	pkt->sport = pkt->dport = icmp_conversation(pkt->proto, p[0], p[1]);
}

// Where the payload behind `header_len` bytes of header lies, if there is any in the frame.
static void
put_payload(const struct cursor *c, size_t ip_left, size_t header_len, struct packet *pkt)
{
	size_t at = c->frame_len - c->frame_left + header_len;
	if (ip_left <= header_len || c->frame_left <= header_len || at > UINT16_MAX)
		return;
	size_t len = ip_left < c->frame_left ? ip_left : c->frame_left;
	len -= header_len;
	pkt->payload_at = (uint16_t)at;
	pkt->payload_len = (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX);
}

// A first fragment may end before the flags (RFC 1858 §3): a flow all the same.
static void parse_tcp(const struct cursor *c, size_t ip_left, struct packet *pkt)
{
	const uint8_t *p = c->b.p;
	if (ip_left < 14 || buf_left(&c->b) < 14)
		return;
	pkt->tcp_flags = load_u16(p + 12) & 0x0fff;
	pkt->tcp_seq = (uint32_t)load_u16(p + 4) << 16 | load_u16(p + 6);
	size_t header_len = (size_t)(p[12] >> 4) * 4;
	if (header_len >= TCP_HEADER_LEN)
		put_payload(c, ip_left, header_len, pkt);
}

static void parse_udp(const struct cursor *c, size_t ip_left, struct packet *pkt)
{
	if (buf_left(&c->b) < UDP_HEADER_LEN)
		return;
	size_t len = load_u16(c->b.p + 4); // 0 of a jumbogram (RFC 2675 §4)
	put_payload(c, len && len < ip_left ? len : ip_left, UDP_HEADER_LEN, pkt);
}

// `ip_left` bytes of the IP packet follow, as its header says.
static enum verdict parse_l4(struct cursor *c, size_t ip_left, struct packet *pkt)
{
	size_t need = 4, have = buf_left(&c->b);
	const uint8_t *p = c->b.p;

	switch (pkt->proto) {
	case PROTO_ICMP:
	case PROTO_ICMP6:
		need = 2;
		break;
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_DCCP:
	case PROTO_SCTP:
	case PROTO_UDPLITE:
		break;
	default: // a protocol without ports we know
		return PACKET_KEEP;
	}
	if (ip_left < need)
		return PACKET_L4_HEADER;
	if (have < need)
		return PACKET_TRUNCATED;
	if (need == 2) {
		parse_icmp(p, pkt);
		return PACKET_KEEP;
	}
	pkt->sport = load_u16(p);
	pkt->dport = load_u16(p + 2);
	if (pkt->proto == PROTO_TCP)
		parse_tcp(c, ip_left, pkt);
	else if (pkt->proto == PROTO_UDP)
		parse_udp(c, ip_left, pkt);
	return PACKET_KEEP;
}

static enum verdict parse_ip4(struct cursor *c, struct packet *pkt)
{
	size_t frame_left = c->frame_left;
	const uint8_t *p = take(c, IP4_HEADER_LEN);
	if (!p)
		return PACKET_TRUNCATED;
	size_t header_len = (size_t)(p[0] & 0x0f) * 4;
	size_t total = load_u16(p + 2);
	if (p[0] >> 4 != 4)
		return PACKET_IP_VERSION;
	if (total == 0) // left to the NIC by segmentation offload: the frame tells
		total = frame_left;
	if (header_len < IP4_HEADER_LEN || total < header_len)
		return PACKET_IP_HEADER;

	pkt->src = addr_of_v4(p + 12);
	pkt->dst = addr_of_v4(p + 16);
	pkt->tos = p[1];
	pkt->proto = p[9];
	pkt->bytes = total;
	if (load_u16(p + 6) & 0x1fff) // not the first fragment: its ports are elsewhere
		return PACKET_KEEP;
	if (header_len > IP4_HEADER_LEN && !take(c, header_len - IP4_HEADER_LEN))
		return PACKET_TRUNCATED;
	return parse_l4(c, total - header_len, pkt);
}

// The payload length in a jumbo option of the hop-by-hop header (RFC 2675), or 0.
static size_t jumbo_payload(const uint8_t *p, size_t len)
{
	struct buf options = buf_of(p + 2, len - 2);
	while (buf_left(&options) > 0) {
		uint8_t type = buf_u8(&options);
		if (type == 0) // Pad1 has no length
			continue;
		uint8_t n = buf_u8(&options);
		if (type == IP6_JUMBO_OPTION && n == 4)
			return buf_u32(&options);
		buf_skip(&options, n);
	}
	return 0;
}

// The length of an extension header, or 0 when `next` is none.
static size_t ip6_ext_len(uint8_t next, const uint8_t *p)
{
	switch (next) {
	case IP6_HOP_BY_HOP:
	case IP6_ROUTING:
	case IP6_DEST_OPTIONS:
	case IP6_MOBILITY:
	case IP6_HIP:
	case IP6_SHIM6:
		return ((size_t)p[1] + 1) * 8;
	case IP6_FRAGMENT:
		return 8;
	case IP6_AUTH: // in words of 4 bytes, less 2 (RFC 4302 §2.2)
		return ((size_t)p[1] + 2) * 4;
	default:
		return 0;
	}
}

static bool is_ip6_ext(uint8_t next)
{
	static const uint8_t none[2];
	return ip6_ext_len(next, none) != 0;
}

// The chain of extension headers (RFC 8200 §4) and what it leads to. pkt->proto is the first next
// header. Only where the IPv6 header gives no length may an option do so (RFC 2675 §3).
static enum verdict
parse_ip6_chain(struct cursor *c, size_t payload, bool has_length, struct packet *pkt)
{
	size_t seen = 0; // bytes of extension headers
	for (int depth = 0; is_ip6_ext(pkt->proto); depth++) {
		if (depth == IP6_EXT_MAX)
			return PACKET_IP6_EXT_DEPTH;
		if (buf_left(&c->b) < 8)
			return PACKET_TRUNCATED;
		size_t len = ip6_ext_len(pkt->proto, c->b.p);
		const uint8_t *p = take(c, len);
		if (!p)
			return PACKET_TRUNCATED;
		bool may_be_jumbo = !has_length && pkt->proto == IP6_HOP_BY_HOP;
		size_t jumbo = may_be_jumbo ? jumbo_payload(p, len) : 0;
		if (jumbo > UINT16_MAX) {
			payload = jumbo;
			pkt->bytes = IP6_HEADER_LEN + payload;
		}
		bool later_fragment = pkt->proto == IP6_FRAGMENT && load_u16(p + 2) & 0xfff8;
		pkt->proto = p[0];
		seen += len;
		if (later_fragment)
			return PACKET_KEEP; // of the protocol its fragment header names, without
					    // ports
	}
	return parse_l4(c, payload > seen ? payload - seen : 0, pkt);
}

static enum verdict parse_ip6(struct cursor *c, struct packet *pkt)
{
	const uint8_t *p = take(c, IP6_HEADER_LEN);
	if (!p)
		return PACKET_TRUNCATED;
	if (p[0] >> 4 != 6)
		return PACKET_IP_VERSION;
	size_t payload = load_u16(p + 4);
	bool has_length = payload > 0;
	pkt->proto = p[6];
	if (!has_length && pkt->proto != IP6_NONE) // a jumbogram, or left to the NIC
		payload = c->frame_left;
	pkt->bytes = IP6_HEADER_LEN + payload;
	pkt->tos = (uint8_t)(load_u16(p) >> 4);
	pkt->src = addr_of_v6(p + 8);
	pkt->dst = addr_of_v6(p + 24);
	return parse_ip6_chain(c, payload, has_length, pkt);
}

static bool is_vlan(uint16_t type)
{
	return type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_QINQ_OLD;
}

// VLAN tags up to the EtherType that is none.
static enum verdict parse_tags(struct cursor *c, uint16_t *type, struct packet *pkt)
{
	for (int depth = 0; is_vlan(*type); depth++) {
		const uint8_t *p = take(c, 4);
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

enum verdict
parse_frame(const uint8_t *frame, size_t len, size_t frame_len, struct packet *ret_packet)
{
	struct packet *pkt = ret_packet;
	struct cursor c = {.b = buf_of(frame, len), .frame_len = frame_len < len ? len : frame_len};
	c.frame_left = c.frame_len;
	const uint8_t *p = take(&c, 14);
	if (!p)
		return PACKET_TRUNCATED;
	uint16_t type = load_u16(p + 12);

	memcpy(pkt->macs, p, sizeof(pkt->macs));
	pkt->tunnel_id = 0;
	pkt->tunnel_kind = TUNNEL_NONE;
	pkt->sport = pkt->dport = 0;
	pkt->vlan = pkt->cvlan = 0;
	pkt->tcp_flags = 0;
	pkt->payload_at = pkt->payload_len = 0;
	pkt->tcp_seq = 0;
	pkt->icmp_type = pkt->icmp_code = 0;

	enum verdict verdict = is_vlan(type) ? parse_tags(&c, &type, pkt) : PACKET_KEEP;
	if (verdict != PACKET_KEEP)
		return verdict;
	if (type == ETHERTYPE_IP4)
		return parse_ip4(&c, pkt);
	if (type == ETHERTYPE_IP6)
		return parse_ip6(&c, pkt);
	return PACKET_NOT_IP; // also a length: 802.3 with LLC
}
