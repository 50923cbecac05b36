// SPDX-License-Identifier: Apache-2.0
#include "lib/nfdump/record.h"

#include "lib/base/clock.h"
#include "lib/nfdump/format.h"

#include <errno.h>

#define PROTO_ICMP 1
#define PROTO_ICMP6 58
#define MS_MAX (UINT64_MAX / NS_PER_MSEC)

enum element {
#define TAKEN(id, what, len, name) ELEMENT_##what = (id),
#define LEFT(id, name)
#include "lib/nfdump/elements.def"
#undef TAKEN
#undef LEFT
};

static const char *const names[NFDUMP_N_ELEMENTS] = {
#define TAKEN(id, what, len, name) [id] = (name),
#define LEFT(id, name) [id] = (name),
#include "lib/nfdump/elements.def"
#undef TAKEN
#undef LEFT
};

// 0: an element that is not taken.
static const uint8_t lens[NFDUMP_N_ELEMENTS] = {
#define TAKEN(id, what, len, name) [id] = (len),
#define LEFT(id, name)
#include "lib/nfdump/elements.def"
#undef TAKEN
#undef LEFT
};

const char *nfdump_element_name(unsigned id)
{
	return id < NFDUMP_N_ELEMENTS && names[id] ? names[id] : "unknown element";
}

// Addresses are numbers in host order: IPv4 one of 32 bits, IPv6 two of 64.
static struct addr get_addr4(const uint8_t *p)
{
	uint32_t be = htobe32(nfdump_u32(p));
	return addr_of_v4(&be);
}

static struct addr get_addr6(const uint8_t *p)
{
	uint64_t be[2] = {htobe64(nfdump_u64(p)), htobe64(nfdump_u64(p + 8))};
	return addr_of_v6(be);
}

static void put_addr4(uint8_t *p, const struct addr *a)
{
	uint32_t be;
	memcpy(&be, a->b + 12, sizeof(be));
	nfdump_put_u32(p, be32toh(be));
}

static void put_addr6(uint8_t *p, const struct addr *a)
{
	uint64_t be[2];
	memcpy(be, a->b, sizeof(be));
	nfdump_put_u64(p, be64toh(be[0]));
	nfdump_put_u64(p + 8, be64toh(be[1]));
}

static bool is_none(const struct addr *a)
{
	static const struct addr zero;
	static const uint8_t v4_zero[4];
	struct addr zero4 = addr_of_v4(v4_zero);
	return addr_eq(a, &zero) || addr_eq(a, &zero4);
}

static uint64_t ns_of(uint64_t ms)
{
	return ms > MS_MAX ? UINT64_MAX : ms * NS_PER_MSEC;
}

static void take_flow(const uint8_t *p, struct record *r)
{
	r->start_ns = ns_of(nfdump_u64(p));
	r->end_ns = ns_of(nfdump_u64(p + 8));
	r->recv_ns = ns_of(nfdump_u64(p + 16));
	r->packets = nfdump_u64(p + 24);
	r->bytes = nfdump_u64(p + 32);
	r->sport = nfdump_u16(p + 40);
	r->dport = nfdump_u16(p + 42);
	r->proto = p[44];
	r->tcp_flags = p[45];
	r->fwd_status = p[46];
	r->tos = p[47];
	r->set |= RECORD_BIT(start_ns) | RECORD_BIT(end_ns) | RECORD_BIT(recv_ns) |
		  RECORD_BIT(packets) | RECORD_BIT(bytes) | RECORD_BIT(sport) | RECORD_BIT(dport) |
		  RECORD_BIT(proto) | RECORD_BIT(tcp_flags) | RECORD_BIT(tos) |
		  RECORD_BIT(fwd_status);
	if (r->proto != PROTO_ICMP && r->proto != PROTO_ICMP6)
		return;
	// nfdump keeps type and code in the place of the port
	RECORD_SET(r, icmp_type, (uint8_t)(r->dport >> 8));
	RECORD_SET(r, icmp_code, (uint8_t)r->dport);
	r->dport = 0;
}

static void take_ends(struct record *r, struct addr src, struct addr dst)
{
	RECORD_SET(r, src, src);
	RECORD_SET(r, dst, dst);
}

static void take_misc(const uint8_t *p, struct record *r)
{
	RECORD_SET(r, in_if, nfdump_u32(p));
	RECORD_SET(r, out_if, nfdump_u32(p + 4));
	RECORD_SET(r, src_mask, p[8]);
	RECORD_SET(r, dst_mask, p[9]);
	RECORD_SET(r, end_reason, p[13]);
	if (p[14]) // since 1.7.2; 0 before
		RECORD_SET(r, rev_tcp_flags, p[14]);
}

static void take_vlan(const uint8_t *p, struct record *r)
{
	uint32_t src = nfdump_u32(p), dst = nfdump_u32(p + 4);
	RECORD_SET(r, vlan, (uint16_t)(src ? src : dst));
}

// The next hop itself before BGP's.
static void take_hop(struct record *r, struct addr hop, bool is_bgp)
{
	if (is_none(&hop) || (is_bgp && r->set & RECORD_BIT(next_hop)))
		return;
	RECORD_SET(r, next_hop, hop);
}

// A MAC address is the low 48 bits of a number.
static struct record_mac get_mac(uint64_t v)
{
	struct record_mac mac;
	for (int i = 0; i < 6; i++)
		mac.b[i] = (uint8_t)(v >> (40 - 8 * i));
	return mac;
}

static void take_mac(const uint8_t *p, struct record *r)
{
	uint64_t in_src = nfdump_u64(p), out_dst = nfdump_u64(p + 8);
	uint64_t in_dst = nfdump_u64(p + 16), out_src = nfdump_u64(p + 24);
	RECORD_SET(r, src_mac, get_mac(in_src ? in_src : out_src));
	RECORD_SET(r, dst_mac, get_mac(in_dst ? in_dst : out_dst));
}

static void take_application(const uint8_t *p, size_t len, struct record *r)
{
	uint64_t id = 0;
	for (size_t i = 0; i < len && i < sizeof(id); i++)
		id = id << 8 | p[i];
	RECORD_SET(r, app_id, id);
}

// An element that is long enough. *event_ms: when its event was.
static void take(unsigned id, const uint8_t *p, size_t len, struct record *r, uint64_t *event_ms)
{
	switch ((enum element)id) {
	case ELEMENT_FLOW:
		take_flow(p, r);
		break;
	case ELEMENT_IPV4:
		take_ends(r, get_addr4(p), get_addr4(p + 4));
		break;
	case ELEMENT_IPV6:
		take_ends(r, get_addr6(p), get_addr6(p + 16));
		break;
	case ELEMENT_MISC:
		take_misc(p, r);
		break;
	case ELEMENT_COUNTERS:
		RECORD_SET(r, rev_packets, nfdump_u64(p + 8));
		RECORD_SET(r, rev_bytes, nfdump_u64(p + 16));
		break;
	case ELEMENT_VLAN:
		take_vlan(p, r);
		break;
	case ELEMENT_AS:
		RECORD_SET(r, src_as, nfdump_u32(p));
		RECORD_SET(r, dst_as, nfdump_u32(p + 4));
		break;
	case ELEMENT_BGP_HOP4:
	case ELEMENT_HOP4:
		take_hop(r, get_addr4(p), id == ELEMENT_BGP_HOP4);
		break;
	case ELEMENT_BGP_HOP6:
	case ELEMENT_HOP6:
		take_hop(r, get_addr6(p), id == ELEMENT_BGP_HOP6);
		break;
	case ELEMENT_EXPORTER4:
		RECORD_SET(r, exporter, get_addr4(p));
		break;
	case ELEMENT_EXPORTER6:
		RECORD_SET(r, exporter, get_addr6(p));
		break;
	case ELEMENT_MPLS:
		RECORD_SET(r, mpls_label, nfdump_u32(p) >> 4 & 0xfffff);
		break;
	case ELEMENT_MAC:
		take_mac(p, r);
		break;
	case ELEMENT_NSEL:
		*event_ms = nfdump_u64(p);
		RECORD_SET(r, fw_event, p[14]);
		break;
	case ELEMENT_APPLICATION:
		take_application(p, len, r);
		break;
	case ELEMENT_OBSERVATION:
		RECORD_SET(r, domain, nfdump_u32(p + 8));
		break;
	}
}

int nfdump_record_decode(
	const uint8_t *p,
	size_t len,
	struct record *ret_record,
	struct nfdump_origin *ret_origin,
	uint64_t left[static NFDUMP_N_ELEMENTS]
)
{
	uint64_t event_ms = 0;
	memset(ret_record, 0, sizeof(*ret_record));
	if (len < NFDUMP_RECORD_HEADER_LEN)
		return -EBADMSG;
	const uint8_t *at = p + NFDUMP_RECORD_HEADER_LEN, *end = p + len;
	for (unsigned n = nfdump_u16(p + 4); n; n--) {
		if (end - at < NFDUMP_ELEMENT_HEADER_LEN)
			return -EBADMSG;
		unsigned id = nfdump_u16(at), element_len = nfdump_u16(at + 2);
		if (element_len < NFDUMP_ELEMENT_HEADER_LEN || element_len > end - at)
			return -EBADMSG;
		size_t n_bytes = element_len - NFDUMP_ELEMENT_HEADER_LEN;
		bool is_taken = id < NFDUMP_N_ELEMENTS && lens[id];
		if (is_taken && n_bytes < lens[id])
			return -EBADMSG;
		if (is_taken)
			take(id, at + NFDUMP_ELEMENT_HEADER_LEN, n_bytes, ret_record, &event_ms);
		else
			left[id < NFDUMP_N_ELEMENTS ? id : 0]++;
		at += element_len;
	}
	if (!ret_record->start_ns && !ret_record->end_ns && event_ms)
		ret_record->start_ns = ret_record->end_ns = ns_of(event_ms);
	*ret_origin = (struct nfdump_origin){
		.exporter = nfdump_u16(p + 8),
		.has_domain = ret_record->set & RECORD_BIT(domain),
	};
	if (!ret_origin->has_domain) // v5: engine type and id
		RECORD_SET(ret_record, domain, (uint32_t)(p[6] << 8 | p[7]));
	return 0;
}

// A flow record being written.
struct out {
	uint8_t *start, *p;
	uint16_t n;
};

// Begins an element of `len` zeros.
static uint8_t *open_element(struct out *o, enum element id, uint16_t len)
{
	uint8_t *p = o->p + NFDUMP_ELEMENT_HEADER_LEN;
	nfdump_put_u16(o->p, (uint16_t)id);
	nfdump_put_u16(o->p + 2, (uint16_t)(len + NFDUMP_ELEMENT_HEADER_LEN));
	memset(p, 0, len);
	o->p = p + len;
	o->n++;
	return p;
}

static void put_flow(struct out *o, const struct record *r)
{
	bool is_icmp = r->proto == PROTO_ICMP || r->proto == PROTO_ICMP6;
	uint8_t *p = open_element(o, ELEMENT_FLOW, 48);
	nfdump_put_u64(p, r->start_ns / NS_PER_MSEC);
	nfdump_put_u64(p + 8, r->end_ns / NS_PER_MSEC);
	nfdump_put_u64(p + 16, r->recv_ns / NS_PER_MSEC);
	nfdump_put_u64(p + 24, r->packets);
	nfdump_put_u64(p + 32, r->bytes);
	nfdump_put_u16(p + 40, r->sport);
	nfdump_put_u16(p + 42, is_icmp ? (uint16_t)(r->icmp_type << 8 | r->icmp_code) : r->dport);
	p[44] = r->proto;
	p[45] = (uint8_t)r->tcp_flags;
	p[46] = r->fwd_status;
	p[47] = r->tos;
}

static void put_addresses(struct out *o, const struct record *r)
{
	if (addr_is_v4(&r->src) && addr_is_v4(&r->dst)) {
		uint8_t *p = open_element(o, ELEMENT_IPV4, 8);
		put_addr4(p, &r->src);
		put_addr4(p + 4, &r->dst);
	} else {
		uint8_t *p = open_element(o, ELEMENT_IPV6, 32);
		put_addr6(p, &r->src);
		put_addr6(p + 16, &r->dst);
	}
}

// An address in the element of its family.
static void put_addr(struct out *o, enum element v4, enum element v6, const struct addr *a)
{
	if (is_none(a))
		return;
	if (addr_is_v4(a))
		put_addr4(open_element(o, v4, 4), a);
	else
		put_addr6(open_element(o, v6, 16), a);
}

static void put_misc(struct out *o, const struct record *r)
{
	if (!(r->in_if | r->out_if | r->src_mask | r->dst_mask | r->end_reason | r->rev_tcp_flags))
		return;
	uint8_t *p = open_element(o, ELEMENT_MISC, 16);
	nfdump_put_u32(p, r->in_if);
	nfdump_put_u32(p + 4, r->out_if);
	p[8] = r->src_mask;
	p[9] = r->dst_mask;
	p[13] = r->end_reason;
	p[14] = (uint8_t)r->rev_tcp_flags;
}

static uint64_t mac_number(const struct record_mac *mac)
{
	uint64_t v = 0;
	for (int i = 0; i < 6; i++)
		v = v << 8 | mac->b[i];
	return v;
}

// Elements whose members all have the value 0 are not written.
static void put_rest(struct out *o, const struct record *r)
{
	uint64_t src_mac = mac_number(&r->src_mac), dst_mac = mac_number(&r->dst_mac);
	if (r->rev_packets || r->rev_bytes) {
		uint8_t *p = open_element(o, ELEMENT_COUNTERS, 24);
		nfdump_put_u64(p, 1); // flows
		nfdump_put_u64(p + 8, r->rev_packets);
		nfdump_put_u64(p + 16, r->rev_bytes);
	}
	if (r->vlan)
		nfdump_put_u32(open_element(o, ELEMENT_VLAN, 8), r->vlan);
	if (r->src_as || r->dst_as) {
		uint8_t *p = open_element(o, ELEMENT_AS, 8);
		nfdump_put_u32(p, r->src_as);
		nfdump_put_u32(p + 4, r->dst_as);
	}
	put_addr(o, ELEMENT_HOP4, ELEMENT_HOP6, &r->next_hop);
	put_addr(o, ELEMENT_EXPORTER4, ELEMENT_EXPORTER6, &r->exporter);
	if (r->mpls_label)
		nfdump_put_u32(open_element(o, ELEMENT_MPLS, 40), r->mpls_label << 4);
	if (src_mac || dst_mac) {
		uint8_t *p = open_element(o, ELEMENT_MAC, 32);
		nfdump_put_u64(p, src_mac);
		nfdump_put_u64(p + 16, dst_mac);
	}
	if (r->fw_event) {
		uint8_t *p = open_element(o, ELEMENT_NSEL, 16);
		nfdump_put_u64(p, r->start_ns / NS_PER_MSEC);
		p[14] = r->fw_event;
	}
}

#define FLAG_EVENT 1

size_t nfdump_record_encode(const struct record *r, uint16_t exporter, uint8_t *to)
{
	struct out o = {.start = to, .p = to + NFDUMP_RECORD_HEADER_LEN};
	put_flow(&o, r);
	put_addresses(&o, r);
	put_misc(&o, r);
	put_rest(&o, r);
	size_t len = (size_t)(o.p - o.start);
	memset(to, 0, NFDUMP_RECORD_HEADER_LEN);
	nfdump_put_u16(to, NFDUMP_RECORD_FLOW);
	nfdump_put_u16(to + 2, (uint16_t)len);
	nfdump_put_u16(to + 4, o.n);
	nfdump_put_u16(to + 8, exporter);
	to[10] = r->fw_event ? FLAG_EVENT : 0;
	return len;
}
