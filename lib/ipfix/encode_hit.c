// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/encode_hit.h"

#include "lib/base/utf8.h"
#include "lib/ipfix/encoder.h"
#include "lib/ipfix/wire.h"

#include <errno.h>

#define TEMPLATE_ID (IPFIX_SET_MIN + N_TEMPLATES)
#define N_SCOPE 1
#define TEXT_ROOM 700 // of all texts: with the options template they fit the smallest message

static const struct {
	uint16_t ie, len;
	bool is_own;
} fields[] = {
	{4, 8, true}, // indicator: the scope
	{IPFIX_IE_START_MS, 8, false},
	{27, 16, false}, // addresses of IPv4 too, mapped
	{28, 16, false},
	{7, 2, false},
	{11, 2, false},
	{4, 1, false},	// protocolIdentifier
	{5, 2, true},	// score
	{9, 1, true},	// matched
	{101, 1, true}, // indicator: type, severity, confidence
	{102, 1, true},
	{103, 1, true},
	{104, IPFIX_VARLEN, true}, // texts from here on, the more important first
	{105, IPFIX_VARLEN, true},
	{2, IPFIX_VARLEN, true}, // server_name
	{106, IPFIX_VARLEN, true},
	{108, IPFIX_VARLEN, true},
	{107, IPFIX_VARLEN, true},
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static void put_template(struct ipfix_encoder *e)
{
	ipfix_encoder_set(e, IPFIX_SET_OPTIONS);
	wbuf_u16(&e->w, TEMPLATE_ID);
	wbuf_u16(&e->w, N_FIELDS);
	wbuf_u16(&e->w, N_SCOPE);
	for (size_t i = 0; i < N_FIELDS; i++) {
		wbuf_u16(&e->w, fields[i].is_own ? fields[i].ie | IPFIX_ENTERPRISE : fields[i].ie);
		wbuf_u16(&e->w, fields[i].len);
		if (fields[i].is_own)
			wbuf_u32(&e->w, e->o.pen);
	}
	e->n_templates++;
}

void ipfix_encoder_hit_template(struct ipfix_encoder *e)
{
	struct ipfix_encoder_mark before = ipfix_encoder_mark(e);
	if (!e->hits_used)
		return;
	put_template(e);
	e->hits_announced = !e->w.full;
	if (e->w.full)
		ipfix_encoder_back(e, &before);
}

static void put_text(struct wbuf *w, const struct record_str *s, size_t *room)
{
	size_t max = *room < RECORD_STR_MAX ? *room : RECORD_STR_MAX;
	size_t len = s->len ? utf8_cut(s->p, s->len, max) : 0;
	*room -= len;
	if (len < IPFIX_VARLEN_LONG) {
		wbuf_u8(w, (uint8_t)len);
	} else {
		wbuf_u8(w, IPFIX_VARLEN_LONG);
		wbuf_u16(w, (uint16_t)len);
	}
	wbuf_bytes(w, len ? s->p : "", len);
}

static void put_hit(struct wbuf *w, const struct ipfix_hit *h)
{
	const struct record *r = &h->record;
	size_t room = TEXT_ROOM;
	wbuf_u64(w, r->indicator);
	wbuf_u64(w, ipfix_time_to_wire(IPFIX_IE_START_MS, r->start_ns));
	wbuf_bytes(w, r->src.b, sizeof(r->src.b));
	wbuf_bytes(w, r->dst.b, sizeof(r->dst.b));
	wbuf_u16(w, r->sport);
	wbuf_u16(w, r->dport);
	wbuf_u8(w, r->proto);
	wbuf_u16(w, r->score);
	wbuf_u8(w, r->matched);
	wbuf_u8(w, h->type);
	wbuf_u8(w, h->severity);
	wbuf_u8(w, h->confidence);
	put_text(w, &h->texts[AUX_TEXT_VALUE - AUX_N_NUMBERS], &room);
	put_text(w, &h->texts[AUX_TEXT_FEED - AUX_N_NUMBERS], &room);
	put_text(w, &r->server_name, &room);
	put_text(w, &h->texts[AUX_TEXT_CATEGORY - AUX_N_NUMBERS], &room);
	put_text(w, &h->texts[AUX_TEXT_REFERENCE - AUX_N_NUMBERS], &room);
	put_text(w, &h->texts[AUX_TEXT_DESCRIPTION - AUX_N_NUMBERS], &room);
}

int ipfix_encoder_add_hit(struct ipfix_encoder *e, const struct ipfix_hit *h)
{
	struct ipfix_encoder_mark before = ipfix_encoder_mark(e);
	if (e->o.version == NETFLOW9_VERSION || e->o.version == NETFLOW5_VERSION)
		return -ENOTSUP;
	if (!e->hits_announced)
		put_template(e);
	if (!e->set_at || e->set_id != TEMPLATE_ID)
		ipfix_encoder_set(e, TEMPLATE_ID);
	put_hit(&e->w, h);
	if (e->w.full) { // all of it or nothing
		ipfix_encoder_back(e, &before);
		return -ENOSPC;
	}
	e->hits_announced = e->hits_used = true;
	e->n_records++;
	return 0;
}
