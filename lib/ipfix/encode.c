// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/encode.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/ipfix/wire.h"

#include <errno.h>
#include <stdlib.h>

// A template is a choice of groups of fields: its id is IPFIX_SET_MIN + the groups' bits. A record
// takes the groups in which it has a value, so that nobody pays for fields nobody fills.
enum group {
	GROUP_V6 = 1,	   // addresses are IPv6
	GROUP_REVERSE = 2, // RFC 5103
	GROUP_ICMP = 4,
	GROUP_LINK = 8,
	GROUP_ROUTE = 16,
	GROUP_EXTRA = 32, // names, intelligence, and every field not named in field_group
	N_TEMPLATES = 64,
	GROUP_ALWAYS = 128,
};

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
};

struct out_field {
	uint8_t field;
	uint8_t type; // enum record_type
	uint16_t offset;
	uint16_t ie;
	uint16_t len; // on the wire, or IPFIX_VARLEN
	uint32_t pen; // 0: IANA
};

struct out_template {
	uint8_t n_fields;
	bool announced; // since the stream began or the templates were last asked for
	bool used;
	struct out_field fields[RECORD_N_FIELDS];
};

struct ipfix_encoder {
	uint32_t domain;
	uint32_t sequence; // data records before the message being built
	uint32_t n_records;
	bool biflow;
	uint16_t text_max;	  // bytes of all texts of a record together
	uint64_t group_fields[6]; // record.set bits of each group of log2 index
	struct wbuf w;
	size_t set_at;	 // where the open data set starts; 0: none is open
	uint16_t set_id; // its template
	struct out_template templates[N_TEMPLATES];
	uint8_t *message;
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

static void template_init(struct out_template *t, unsigned groups, uint32_t pen)
{
	bool v6 = groups & GROUP_V6;
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		const struct record_field_info *info = &record_fields[f];
		unsigned group = field_group[f] ? field_group[f] : GROUP_EXTRA;
		if (!info->ie || f == FIELD_icmp_code || !(group & (groups | GROUP_ALWAYS)))
			continue;
		t->fields[t->n_fields++] = (struct out_field){
			.field = (uint8_t)f,
			.type = (uint8_t)info->type,
			.offset = info->offset,
			.ie = wire_element((enum record_field)f, v6),
			.len = wire_len((enum record_field)f, v6),
			.pen = info->pen == PEN_WEIR ? pen : info->pen,
		};
	}
}

static void put_template(struct wbuf *w, unsigned groups, const struct out_template *t)
{
	wbuf_u16(w, (uint16_t)(IPFIX_SET_MIN + groups));
	wbuf_u16(w, t->n_fields);
	for (unsigned i = 0; i < t->n_fields; i++) {
		const struct out_field *f = &t->fields[i];
		wbuf_u16(w, f->pen ? f->ie | IPFIX_ENTERPRISE : f->ie);
		wbuf_u16(w, f->len);
		if (f->pen)
			wbuf_u32(w, f->pen);
	}
}

// Bytes all texts of a record may have together so that the largest record still fits an empty
// message together with its template; negative: not even without text.
static int text_room(const struct ipfix_encoder *e, size_t max_len)
{
	const struct out_template *t = &e->templates[N_TEMPLATES - 1];
	uint8_t scratch[4096];
	struct wbuf w = wbuf_of(scratch, sizeof(scratch));
	size_t fixed = 0, copies = e->biflow ? 1 : 2;

	put_template(&w, N_TEMPLATES - 1, t);
	for (unsigned i = 0; i < t->n_fields; i++)
		fixed += t->fields[i].len == IPFIX_VARLEN ? 3 : t->fields[i].len;
	size_t need = IPFIX_HEADER_LEN + 2 * IPFIX_SET_HEADER_LEN + wbuf_len(&w) + copies * fixed;
	if (w.full || need > max_len)
		return -1;
	return (int)((max_len - need) / copies);
}

static void message_start(struct ipfix_encoder *e)
{
	e->w.p = e->w.start;
	e->w.full = false;
	e->set_at = 0;
	e->n_records = 0;
	(void)wbuf_take(&e->w, IPFIX_HEADER_LEN); // written at the end
}

void ipfix_encoder_free(struct ipfix_encoder *e)
{
	if (!e)
		return;
	free(e->message);
	free(e);
}

int ipfix_encoder_create(
	const struct ipfix_encoder_options *options, struct ipfix_encoder **ret_encoder
)
{
	if (options->max_len < 512)
		return -EINVAL;
	struct ipfix_encoder *e = calloc(1, sizeof(*e));
	uint8_t *message = calloc(1, options->max_len);
	if (!e || !message) {
		free(message);
		free(e);
		return -ENOMEM;
	}
	e->message = message;
	e->domain = options->domain;
	e->biflow = options->biflow;
	e->w = wbuf_of(message, options->max_len);
	for (unsigned g = 0; g < N_TEMPLATES; g++)
		template_init(&e->templates[g], g, options->pen ? options->pen : PEN_WEIR);
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		unsigned group = field_group[f] ? field_group[f] : GROUP_EXTRA;
		if (record_fields[f].ie && group < N_TEMPLATES)
			e->group_fields[__builtin_ctz(group)] |= 1ull << f;
	}
	int room = text_room(e, options->max_len);
	if (room < 0) {
		ipfix_encoder_free(e);
		return -EINVAL;
	}
	e->text_max = (uint16_t)room;
	message_start(e);
	*ret_encoder = e;
	return 0;
}

static bool has_value(const struct record *r, enum record_field f)
{
	static const uint8_t zeros[16];
	const struct record_field_info *info = &record_fields[f];
	const void *value = (const char *)r + info->offset;
	if (info->type == RECORD_TYPE_STR)
		return ((const struct record_str *)value)->len > 0;
	return memcmp(value, zeros, info->width) != 0;
}

static bool any_value(const struct record *r, uint64_t fields)
{
	for (uint64_t left = r->set & fields; left; left &= left - 1) {
		if (has_value(r, (enum record_field)__builtin_ctzll(left)))
			return true;
	}
	return false;
}

// IPv4 addresses may stand in IPv6 elements (mapped), not the other way round.
static bool needs_v6(const struct record *r)
{
	bool hop_v6 = (r->set & RECORD_BIT(next_hop)) && !addr_is_v4(&r->next_hop) &&
		      has_value(r, FIELD_next_hop);
	return !addr_is_v4(&r->src) || !addr_is_v4(&r->dst) || hop_v6;
}

static unsigned groups_of(const struct ipfix_encoder *e, const struct record *r)
{
	bool is_icmp = r->proto == IPFIX_PROTO_ICMP || r->proto == IPFIX_PROTO_ICMP6;
	unsigned groups = needs_v6(r) ? GROUP_V6 : 0;
	if (is_icmp && r->set & e->group_fields[__builtin_ctz(GROUP_ICMP)])
		groups |= GROUP_ICMP;
	for (unsigned g = GROUP_REVERSE; g < N_TEMPLATES; g <<= 1) {
		if (any_value(r, e->group_fields[__builtin_ctz(g)]))
			groups |= g;
	}
	return groups;
}

// How much of a text fits `room`. A part of a fingerprint or of an address would be another one.
static size_t text_len(enum record_field f, const struct record_str *s, size_t room)
{
	size_t len = room < RECORD_STR_MAX ? room : RECORD_STR_MAX;
	if (s->len <= len)
		return s->len;
	if (f == FIELD_ja4)
		return 0;
	while (f == FIELD_dns_answers && len && s->p[len] != ',')
		len--;
	return len;
}

static void
put_str(struct wbuf *w, const struct out_field *f, const struct record_str *s, size_t *room)
{
	size_t len = text_len((enum record_field)f->field, s, *room);
	*room -= len;
	if (len < IPFIX_VARLEN_LONG) {
		wbuf_u8(w, (uint8_t)len);
	} else {
		wbuf_u8(w, IPFIX_VARLEN_LONG);
		wbuf_u16(w, (uint16_t)len);
	}
	wbuf_bytes(w, s->p, len);
}

static void put_addr(struct wbuf *w, const struct addr *a, uint16_t len)
{
	wbuf_bytes(w, a->b + (sizeof(a->b) - len), len);
}

static void put_uint(struct wbuf *w, const struct out_field *f, uint64_t v)
{
	// The label's 20 bits, EXP 0, bottom of stack not claimed.
	wbuf_uint(w, f->ie == IPFIX_IE_MPLS_TOP && !f->pen ? v << 4 : v, f->len);
}

// `room` is what texts may still take.
static void
put_field(struct wbuf *w, const struct out_field *f, const struct record *r, size_t *room)
{
	const void *value = (const char *)r + f->offset;
	switch ((enum record_type)f->type) {
	case RECORD_TYPE_U8:
		wbuf_u8(w, *(const uint8_t *)value);
		if (f->field == FIELD_icmp_type)
			wbuf_u8(w, r->icmp_code);
		break;
	case RECORD_TYPE_U16:
		wbuf_u16(w, *(const uint16_t *)value);
		break;
	case RECORD_TYPE_U32:
		put_uint(w, f, *(const uint32_t *)value);
		break;
	case RECORD_TYPE_U64:
		wbuf_u64(w, *(const uint64_t *)value);
		break;
	case RECORD_TYPE_TIME:
		wbuf_u64(w, ipfix_time_to_wire(f->ie, *(const uint64_t *)value));
		break;
	case RECORD_TYPE_ADDR:
		put_addr(w, value, f->len);
		break;
	case RECORD_TYPE_MAC:
		wbuf_bytes(w, value, f->len);
		break;
	case RECORD_TYPE_STR:
		put_str(w, f, value, room);
		break;
	}
}

static void set_close(struct ipfix_encoder *e)
{
	if (e->set_at)
		wbuf_put_u16(&e->w, e->set_at + 2, (uint16_t)(wbuf_len(&e->w) - e->set_at));
	e->set_at = 0;
}

static void set_open(struct ipfix_encoder *e, uint16_t id)
{
	set_close(e);
	e->set_at = wbuf_len(&e->w);
	e->set_id = id;
	wbuf_u16(&e->w, id);
	wbuf_u16(&e->w, 0);
}

static void put_record(struct ipfix_encoder *e, unsigned groups, const struct record *r)
{
	struct out_template *t = &e->templates[groups];
	uint16_t id = (uint16_t)(IPFIX_SET_MIN + groups);
	size_t room = e->text_max;

	if (!t->announced) {
		set_open(e, IPFIX_SET_TEMPLATE);
		put_template(&e->w, groups, t);
		t->announced = !e->w.full;
	}
	if (!e->set_at || e->set_id != id)
		set_open(e, id);
	for (unsigned i = 0; i < t->n_fields; i++)
		put_field(&e->w, &t->fields[i], r, &room);
	e->n_records++;
}

// What the other direction's own record would say; false when it saw nothing.
static bool reverse_of(const struct record *r, struct record *ret_reverse)
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
	v->next_hop = (struct addr){}; // of the forward path
	v->set |= RECORD_BIT(in_if) | RECORD_BIT(src_as) | RECORD_BIT(dst_as) |
		  RECORD_BIT(src_mask) | RECORD_BIT(dst_mask) | RECORD_BIT(src_mac) |
		  RECORD_BIT(dst_mac) | RECORD_BIT(out_if);
	return true;
}

int ipfix_encoder_add(struct ipfix_encoder *e, const struct record *r)
{
	struct record reverse;
	size_t at = wbuf_len(&e->w), set_at = e->set_at;
	uint16_t set_id = e->set_id;
	uint32_t n_records = e->n_records;
	unsigned groups = groups_of(e, r), reverse_groups = 0;
	bool two = !e->biflow && reverse_of(r, &reverse);

	if (!e->biflow)
		groups &= ~(unsigned)GROUP_REVERSE;
	bool announced = e->templates[groups].announced, reverse_announced = false;
	put_record(e, groups, r);
	if (two) {
		reverse_groups = groups_of(e, &reverse) & ~(unsigned)GROUP_REVERSE;
		reverse_announced = e->templates[reverse_groups].announced;
		put_record(e, reverse_groups, &reverse);
	}
	if (!e->w.full) {
		e->templates[groups].used = true;
		e->templates[reverse_groups].used |= two;
		return 0;
	}
	// Back to before the record: all of it or nothing.
	if (two)
		e->templates[reverse_groups].announced = reverse_announced;
	e->templates[groups].announced = announced;
	e->w.full = false;
	e->w.p = e->w.start + at;
	e->set_at = set_at;
	e->set_id = set_id;
	e->n_records = n_records;
	return -ENOSPC;
}

static size_t message_end(struct ipfix_encoder *e, uint64_t now_ns, const uint8_t **ret_message)
{
	size_t len = wbuf_len(&e->w);
	struct wbuf head = {.start = e->w.start, .p = e->w.start, .end = e->w.end};

	set_close(e);
	wbuf_u16(&head, IPFIX_VERSION);
	wbuf_u16(&head, (uint16_t)len);
	wbuf_u32(&head, (uint32_t)(now_ns / NS_PER_SEC));
	wbuf_u32(&head, e->sequence);
	wbuf_u32(&head, e->domain);
	*ret_message = e->w.start;
	return len;
}

size_t ipfix_encoder_finish(
	struct ipfix_encoder *e, uint64_t now_ns, const uint8_t **ret_message, uint32_t *ret_records
)
{
	uint32_t n_records = e->n_records;
	if (ret_records)
		*ret_records = n_records;
	if (!n_records)
		return 0;
	size_t len = message_end(e, now_ns, ret_message);
	e->sequence += n_records;
	message_start(e);
	return len;
}

// What has been used goes first; what does not fit is announced again with its next record.
static void put_templates(struct ipfix_encoder *e, bool used)
{
	for (unsigned g = 0; g < N_TEMPLATES; g++) {
		struct out_template *t = &e->templates[g];
		uint8_t *before = e->w.p;
		if (t->used != used)
			continue;
		put_template(&e->w, g, t);
		t->announced = !e->w.full;
		if (e->w.full) {
			e->w.full = false;
			e->w.p = before;
		}
	}
}

size_t
ipfix_encoder_templates(struct ipfix_encoder *e, uint64_t now_ns, const uint8_t **ret_message)
{
	assert(!e->n_records);
	message_start(e);
	set_open(e, IPFIX_SET_TEMPLATE);
	put_templates(e, true);
	put_templates(e, false);
	size_t len = message_end(e, now_ns, ret_message);
	message_start(e);
	return len;
}

void ipfix_encoder_skip(struct ipfix_encoder *e, uint32_t n_records)
{
	e->sequence += n_records;
}
