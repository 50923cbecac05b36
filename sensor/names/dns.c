// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/dns.h"

#include "sensor/names/text.h"

#define HEADER_LEN 12
#define LABEL_MAX 63
#define NAME_MAX_LEN 255 // on the wire, RFC 1035 §3.1
#define QUESTIONS_MAX 32 // passed over on the way to the answers; mDNS has several
#define RECORDS_MAX 64	 // looked at
#define FLAG_RESPONSE 0x8000
#define CLASS_IN 1
#define CLASS_MASK 0x7fff // mDNS uses the high bit, RFC 6762 §5.4, §10.2
#define TYPE_A 1
#define TYPE_AAAA 28
#define LABEL_POINTER 0xc0

// Passes over a name: a pointer ends it.
static void skip_name(struct buf *b)
{
	for (size_t len = 0; !b->bad;) {
		uint8_t n = buf_u8(b);
		if ((n & LABEL_POINTER) == LABEL_POINTER) {
			buf_skip(b, 1);
			return;
		}
		len += n + 1u;
		if (n > LABEL_MAX || len > NAME_MAX_LEN)
			b->bad = true;
		if (n == 0)
			return;
		buf_skip(b, n);
	}
}

// Adds a label, behind a dot unless it is the first. Where all of it is cut the dot is too.
static void put_label(struct text *t, const uint8_t *p, size_t n)
{
	size_t before = t->len;
	if (before > 0)
		text_put(t, TEXT_PLAIN, (const uint8_t *)".", 1);
	text_put(t, TEXT_LABEL, p, n);
	if (t->cut && before > 0 && t->len == before + 1)
		t->len = before;
}

// Reads a name that begins at `at`, following its pointers. The text is lower-cased and without a
// dot at its end; the root is ".".
static bool read_name(struct buf message, size_t at, struct names_result *r)
{
	size_t begin = at, len = 0, size = buf_left(&message);
	struct text t = text_of(r->server, sizeof(r->server));
	for (;;) {
		if (at >= size)
			return false;
		uint8_t n = message.p[at];
		if ((n & LABEL_POINTER) == LABEL_POINTER) {
			if (at + 1 >= size)
				return false;
			size_t to = (size_t)(n & ~LABEL_POINTER) << 8 | message.p[at + 1];
			if (to >= begin) // each one leads further back
				return false;
			begin = at = to;
			continue;
		}
		len += n + 1u;
		if (n > LABEL_MAX || len > NAME_MAX_LEN || at + 1 + n > size)
			return false;
		if (n == 0)
			break;
		put_label(&t, message.p + at + 1, n);
		at += 1u + n;
	}
	if (t.len == 0)
		text_put(&t, TEXT_PLAIN, (const uint8_t *)".", 1);
	r->server_len = (uint8_t)t.len;
	r->flags |= t.cut ? NAMES_CUT : 0;
	return true;
}

static void add_answer(struct names_result *r, struct addr a)
{
	if (r->n_answers < NAMES_ANSWERS_MAX)
		r->answers[r->n_answers++] = a;
}

struct answers {
	unsigned n;	 // records that are there
	bool wants_name; // there was no question
};

// RFC 1035 §4.1.3. An address of the wrong length is no address.
static bool
take_records(struct buf message, struct buf *b, struct answers wanted, struct names_result *r)
{
	for (unsigned i = 0; i < wanted.n && i < RECORDS_MAX; i++) {
		size_t name_at = (size_t)(b->p - message.p);
		skip_name(b);
		uint16_t type = buf_u16(b), class = buf_u16(b) & CLASS_MASK;
		buf_skip(b, 4); // time to live
		struct buf data = buf_sub(b, buf_u16(b));
		if (b->bad)
			return false;
		size_t len = buf_left(&data);
		bool is_a = type == TYPE_A && class == CLASS_IN && len == 4;
		bool is_aaaa = type == TYPE_AAAA && class == CLASS_IN && len == 16;
		bool is_better = (is_a || is_aaaa) && r->n_answers == 0;
		if (wanted.wants_name && (i == 0 || is_better)) {
			r->qtype = type;
			if (!read_name(message, name_at, r))
				return false;
		}
		if (is_a || is_aaaa)
			add_answer(r, is_a ? addr_of_v4(data.p) : addr_of_v6(data.p));
	}
	return true;
}

enum look dns_message_parse(struct buf message, struct names_result *ret_result)
{
	struct names_result *r = ret_result;
	struct buf b = message;
	buf_skip(&b, 2); // id
	uint16_t flags = buf_u16(&b), n_questions = buf_u16(&b);
	struct answers answers = {.n = buf_u16(&b), .wants_name = n_questions == 0};
	buf_skip(&b, 4); // numbers of further records

	if (b.bad)
		return LOOK_BAD;
	if (flags & 0x7800 || (n_questions == 0 && answers.n == 0))
		return LOOK_NOTHING; // no query (RFC 1035 §4.1.1, OPCODE), or one of nothing
	if (n_questions > QUESTIONS_MAX)
		return LOOK_BAD;
	memset(r, 0, offsetof(struct names_result, server));
	r->kind = NAMES_DNS;
	for (unsigned i = 0; i < n_questions; i++) {
		if (i == 0 && !read_name(message, HEADER_LEN, r))
			return LOOK_BAD;
		skip_name(&b);
		uint16_t type = buf_u16(&b);
		buf_skip(&b, 2); // class
		r->qtype = i == 0 ? type : r->qtype;
	}
	if (b.bad)
		return LOOK_BAD;
	if (!(flags & FLAG_RESPONSE))
		return n_questions > 0 ? LOOK_FOUND : LOOK_NOTHING;
	r->flags |= NAMES_ANSWER;
	r->rcode = flags & 0xf;
	return take_records(message, &b, answers, r) ? LOOK_FOUND : LOOK_BAD;
}

enum look dns_stream_parse(struct buf stream, size_t max, struct names_result *ret_result)
{
	if (buf_left(&stream) < 2)
		return LOOK_MORE;
	size_t len = buf_u16(&stream);
	if (len < HEADER_LEN)
		return LOOK_BAD;
	if (len + 2 > max)
		return LOOK_TOO_LONG;
	struct buf message = buf_sub(&stream, len);
	return message.bad ? LOOK_MORE : dns_message_parse(message, ret_result);
}
