// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/encode_template.h"

#include "lib/ipfix/wire.h"

static const uint8_t field_group[RECORD_N_FIELDS] = {
	[FIELD_start_ns] = GROUP_ALWAYS,
	[FIELD_end_ns] = GROUP_ALWAYS,
	[FIELD_src] = GROUP_ALWAYS,
	[FIELD_dst] = GROUP_ALWAYS,
	[FIELD_sport] = GROUP_ALWAYS,
	[FIELD_dport] = GROUP_ALWAYS,
	[FIELD_proto] = GROUP_ALWAYS,
	[FIELD_tcp_flags] = GROUP_ALWAYS,
	[FIELD_packets] = GROUP_ALWAYS,
	[FIELD_bytes] = GROUP_ALWAYS,
	[FIELD_tos] = GROUP_ALWAYS,
	[FIELD_end_reason] = GROUP_ALWAYS,
	[FIELD_rev_tcp_flags] = GROUP_REVERSE,
	[FIELD_rev_packets] = GROUP_REVERSE,
	[FIELD_rev_bytes] = GROUP_REVERSE,
	[FIELD_icmp_type] = GROUP_ICMP,
	[FIELD_icmp_code] = GROUP_ICMP,
	[FIELD_vlan] = GROUP_LINK,
	[FIELD_cvlan] = GROUP_LINK,
	[FIELD_mpls_label] = GROUP_LINK,
	[FIELD_tunnel_kind] = GROUP_LINK,
	[FIELD_tunnel_id] = GROUP_LINK,
	[FIELD_min_len] = GROUP_METRICS,
	[FIELD_max_len] = GROUP_METRICS,
	[FIELD_min_ttl] = GROUP_METRICS,
	[FIELD_max_ttl] = GROUP_METRICS,
	[FIELD_retransmitted] = GROUP_METRICS,
	[FIELD_rev_retransmitted] = GROUP_METRICS,
	[FIELD_zero_window] = GROUP_METRICS,
	[FIELD_rev_zero_window] = GROUP_METRICS,
	[FIELD_rtt_client] = GROUP_METRICS,
	[FIELD_rtt_server] = GROUP_METRICS,
	[FIELD_src_mac] = GROUP_LINK,
	[FIELD_dst_mac] = GROUP_LINK,
	[FIELD_in_if] = GROUP_ROUTE,
	[FIELD_out_if] = GROUP_ROUTE,
	[FIELD_src_as] = GROUP_ROUTE,
	[FIELD_dst_as] = GROUP_ROUTE,
	[FIELD_src_mask] = GROUP_ROUTE,
	[FIELD_dst_mask] = GROUP_ROUTE,
	[FIELD_next_hop] = GROUP_ROUTE,
	[FIELD_fwd_status] = GROUP_ROUTE,
	[FIELD_fw_event] = GROUP_ROUTE,
};

// Elements that have another number when the flow is IPv6.
static const struct {
	uint8_t field;
	uint16_t ie;
} v6_elements[] = {
	{FIELD_src, 27},
	{FIELD_dst, 28},
	{FIELD_src_mask, 29},
	{FIELD_dst_mask, 30},
	{FIELD_next_hop, 62},
	{FIELD_icmp_type, IPFIX_IE_ICMP6},
	{FIELD_exporter, 131},
};

// Members that only a message of foreign origin has: whom the records are from.
static const struct {
	uint8_t field;
	uint16_t ie;
} origin_elements[] = {
	{FIELD_exporter, 130},
	{FIELD_domain, 149},
	{FIELD_sampling, 34},
};

// NetFlow v9 has elements of its own for some: counters of the way back are its OUT counters, times
// count from sysUptime 0.
static const struct {
	uint8_t field;
	uint16_t ie, len;
} v9_elements[] = {
	{FIELD_start_ns, 22, 4},
	{FIELD_end_ns, 21, 4},
	{FIELD_rev_bytes, 23, 8},
	{FIELD_rev_packets, 24, 8},
	{FIELD_tcp_flags, 6, 1},
	{FIELD_vlan, 58, 2},
	{FIELD_icmp_type, IPFIX_IE_ICMP4, 2},
};

// ICMP type and code leave as one element, type * 256 + code: of the two forms in RFC 7012's
// registry it is the one that nfdump reads too.
static uint16_t wire_element(enum record_field f, bool v6)
{
	for (size_t i = 0; v6 && i < sizeof(v6_elements) / sizeof(v6_elements[0]); i++) {
		if (v6_elements[i].field == f)
			return v6_elements[i].ie;
	}
	return f == FIELD_icmp_type ? IPFIX_IE_ICMP4 : record_fields[f].ie;
}

static uint16_t wire_len(enum record_field f, bool v6)
{
	const struct record_field_info *info = &record_fields[f];
	if (f == FIELD_icmp_type)
		return 2;
	switch (info->type) {
	case RECORD_TYPE_ADDR:
		return v6 ? 16 : 4;
	case RECORD_TYPE_STR:
		return IPFIX_VARLEN;
	default:
		// mplsTopLabelStackSection is label, EXP and S in three octets (RFC 7012).
		return info->ie == IPFIX_IE_MPLS_TOP && !info->pen ? 3 : info->width;
	}
}

static unsigned group_of(int f)
{
	return field_group[f] ? field_group[f] : GROUP_EXTRA;
}

uint64_t ipfix_group_fields(enum ipfix_group group)
{
	uint64_t fields = 0;
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		if (record_fields[f].ie && group_of(f) == group)
			fields |= 1ull << f;
	}
	return fields;
}

static struct ipfix_out_field field_of(enum record_field f, bool v6, uint32_t weir_pen)
{
	const struct record_field_info *info = &record_fields[f];
	return (struct ipfix_out_field){
		.field = (uint8_t)f,
		.type = (uint8_t)info->type,
		.offset = info->offset,
		.ie = wire_element(f, v6),
		.len = wire_len(f, v6),
		.pen = info->pen == PEN_WEIR ? weir_pen : info->pen,
	};
}

// False: v9, which has no enterprise numbers and no variable lengths, cannot say it.
static bool make_v9(struct ipfix_out_field *f)
{
	for (size_t i = 0; i < sizeof(v9_elements) / sizeof(v9_elements[0]); i++) {
		if (v9_elements[i].field != f->field)
			continue;
		f->ie = v9_elements[i].ie;
		f->len = v9_elements[i].len;
		f->pen = 0;
	}
	return f->pen == 0 && f->len != IPFIX_VARLEN;
}

static void make_exact(struct ipfix_out_field *f)
{
	if (f->field == FIELD_start_ns)
		f->ie = IPFIX_IE_START_NS;
	else if (f->field == FIELD_end_ns)
		f->ie = IPFIX_IE_END_NS;
}

static void add_origin(struct ipfix_out_template *t, bool v6, const struct ipfix_encoder_options *o)
{
	for (size_t i = 0; i < sizeof(origin_elements) / sizeof(origin_elements[0]); i++) {
		enum record_field f = (enum record_field)origin_elements[i].field;
		struct ipfix_out_field field = field_of(f, v6, o->pen);
		if (!field.ie)
			field.ie = origin_elements[i].ie;
		field.pen = 0;
		t->fields[t->n_fields++] = field;
	}
	t->has_entity = o->has_entity;
}

void ipfix_out_template_init(
	struct ipfix_out_template *t, unsigned groups, const struct ipfix_encoder_options *options
)
{
	bool v6 = groups & GROUP_V6, v9 = options->version == NETFLOW9_VERSION;
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		if (!record_fields[f].ie || f == FIELD_icmp_code ||
		    !(group_of(f) & (groups | GROUP_ALWAYS)))
			continue;
		struct ipfix_out_field field = field_of((enum record_field)f, v6, options->pen);
		if (v9 && !make_v9(&field))
			continue;
		if (!v9 && options->exact_times)
			make_exact(&field);
		t->fields[t->n_fields++] = field;
	}
	if (!v9 && options->origin)
		add_origin(t, v6, options);
}

static void put_field(struct wbuf *w, uint16_t ie, uint16_t len, uint32_t pen)
{
	wbuf_u16(w, pen ? ie | IPFIX_ENTERPRISE : ie);
	wbuf_u16(w, len);
	if (pen)
		wbuf_u32(w, pen);
}

void ipfix_out_template_put(
	struct wbuf *w,
	unsigned groups,
	const struct ipfix_out_template *t,
	const struct ipfix_encoder_options *options
)
{
	wbuf_u16(w, (uint16_t)(IPFIX_SET_MIN + groups));
	wbuf_u16(w, (uint16_t)(t->n_fields + t->has_entity));
	for (unsigned i = 0; i < t->n_fields; i++)
		put_field(w, t->fields[i].ie, t->fields[i].len, t->fields[i].pen);
	if (t->has_entity)
		put_field(w, IPFIX_IE_ENTITY, IPFIX_ENTITY_LEN, options->pen);
}
