// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/encode.h"

#include "lib/base/clock.h"
#include "lib/base/utf8.h"
#include "lib/ipfix/encode_v5.h"
#include "lib/ipfix/encoder.h"
#include "lib/ipfix/wire.h"
#include "lib/record/tunnel.h"

#include <errno.h>
#include <stdlib.h>

#define PADDING_MAX 3		      // of a v9 set
#define BOOT_BEFORE_SEC 3600	      // sysUptime at the first flow
#define UPTIME_NS (NS_PER_MSEC << 32) // it wraps

static bool is_v9(const struct ipfix_encoder *e)
{
	return e->o.version == NETFLOW9_VERSION;
}

static bool is_v5(const struct ipfix_encoder *e)
{
	return e->o.version == NETFLOW5_VERSION;
}

static size_t header_len(const struct ipfix_encoder *e)
{
	if (is_v5(e))
		return NETFLOW5_HEADER_LEN;
	return is_v9(e) ? NETFLOW9_HEADER_LEN : IPFIX_HEADER_LEN;
}

// Bytes all texts of a record may have together so that the largest record still fits an empty
// message together with its template; negative: not even without text.
static int text_room(const struct ipfix_encoder *e, size_t max_len)
{
	const struct ipfix_out_template *t = &e->templates[N_TEMPLATES - 1];
	uint8_t scratch[4096];
	struct wbuf w = wbuf_of(scratch, sizeof(scratch));
	size_t fixed = t->has_entity ? IPFIX_ENTITY_LEN : 0, copies = e->o.biflow ? 1 : 2;
	size_t head = is_v9(e) ? NETFLOW9_HEADER_LEN + 2 * PADDING_MAX : IPFIX_HEADER_LEN;

	ipfix_out_template_put(&w, N_TEMPLATES - 1, t, &e->o);
	for (unsigned i = 0; i < t->n_fields; i++)
		fixed += t->fields[i].len == IPFIX_VARLEN ? 3 : t->fields[i].len;
	size_t need = head + (size_t)2 * IPFIX_SET_HEADER_LEN + wbuf_len(&w) + copies * fixed;
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
	e->n_templates = 0;
	// written at the end
	(void)wbuf_take(&e->w, header_len(e));
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
	if (options->max_len < 544)
		return -EINVAL;
	struct ipfix_encoder *e = calloc(1, sizeof(*e));
	uint8_t *message = calloc(1, options->max_len);
	if (!e || !message) {
		free(message);
		free(e);
		return -ENOMEM;
	}
	e->message = message;
	e->o = *options;
	e->o.pen = options->pen ? options->pen : PEN_WEIR;
	e->w = wbuf_of(message, options->max_len);
	for (unsigned g = 0; g < N_TEMPLATES; g++)
		ipfix_out_template_init(&e->templates[g], g, &e->o);
	for (unsigned g = GROUP_REVERSE; g < N_TEMPLATES; g <<= 1)
		e->group_fields[__builtin_ctz(g)] = ipfix_group_fields((enum ipfix_group)g);
	int room = is_v5(e) ? 0 : text_room(e, options->max_len);
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
static bool needs_v6(const struct ipfix_encoder *e, const struct record *r)
{
	if (e->o.origin && has_value(r, FIELD_exporter) && !addr_is_v4(&r->exporter))
		return true;
	bool hop_v6 = (r->set & RECORD_BIT(next_hop)) && !addr_is_v4(&r->next_hop) &&
		      has_value(r, FIELD_next_hop);
	return !addr_is_v4(&r->src) || !addr_is_v4(&r->dst) || hop_v6;
}

static unsigned groups_of(const struct ipfix_encoder *e, const struct record *r)
{
	bool is_icmp = r->proto == IPFIX_PROTO_ICMP || r->proto == IPFIX_PROTO_ICMP6;
	unsigned groups = needs_v6(e, r) ? GROUP_V6 : 0;
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
	return utf8_cut(s->p, s->len, len); // or the decoder leaves it out
}

static void
put_str(struct wbuf *w, const struct ipfix_out_field *f, const struct record_str *s, size_t *room)
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

static void put_uint(struct wbuf *w, const struct ipfix_out_field *f, uint64_t v)
{
	// The label's 20 bits, EXP 0, bottom of stack not claimed.
	if (f->ie == IPFIX_IE_MPLS_TOP && !f->pen)
		v <<= 4;
	switch (f->len) { // the common lengths are one store each
	case 1:
		wbuf_u8(w, (uint8_t)v);
		break;
	case 2:
		wbuf_u16(w, (uint16_t)v);
		break;
	case 4:
		wbuf_u32(w, (uint32_t)v);
		break;
	case 8:
		wbuf_u64(w, v);
		break;
	default:
		wbuf_uint(w, v, f->len);
	}
}

// layer2SegmentId has the encapsulation on top, where it has a number for it.
static uint64_t segment_of(const struct record *r)
{
	uint64_t id = r->tunnel_id & ((1ull << 56) - 1);
	return (uint64_t)tunnel_to_segment(r->tunnel_kind) << 56 | id;
}

// `room` is what texts may still take.
static void
put_field(struct wbuf *w, const struct ipfix_out_field *f, const struct record *r, size_t *room)
{
	const void *value = (const char *)r + f->offset;
	switch ((enum record_type)f->type) {
	case RECORD_TYPE_U8:
		wbuf_u8(w, *(const uint8_t *)value);
		if (f->field == FIELD_icmp_type)
			wbuf_u8(w, r->icmp_code);
		break;
	case RECORD_TYPE_U16:
		put_uint(w, f, *(const uint16_t *)value);
		break;
	case RECORD_TYPE_U32:
		put_uint(w, f, *(const uint32_t *)value);
		break;
	case RECORD_TYPE_U64:
		wbuf_u64(w, f->field == FIELD_tunnel_id ? segment_of(r) : *(const uint64_t *)value);
		break;
	case RECORD_TYPE_TIME:
		put_uint(w, f, ipfix_time_to_wire(f->ie, *(const uint64_t *)value));
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
	size_t padding = is_v9(e) ? -wbuf_len(&e->w) % 4 : 0; // RFC 3954 §5.3
	if (e->set_at && padding <= wbuf_left(&e->w))
		wbuf_bytes(&e->w, "\0\0", padding);
	if (e->set_at)
		wbuf_put_u16(&e->w, e->set_at + 2, (uint16_t)(wbuf_len(&e->w) - e->set_at));
	e->set_at = 0;
}

void ipfix_encoder_set(struct ipfix_encoder *e, uint16_t id)
{
	set_close(e);
	e->set_at = wbuf_len(&e->w);
	e->set_id = id;
	wbuf_u16(&e->w, id);
	wbuf_u16(&e->w, 0);
}

static void put_record(struct ipfix_encoder *e, unsigned groups, const struct record *r)
{
	struct ipfix_out_template *t = &e->templates[groups];
	uint16_t id = (uint16_t)(IPFIX_SET_MIN + groups);
	size_t room = e->text_max;

	if (!t->announced) {
		ipfix_encoder_set(e, is_v9(e) ? NETFLOW9_SET_TEMPLATE : IPFIX_SET_TEMPLATE);
		ipfix_out_template_put(&e->w, groups, t, &e->o);
		t->announced = !e->w.full;
		e->n_templates++;
	}
	if (!e->set_at || e->set_id != id)
		ipfix_encoder_set(e, id);
	for (unsigned i = 0; i < t->n_fields; i++)
		put_field(&e->w, &t->fields[i], r, &room);
	if (t->has_entity)
		wbuf_u16(&e->w, e->o.entity);
	e->n_records++;
}

// Adds a record whose times are as the version has them.
static int add(struct ipfix_encoder *e, const struct record *r)
{
	struct record reverse;
	struct ipfix_encoder_mark before = ipfix_encoder_mark(e);
	unsigned groups = groups_of(e, r), reverse_groups = 0;
	bool two = !e->o.biflow && record_reverse(r, &reverse);

	if (!e->o.biflow)
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
	ipfix_encoder_back(e, &before);
	return -ENOSPC;
}

// The record with its times counted from when the exporter started. That is settled anew, between
// messages, when 32 bits of milliseconds do not reach: as if it had started again.
static int uptimes(struct ipfix_encoder *e, const struct record *r, struct record *ret_record)
{
	uint64_t boot = e->boot_ns;
	bool fits = r->start_ns >= boot && r->end_ns >= boot && r->start_ns - boot < UPTIME_NS &&
		    r->end_ns - boot < UPTIME_NS;
	if (!fits && e->n_records)
		return -ENOSPC;
	if (!fits) {
		uint64_t first = (r->start_ns < r->end_ns ? r->start_ns : r->end_ns) / NS_PER_SEC;
		first = first > BOOT_BEFORE_SEC ? first - BOOT_BEFORE_SEC : 0;
		e->boot_ns = first * NS_PER_SEC;
	}
	*ret_record = *r;
	ret_record->start_ns -= e->boot_ns;
	ret_record->end_ns -= e->boot_ns;
	return 0;
}

int ipfix_encoder_add(struct ipfix_encoder *e, const struct record *r)
{
	struct record relative;
	if (!is_v9(e) && !is_v5(e))
		return add(e, r);
	int ret = uptimes(e, r, &relative);
	if (ret < 0)
		return ret;
	return is_v5(e) ? encode_v5_add(e, &relative) : add(e, &relative);
}

static size_t message_end(struct ipfix_encoder *e, uint64_t now_ns, const uint8_t **ret_message)
{
	struct wbuf head = {.start = e->w.start, .p = e->w.start, .end = e->w.end};
	uint32_t now_sec = (uint32_t)(now_ns / NS_PER_SEC);

	set_close(e);
	size_t len = wbuf_len(&e->w);
	if (is_v5(e)) {
		encode_v5_header(e, &head, now_ns);
		e->sequence += e->n_records;
		*ret_message = e->w.start;
		return len;
	}
	if (is_v9(e) && !e->boot_ns && now_sec > BOOT_BEFORE_SEC) // no flow has settled it yet
		e->boot_ns = (now_sec - BOOT_BEFORE_SEC) * NS_PER_SEC;
	if (is_v9(e)) {
		uint64_t uptime_ns = now_sec * NS_PER_SEC - e->boot_ns; // as exact as the seconds
		wbuf_u16(&head, NETFLOW9_VERSION);
		wbuf_u16(&head, (uint16_t)(e->n_records + e->n_templates));
		wbuf_u32(&head, (uint32_t)((int64_t)uptime_ns / (int64_t)NS_PER_MSEC));
		wbuf_u32(&head, now_sec);
	} else {
		wbuf_u16(&head, IPFIX_VERSION);
		wbuf_u16(&head, (uint16_t)len);
		wbuf_u32(&head, now_sec);
	}
	wbuf_u32(&head, e->sequence);
	wbuf_u32(&head, e->o.domain);
	if (is_v9(e))
		e->sequence++;
	else
		e->sequence += e->n_records;
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
	message_start(e);
	return len;
}

// What has been used goes first; what does not fit is announced again with its next record.
static void put_templates(struct ipfix_encoder *e, bool used)
{
	for (unsigned g = 0; g < N_TEMPLATES; g++) {
		struct ipfix_out_template *t = &e->templates[g];
		uint8_t *before = e->w.p;
		if (t->used != used)
			continue;
		ipfix_out_template_put(&e->w, g, t, &e->o);
		t->announced = !e->w.full;
		e->n_templates += t->announced;
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
	if (is_v5(e))
		return 0;
	message_start(e);
	ipfix_encoder_set(e, is_v9(e) ? NETFLOW9_SET_TEMPLATE : IPFIX_SET_TEMPLATE);
	put_templates(e, true);
	put_templates(e, false);
	ipfix_encoder_hit_template(e);
	ipfix_encoder_option_templates(e);
	size_t len = message_end(e, now_ns, ret_message);
	message_start(e);
	return len;
}

void ipfix_encoder_skip(struct ipfix_encoder *e, uint32_t n_records)
{
	e->sequence += is_v9(e) ? n_records > 0 : n_records;
}
