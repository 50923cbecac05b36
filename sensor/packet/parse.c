// SPDX-License-Identifier: Apache-2.0
#include "sensor/packet/parse.h"

#include "sensor/packet/cursor.h"

#define IP6_EXT_MAX 8

#define IP4_HEADER_LEN 20
#define IP6_HEADER_LEN 40
#define TCP_HEADER_LEN 20
#define IP6_JUMBO_OPTION 0xc2 // RFC 2675 §2
#define GENEVE_PORT 6081
#define GTP_PORT 2152

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
static inline void
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
static inline void parse_tcp(const struct cursor *c, size_t ip_left, struct packet *pkt)
{
	const uint8_t *p = c->b.p;
	if (ip_left < 14 || buf_left(&c->b) < 14)
		return;
	bool has_window = ip_left >= 16 && buf_left(&c->b) >= 16;
	pkt->tcp_flags = load_u16(p + 12) & 0x0fff;
	pkt->tcp_window = has_window ? load_u16(p + 14) : UINT16_MAX;
	pkt->tcp_seq = load_u32(p + 4);
	size_t header_len = (size_t)(p[12] >> 4) * 4;
	if (header_len < TCP_HEADER_LEN || header_len > ip_left)
		return;
	size_t len = ip_left - header_len;
	pkt->tcp_len = (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX);
	put_payload(c, ip_left, header_len, pkt);
}

static inline void parse_udp(const struct cursor *c, size_t ip_left, struct packet *pkt)
{
	if (buf_left(&c->b) < UDP_HEADER_LEN)
		return;
	size_t len = load_u16(c->b.p + 4); // 0 of a jumbogram (RFC 2675 §4)
	put_payload(c, len && len < ip_left ? len : ip_left, UDP_HEADER_LEN, pkt);
}

static __attribute__((noinline)) uint8_t udp_carrier(const struct parse_options *o, uint16_t port)
{
	for (unsigned i = 0; i < o->n_vxlan_ports; i++)
		if (o->vxlan_ports[i] == port)
			return CARRIER_VXLAN;
	return port == GENEVE_PORT ? CARRIER_GENEVE : port == GTP_PORT ? CARRIER_GTP : CARRIER_NONE;
}

static uint8_t ip_carrier(uint8_t proto)
{
	switch (proto) {
	case PROTO_IP4:
		return CARRIER_IP4;
	case PROTO_IP6:
		return CARRIER_IP6;
	case PROTO_GRE:
		return CARRIER_GRE;
	case PROTO_L2TP:
		return CARRIER_L2TP;
	default:
		return CARRIER_NONE;
	}
}

// Ports of what has them. TCP and UDP come here in nearly all cases.
static inline enum verdict parse_ports(struct cursor *c, size_t ip_left, struct packet *pkt)
{
	const uint8_t *p = c->b.p;
	if (ip_left < 4)
		return PACKET_L4_HEADER;
	if (!cursor_has(c, 4))
		return PACKET_TRUNCATED;
	pkt->sport = load_u16(p);
	pkt->dport = load_u16(p + 2);
	if (pkt->proto == PROTO_TCP) {
		parse_tcp(c, ip_left, pkt);
	} else if (pkt->proto == PROTO_UDP) {
		parse_udp(c, ip_left, pkt);
		if (__builtin_expect(c->o->udp_ports >> (pkt->dport & 63) & 1, 0))
			c->carrier = udp_carrier(c->o, pkt->dport);
	}
	return PACKET_KEEP;
}

// `ip_left` bytes of the IP packet follow, as its header says.
static inline enum verdict parse_l4(struct cursor *c, size_t ip_left, struct packet *pkt)
{
	c->ip_left = ip_left;
	switch (pkt->proto) {
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_DCCP:
	case PROTO_SCTP:
	case PROTO_UDPLITE:
		return parse_ports(c, ip_left, pkt);
	case PROTO_ICMP:
	case PROTO_ICMP6:
		if (ip_left < 2)
			return PACKET_L4_HEADER;
		if (!cursor_has(c, 2))
			return PACKET_TRUNCATED;
		parse_icmp(c->b.p, pkt);
		return PACKET_KEEP;
	default: // a protocol without ports we know
		c->carrier = ip_carrier(pkt->proto);
		return PACKET_KEEP;
	}
}

static void put_fragment(struct packet *pkt, uint16_t fragment, uint32_t id, size_t len)
{
	pkt->fragment = fragment;
	pkt->fragment_id = id;
	pkt->fragment_len = (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX);
}

static inline enum verdict parse_ip4(struct cursor *c, struct packet *pkt)
{
	size_t frame_left = c->frame_left;
	const uint8_t *p = cursor_take(c, IP4_HEADER_LEN);
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
	pkt->ttl = p[8];
	pkt->proto = p[9];
	pkt->bytes = total;
	uint16_t fragment = load_u16(p + 6) & (FRAGMENT_MORE | FRAGMENT_OFFSET);
	if (__builtin_expect(fragment, 0)) {
		put_fragment(pkt, fragment, load_u16(p + 4), total - header_len);
		if (fragment & FRAGMENT_OFFSET) // its ports are elsewhere
			return PACKET_KEEP;
	}
	if (header_len > IP4_HEADER_LEN && !cursor_take(c, header_len - IP4_HEADER_LEN))
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

// Of an IPv6 packet's fragment header (RFC 8200 §4.5). One that is all of its packet (RFC 6946) is
// no fragment.
static void put_fragment6(struct packet *pkt, const uint8_t *p, size_t len)
{
	uint16_t at = load_u16(p + 2);
	uint16_t fragment = (uint16_t)(at >> 3 | (at & 1 ? FRAGMENT_MORE : 0));
	if (fragment)
		put_fragment(pkt, fragment, load_u32(p + 4), len);
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
		if (!cursor_has(c, 8))
			return PACKET_TRUNCATED;
		size_t len = ip6_ext_len(pkt->proto, c->b.p);
		const uint8_t *p = cursor_take(c, len);
		if (!p)
			return PACKET_TRUNCATED;
		bool may_be_jumbo = !has_length && pkt->proto == IP6_HOP_BY_HOP;
		size_t jumbo = may_be_jumbo ? jumbo_payload(p, len) : 0;
		if (jumbo > UINT16_MAX) {
			payload = jumbo;
			pkt->bytes = IP6_HEADER_LEN + payload;
		}
		seen += len;
		if (pkt->proto == IP6_FRAGMENT)
			put_fragment6(pkt, p, payload > seen ? payload - seen : 0);
		pkt->proto = p[0];
		if (pkt->fragment & FRAGMENT_OFFSET) // of the protocol its header names,
			return PACKET_KEEP;	     // without ports
	}
	return parse_l4(c, payload > seen ? payload - seen : 0, pkt);
}

static inline enum verdict parse_ip6(struct cursor *c, struct packet *pkt)
{
	const uint8_t *p = cursor_take(c, IP6_HEADER_LEN);
	if (!p)
		return PACKET_TRUNCATED;
	if (p[0] >> 4 != 6)
		return PACKET_IP_VERSION;
	size_t payload = load_u16(p + 4);
	bool has_length = payload > 0;
	pkt->proto = p[6];
	pkt->ttl = p[7];
	if (!has_length && pkt->proto != IP6_NONE) // a jumbogram, or left to the NIC
		payload = c->frame_left;
	pkt->bytes = IP6_HEADER_LEN + payload;
	pkt->tos = (uint8_t)(load_u16(p) >> 4);
	pkt->src = addr_of_v6(p + 8);
	pkt->dst = addr_of_v6(p + 24);
	if (__builtin_expect(is_ip6_ext(pkt->proto), 0))
		return parse_ip6_chain(c, payload, has_length, pkt);
	return parse_l4(c, payload, pkt);
}

enum verdict parse_ip(struct cursor *c, uint16_t type, struct packet *pkt)
{
	return type == ETHERTYPE_IP4 ? parse_ip4(c, pkt) : parse_ip6(c, pkt);
}

// Handed over by value: a cursor whose address is taken would have to live in memory.
static __attribute__((noinline)) enum verdict
parse_other(struct cursor c, uint16_t type, struct packet *pkt)
{
	enum verdict verdict = parse_link(&c, type, pkt);
	if (verdict == PACKET_KEEP && c.carrier && c.o->inner)
		return parse_inside(&c, pkt);
	return verdict;
}

static __attribute__((noinline)) enum verdict open_tunnel(struct cursor c, struct packet *pkt)
{
	return parse_inside(&c, pkt);
}

enum verdict parse_frame(
	const struct parse_options *o,
	const uint8_t *frame,
	size_t len,
	size_t frame_len,
	struct packet *ret_packet
)
{
	struct packet *pkt = ret_packet;
	struct cursor c = {
		.b = buf_of(frame, len), .frame_len = frame_len < len ? len : frame_len, .o = o};
	c.frame_left = c.frame_len;
	const uint8_t *p = cursor_take(&c, ETHER_HEADER_LEN);
	if (!p)
		return PACKET_TRUNCATED;
	uint16_t type = load_u16(p + 12);

	memset(&pkt->tunnel, 0, offsetof(struct packet, macs) - offsetof(struct packet, tunnel));
	memcpy(pkt->macs, p, sizeof(pkt->macs));
	enum verdict verdict = is_vlan(type) ? parse_tags(&c, &type, pkt) : PACKET_KEEP;
	if (verdict != PACKET_KEEP)
		return verdict;
	if (type == ETHERTYPE_IP4)
		verdict = parse_ip4(&c, pkt);
	else if (type == ETHERTYPE_IP6)
		verdict = parse_ip6(&c, pkt);
	else
		return parse_other(c, type, pkt);
	if (__builtin_expect(c.carrier && o->inner && verdict == PACKET_KEEP, 0))
		return open_tunnel(c, pkt);
	return verdict;
}

void parse_options_init(
	struct parse_options *o, bool inner, const uint16_t *vxlan_ports, unsigned n_vxlan_ports
)
{
	*o = (struct parse_options
	){.inner = inner, .vxlan_ports = {PARSE_VXLAN_PORT}, .n_vxlan_ports = 1};
	if (n_vxlan_ports > PARSE_VXLAN_PORTS_MAX)
		n_vxlan_ports = PARSE_VXLAN_PORTS_MAX;
	if (n_vxlan_ports)
		o->n_vxlan_ports = n_vxlan_ports;
	for (unsigned i = 0; i < n_vxlan_ports; i++)
		o->vxlan_ports[i] = vxlan_ports[i];
	if (!inner)
		return;
	o->udp_ports = 1ull << (GENEVE_PORT & 63) | 1ull << (GTP_PORT & 63);
	for (unsigned i = 0; i < o->n_vxlan_ports; i++)
		o->udp_ports |= 1ull << (o->vxlan_ports[i] & 63);
}
