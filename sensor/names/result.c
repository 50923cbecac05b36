// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/result.h"

#include "lib/base/buf.h"

static bool has_answer(const struct names_result *r, const struct addr *a)
{
	for (unsigned i = 0; i < r->n_answers; i++) {
		if (addr_eq(&r->answers[i], a))
			return true;
	}
	return false;
}

void names_merge(struct names_result *r, const struct names_result *later)
{
	if (r->kind == NAMES_NONE) {
		*r = *later;
		return;
	}
	bool same = r->kind == later->kind && r->server_len == later->server_len &&
		    memcmp(r->server, later->server, r->server_len) == 0;
	if (!same || !(later->flags & NAMES_ANSWER))
		return;
	// That one of two questions has no answer does not make the other's a failure.
	if (!(r->flags & NAMES_ANSWER) || later->rcode == 0)
		r->rcode = later->rcode;
	r->flags |= later->flags;
	for (unsigned i = 0; i < later->n_answers && r->n_answers < NAMES_ANSWERS_MAX; i++) {
		if (!has_answer(r, &later->answers[i]))
			r->answers[r->n_answers++] = later->answers[i];
	}
}

size_t names_pack(const struct names_result *r, uint8_t to[NAMES_PACKED_MAX])
{
	struct wbuf w = wbuf_of(to, NAMES_PACKED_MAX);
	wbuf_u8(&w, r->kind);
	wbuf_u8(&w, r->flags);
	wbuf_u8(&w, r->rcode);
	wbuf_u8(&w, r->n_answers);
	wbuf_u16(&w, r->qtype);
	wbuf_u8(&w, r->server_len);
	wbuf_u8(&w, r->alpn_len);
	wbuf_u8(&w, r->ja4_len);
	wbuf_bytes(&w, r->server, r->server_len);
	wbuf_bytes(&w, r->alpn, r->alpn_len);
	wbuf_bytes(&w, r->ja4, r->ja4_len);
	wbuf_bytes(&w, r->answers, r->n_answers * sizeof(r->answers[0]));
	return wbuf_len(&w);
}

static void take(struct buf *b, void *to, size_t n, size_t max)
{
	const uint8_t *p = n <= max ? buf_take(b, n) : NULL;
	if (p)
		memcpy(to, p, n);
	else
		b->bad = true;
}

bool names_unpack(const uint8_t *p, size_t len, struct names_result *ret_result)
{
	struct names_result r = {};
	struct buf b = buf_of(p, len);
	r.kind = buf_u8(&b);
	r.flags = buf_u8(&b);
	r.rcode = buf_u8(&b);
	r.n_answers = buf_u8(&b);
	r.qtype = buf_u16(&b);
	r.server_len = buf_u8(&b);
	r.alpn_len = buf_u8(&b);
	r.ja4_len = buf_u8(&b);
	take(&b, r.server, r.server_len, sizeof(r.server));
	take(&b, r.alpn, r.alpn_len, sizeof(r.alpn));
	take(&b, r.ja4, r.ja4_len, sizeof(r.ja4));
	take(&b, r.answers, r.n_answers * sizeof(r.answers[0]), sizeof(r.answers));
	if (b.bad || buf_left(&b) > 0)
		return false;
	*ret_result = r;
	return true;
}

size_t names_format_answers(const struct names_result *r, char text[RECORD_STR_MAX])
{
	size_t len = 0;
	for (unsigned i = 0; i < r->n_answers; i++) {
		char one[ADDR_TEXT_LEN];
		size_t n = strlen(addr_format(&r->answers[i], one));
		if (len + (i > 0) + n > RECORD_STR_MAX)
			break;
		if (i > 0)
			text[len++] = ',';
		memcpy(text + len, one, n);
		len += n;
	}
	return len;
}

void names_put_record(
	const struct names_result *r, char answers[RECORD_STR_MAX], struct record *record
)
{
	RECORD_SET(record, name_kind, r->kind);
	RECORD_SET(record, server_name, ((struct record_str){r->server, r->server_len}));
	RECORD_SET(record, alpn, ((struct record_str){r->alpn, r->alpn_len}));
	RECORD_SET(record, ja4, ((struct record_str){r->ja4, r->ja4_len}));
	uint16_t len = (uint16_t)names_format_answers(r, answers);
	RECORD_SET(record, dns_answers, ((struct record_str){answers, len}));
}
