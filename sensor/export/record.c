// SPDX-License-Identifier: Apache-2.0
#include "sensor/export/record.h"

#include "sensor/packet/packet.h"

static void put_ends(struct record *r, const struct flow *f)
{
	bool high = f->forward_is_high;
	RECORD_SET(r, src, high ? f->key.high : f->key.low);
	RECORD_SET(r, dst, high ? f->key.low : f->key.high);
	// in the key of ICMP type and code stand for ports, see packet/parse.c
	bool is_icmp = r->proto == PROTO_ICMP || r->proto == PROTO_ICMP6;
	RECORD_SET(r, sport, is_icmp ? 0 : flow_key_port(&f->key, high));
	RECORD_SET(r, dport, is_icmp ? 0 : flow_key_port(&f->key, !high));
	if (is_icmp) {
		RECORD_SET(r, icmp_type, f->icmp_type);
		RECORD_SET(r, icmp_code, f->icmp_code);
	}
}

static void put_tunnel(struct record *r, uint8_t kind, uint32_t id)
{
	RECORD_SET(r, tunnel_kind, kind);
	RECORD_SET(r, tunnel_id, id);
}

static void put_counters(struct record *r, const struct flow *f)
{
	RECORD_SET(r, packets, f->packets[FLOW_FORWARD]);
	RECORD_SET(r, bytes, f->bytes[FLOW_FORWARD]);
	RECORD_SET(r, tcp_flags, f->tcp_flags[FLOW_FORWARD]);
	if (f->packets[FLOW_REVERSE] == 0)
		return;
	RECORD_SET(r, rev_packets, f->packets[FLOW_REVERSE]);
	RECORD_SET(r, rev_bytes, f->bytes[FLOW_REVERSE]);
	RECORD_SET(r, rev_tcp_flags, f->tcp_flags[FLOW_REVERSE]);
}

static void put_note(struct record *r, const struct note *n, struct record_texts *texts)
{
	if (n->names_len && names_unpack(n->names, n->names_len, &texts->names))
		names_put_record(&texts->names, texts->answers, r);
	if (n->indicator == 0)
		return;
	RECORD_SET(r, indicator, n->indicator);
	RECORD_SET(r, score, n->score);
	RECORD_SET(r, matched, n->matched);
}

void record_of_flow(
	const struct flow *f,
	const struct note *note,
	struct record_texts *texts,
	struct record *ret_record
)
{
	struct record *r = ret_record;
	*r = (struct record){}; // it is used for flow after flow: members not set must be 0
	RECORD_SET(r, start_ns, f->start_ns);
	RECORD_SET(r, end_ns, f->last_ns);
	RECORD_SET(r, proto, flow_key_proto(&f->key));
	put_ends(r, f);
	put_counters(r, f);
	RECORD_SET(r, tos, f->tos);
	RECORD_SET(r, vlan, f->vlan);
	RECORD_SET(r, cvlan, f->cvlan);
	if (f->key.tunnel) // as far as the key has it
		put_tunnel(r, (uint8_t)packet_tunnel_kind(f->key.tunnel), (uint32_t)f->key.tunnel);
	RECORD_SET(r, in_if, f->port + 1u);
	memcpy(r->dst_mac.b, f->macs, 6);
	memcpy(r->src_mac.b, f->macs + 6, 6);
	r->set |= RECORD_BIT(src_mac) | RECORD_BIT(dst_mac);
	RECORD_SET(r, end_reason, f->end_reason);
	if (note)
		put_note(r, note, texts);
}

void record_put_more(const struct flow_more *m, struct record *r)
{
	if (m->tunnel_kind)
		put_tunnel(r, m->tunnel_kind, m->tunnel_id);
	if (m->mpls_label)
		RECORD_SET(r, mpls_label, m->mpls_label);
	if (!m->has_metrics)
		return;
	RECORD_SET(r, min_len, m->min_len);
	RECORD_SET(r, max_len, m->max_len);
	RECORD_SET(r, min_ttl, m->min_ttl);
	RECORD_SET(r, max_ttl, m->max_ttl);
	if (r->proto != PROTO_TCP)
		return;
	RECORD_SET(r, retransmitted, m->retransmitted[FLOW_FORWARD]);
	RECORD_SET(r, rev_retransmitted, m->retransmitted[FLOW_REVERSE]);
	RECORD_SET(r, zero_window, m->zero_window[FLOW_FORWARD]);
	RECORD_SET(r, rev_zero_window, m->zero_window[FLOW_REVERSE]);
	RECORD_SET(r, rtt_client, m->rtt_client);
	RECORD_SET(r, rtt_server, m->rtt_server);
}

void hit_of_flow(
	const struct flow *f,
	const struct note *note,
	struct record_texts *texts,
	struct ipfix_hit *ret_hit
)
{
	static const enum ipfix_aux places[NOTE_N_TEXTS] = {
		[NOTE_VALUE] = AUX_TEXT_VALUE,
		[NOTE_FEED] = AUX_TEXT_FEED,
		[NOTE_CATEGORY] = AUX_TEXT_CATEGORY,
		[NOTE_DESCRIPTION] = AUX_TEXT_DESCRIPTION,
		[NOTE_REFERENCE] = AUX_TEXT_REFERENCE,
	};
	*ret_hit = (struct ipfix_hit
	){.type = note->type, .severity = note->severity, .confidence = note->confidence};
	record_of_flow(f, note, texts, &ret_hit->record);
	for (int i = 0; i < NOTE_N_TEXTS; i++)
		ret_hit->texts[places[i] - AUX_N_NUMBERS] = note->texts[i];
}
