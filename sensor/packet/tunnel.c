// SPDX-License-Identifier: Apache-2.0
#include "sensor/packet/cursor.h"

#define GRE_CHECKSUM 0x8000
#define GRE_ROUTING 0x4000
#define GRE_KEY 0x2000
#define GRE_SEQUENCE 0x1000
#define GRE_ACK 0x0080
#define GRE_VERSION 0x0007
#define GRE_PPTP 1 // RFC 2637
#define GRE_ERSPAN 0x88be
#define GRE_ERSPAN3 0x22eb

#define NVGRE_VSID_MIN 0x1000 // RFC 7637 §3.2: lower ones and the last are reserved
#define NVGRE_VSID_MAX 0xfffffe

#define ERSPAN2_LEN 8
#define ERSPAN3_LEN 12
#define ERSPAN3_PLATFORM_LEN 8
#define ERSPAN_SESSION_MASK 0x03ff
#define ERSPAN3_IP 2 // its frame type

#define GTP_FLAGS_MASK 0xf0
#define GTP_FLAGS 0x30 // version 1, GTP and not GTP'
#define GTP_OPTIONAL 0x07
#define GTP_EXTENDED 0x04
#define GTP_G_PDU 255
#define GTP_EXTENSIONS_MAX 8

#define L2TP_BEFORE_MAX 12 // cookie 0, 4 or 8 bytes, sublayer 0 or 4 (RFC 3931 §4.6)

// IP without word of its version.
static bool is_ip(struct cursor *c, struct tunnel *t)
{
	if (!cursor_has(c, 1))
		return false;
	uint8_t version = c->b.p[0] >> 4;
	t->type = version == 4 ? ETHERTYPE_IP4 : version == 6 ? ETHERTYPE_IP6 : 0;
	return true;
}

static uint16_t carried_type(uint16_t type)
{
	bool is_read = type == ETHERTYPE_ETHERNET || type == ETHERTYPE_PPP ||
		       (link_is_known(type) && type != ETHERTYPE_ARP);
	return is_read ? type : 0;
}

static bool open_erspan(struct cursor *c, unsigned version, struct tunnel *t)
{
	const uint8_t *p = cursor_take(c, version == 2 ? ERSPAN2_LEN : ERSPAN3_LEN);
	if (!p)
		return false;
	if (p[0] >> 4 != version - 1)
		return true;
	t->kind = version == 2 ? TUNNEL_ERSPAN2 : TUNNEL_ERSPAN3;
	t->vlan = load_u16(p) & VLAN_ID_MASK;
	t->id = load_u16(p + 2) & ERSPAN_SESSION_MASK;
	t->type = ETHERTYPE_ETHERNET;
	if (version == 2)
		return true;
	uint16_t more = load_u16(p + 10);
	if (more & 1 && !cursor_take(c, ERSPAN3_PLATFORM_LEN))
		return false;
	unsigned frame_type = more >> 10 & 0x1f;
	if (frame_type == ERSPAN3_IP)
		return is_ip(c, t);
	t->type = frame_type == 0 ? ETHERTYPE_ETHERNET : 0;
	return true;
}

static bool open_pptp(struct cursor *c, uint16_t flags, uint16_t type, struct tunnel *t)
{
	const uint8_t *p = cursor_take(c, 4); // payload length, call id
	size_t more = (flags & GRE_SEQUENCE ? 4u : 0u) + (flags & GRE_ACK ? 4u : 0u);
	if (!p || !cursor_take(c, more))
		return false;
	t->kind = TUNNEL_PPTP;
	t->id = load_u16(p + 2);
	t->type = type == ETHERTYPE_PPP && flags & GRE_SEQUENCE ? ETHERTYPE_PPP : 0;
	cursor_limit(c, load_u16(p));
	return true;
}

// A key with Ethernet is NVGRE's where it can be: RFC 7637 sets no other mark.
static void name_gre(uint16_t flags, uint16_t type, struct tunnel *t)
{
	uint32_t vsid = t->id >> 8;
	bool only_key = !(flags & (GRE_CHECKSUM | GRE_SEQUENCE)) && flags & GRE_KEY;
	t->kind = TUNNEL_GRE;
	t->type = carried_type(type);
	if (type != ETHERTYPE_ETHERNET || !only_key || vsid < NVGRE_VSID_MIN ||
	    vsid > NVGRE_VSID_MAX)
		return;
	t->kind = TUNNEL_NVGRE;
	t->id = vsid;
}

static bool open_gre(struct cursor *c, struct tunnel *t)
{
	const uint8_t *p = cursor_take(c, 4);
	if (!p)
		return false;
	uint16_t flags = load_u16(p), type = load_u16(p + 2), version = flags & GRE_VERSION;
	if (version == GRE_PPTP)
		return open_pptp(c, flags, type, t);
	if (version || flags & GRE_ROUTING) // source routes are gone since RFC 2784
		return true;
	if (flags & GRE_CHECKSUM && !cursor_take(c, 4))
		return false;
	if (flags & GRE_KEY) {
		if (!(p = cursor_take(c, 4)))
			return false;
		t->id = load_u32(p);
	}
	if (flags & GRE_SEQUENCE && !cursor_take(c, 4))
		return false;
	if (type == GRE_ERSPAN3)
		return open_erspan(c, 3, t);
	if (type == GRE_ERSPAN && flags & GRE_SEQUENCE)
		return open_erspan(c, 2, t);
	name_gre(flags, type, t);
	if (type == GRE_ERSPAN) {
		t->kind = TUNNEL_ERSPAN1;
		t->type = ETHERTYPE_ETHERNET;
	}
	return true;
}

static uint16_t gpe_type(uint8_t next)
{
	static const uint16_t types[] = {
		0, ETHERTYPE_IP4, ETHERTYPE_IP6, ETHERTYPE_ETHERNET, 0, ETHERTYPE_MPLS};
	return next < sizeof(types) / sizeof(types[0]) ? types[next] : 0;
}

static bool open_vxlan(struct cursor *c, struct tunnel *t)
{
	const uint8_t *p = cursor_take(c, 8);
	if (!p)
		return false;
	bool has_id = p[0] & 0x08, has_next = p[0] & 0x04; // RFC 7348 §5, VXLAN-GPE
	if (!has_id)
		return true;
	t->kind = has_next ? TUNNEL_VXLAN_GPE : TUNNEL_VXLAN;
	t->type = has_next ? gpe_type(p[3]) : ETHERTYPE_ETHERNET;
	t->id = load_u32(p + 4) >> 8;
	return true;
}

static bool open_geneve(struct cursor *c, struct tunnel *t)
{
	const uint8_t *p = cursor_take(c, 8);
	if (!p)
		return false;
	if (p[0] >> 6) // its version
		return true;
	t->kind = TUNNEL_GENEVE;
	t->type = carried_type(load_u16(p + 2));
	t->id = load_u32(p + 4) >> 8;
	return cursor_take(c, (size_t)(p[0] & 0x3f) * 4);
}

// 3GPP TS 29.281 §5.2.1: each extension ends with the type of the next one.
static bool skip_gtp_extensions(struct cursor *c, uint8_t next)
{
	for (int n = 0; next; n++) {
		if (n == GTP_EXTENSIONS_MAX || !cursor_has(c, 1))
			return false;
		size_t len = (size_t)c->b.p[0] * 4;
		const uint8_t *p = len ? cursor_take(c, len) : NULL;
		if (!p)
			return false;
		next = p[len - 1];
	}
	return true;
}

static bool open_gtp(struct cursor *c, struct tunnel *t)
{
	const uint8_t *p = cursor_take(c, 8);
	if (!p)
		return false;
	uint8_t flags = p[0];
	if ((flags & GTP_FLAGS_MASK) != GTP_FLAGS || p[1] != GTP_G_PDU)
		return true;
	t->kind = TUNNEL_GTP;
	t->id = load_u32(p + 4);
	cursor_limit(c, load_u16(p + 2));
	if (flags & GTP_OPTIONAL) {
		if (!(p = cursor_take(c, 4)))
			return false;
		if (flags & GTP_EXTENDED && !skip_gtp_extensions(c, p[3]))
			return false;
	}
	return is_ip(c, t);
}

// Whether an IP packet in Ethernet may begin there.
static bool looks_like_ethernet(const uint8_t *p)
{
	uint16_t type = load_u16(p + 12);
	if (type == ETHERTYPE_IP4)
		return p[14] >> 4 == 4 && (p[14] & 0x0f) >= 5;
	if (type == ETHERTYPE_IP6)
		return p[14] >> 4 == 6;
	return is_vlan(type);
}

// How much stands before the frame was agreed upon when the session began: it is looked for.
static bool open_l2tp(struct cursor *c, struct tunnel *t)
{
	const uint8_t *p = cursor_take(c, 4);
	if (!p)
		return false;
	t->kind = TUNNEL_L2TP3;
	t->id = load_u32(p);
	if (t->id == 0) // control
		return true;
	for (size_t before = 0; before <= L2TP_BEFORE_MAX; before += 4) {
		if (!cursor_has(c, before + ETHER_HEADER_LEN + 1))
			return !c->is_cut;
		if (!looks_like_ethernet(c->b.p + before))
			continue;
		(void)cursor_take(c, before);
		t->type = ETHERTYPE_ETHERNET;
		break;
	}
	return true;
}

static bool take_udp(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, UDP_HEADER_LEN);
	size_t len = p ? load_u16(p + 4) : 0;
	if (len >= UDP_HEADER_LEN)
		cursor_limit(c, len - UDP_HEADER_LEN);
	return p;
}

bool tunnel_open(struct cursor *c, bool is_ip4, struct tunnel *ret_tunnel)
{
	struct tunnel *t = ret_tunnel;
	*t = (struct tunnel){};
	cursor_limit(c, c->ip_left);
	if (c->carrier >= CARRIER_VXLAN && !take_udp(c))
		return false;
	switch ((enum carrier)c->carrier) {
	case CARRIER_IP4:
		t->kind = is_ip4 ? TUNNEL_IP4_IP4 : TUNNEL_IP6_IP4;
		t->type = ETHERTYPE_IP4;
		return true;
	case CARRIER_IP6:
		t->kind = is_ip4 ? TUNNEL_IP4_IP6 : TUNNEL_IP6_IP6;
		t->type = ETHERTYPE_IP6;
		return true;
	case CARRIER_GRE:
		return open_gre(c, t);
	case CARRIER_L2TP:
		return open_l2tp(c, t);
	case CARRIER_VXLAN:
		return open_vxlan(c, t);
	case CARRIER_GENEVE:
		return open_geneve(c, t);
	case CARRIER_GTP:
		return open_gtp(c, t);
	case CARRIER_NONE:
		break;
	}
	return true;
}
