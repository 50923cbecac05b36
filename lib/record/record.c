// SPDX-License-Identifier: Apache-2.0
#include "lib/record/record.h"

const struct record_field_info record_fields[RECORD_N_FIELDS] = {
#define FIELD(member, type_, ie_, pen_, json, text_)                                               \
	[FIELD_##member] = {                                                                       \
		.name = json,                                                                      \
		.text = text_,                                                                     \
		.type = RECORD_TYPE_##type_,                                                       \
		.offset = offsetof(struct record, member),                                         \
		.width = sizeof(RECORD_##type_),                                                   \
		.ie = ie_,                                                                         \
		.pen = pen_,                                                                       \
	},
#include "lib/record/fields.def"
#undef FIELD
};

#define FORWARDING_DROPPED 2 // the two high bits of forwardingStatus, RFC 7270 §4.12
#define FIREWALL_DENIED 3    // firewallEvent, IANA
#define ACTION_DENY 2

static bool is_refused(uint16_t flags)
{
	return (flags & (TCP_RST | TCP_SYN)) == TCP_RST;
}

enum record_verdict record_verdict(const struct record *r)
{
	bool dropped = r->fwd_status >> 6 == FORWARDING_DROPPED;
	if (dropped || r->fw_event == FIREWALL_DENIED || r->action == ACTION_DENY)
		return VERDICT_DENY;
	return is_refused(r->tcp_flags) || is_refused(r->rev_tcp_flags) ? VERDICT_DENY
									: VERDICT_ALLOW;
}

bool record_reverse(const struct record *r, struct record *ret_reverse)
{
	struct record *v = ret_reverse;
	if (!r->rev_packets && !r->rev_bytes)
		return false;
	*v = *r;
	v->src = r->dst, v->dst = r->src;
	v->sport = r->dport, v->dport = r->sport;
	v->src_mac = r->dst_mac, v->dst_mac = r->src_mac;
	v->src_as = r->dst_as, v->dst_as = r->src_as;
	v->src_mask = r->dst_mask, v->dst_mask = r->src_mask;
	v->in_if = r->out_if, v->out_if = r->in_if;
	v->tcp_flags = r->rev_tcp_flags;
	v->packets = r->rev_packets;
	v->bytes = r->rev_bytes;
	v->rev_tcp_flags = 0;
	v->rev_packets = v->rev_bytes = 0;
	v->retransmitted = r->rev_retransmitted, v->rev_retransmitted = 0;
	v->zero_window = r->rev_zero_window, v->rev_zero_window = 0;
	v->min_len = v->max_len = 0; // of the forward path, as are those
	v->min_ttl = v->max_ttl = 0;
	v->next_hop = (struct addr){}; // of the forward path
	v->set |= RECORD_BIT(in_if) | RECORD_BIT(src_as) | RECORD_BIT(dst_as) |
		  RECORD_BIT(src_mask) | RECORD_BIT(dst_mask) | RECORD_BIT(src_mac) |
		  RECORD_BIT(dst_mac) | RECORD_BIT(out_if);
	if (r->set & RECORD_BIT(rev_retransmitted))
		v->set |= RECORD_BIT(retransmitted) | RECORD_BIT(zero_window);
	return true;
}
