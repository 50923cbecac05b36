// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/template.h"

#include "lib/base/utf8.h"
#include "lib/ipfix/wire.h"
#include "lib/record/tunnel.h"

#include <errno.h>
#include <stdlib.h>

#define STEPS_MAX 128 // elements.def and fields.def have fewer elements

bool ipfix_template_head(
	struct buf *b, bool is_v9, bool is_options, struct ipfix_template_head *ret_head
)
{
	struct ipfix_template_head h = {.is_v9 = is_v9, .is_options = is_options};
	h.id = buf_u16(b);
	h.n_fields = buf_u16(b);
	if (is_options && is_v9) {
		// RFC 3954 §6.1 gives lengths in bytes: of the scopes, then of the options.
		unsigned scope_len = h.n_fields, option_len = buf_u16(b);
		if (scope_len % 4 || option_len % 4 || scope_len + option_len > 65535)
			return false;
		h.n_scope = (uint16_t)(scope_len / 4);
		h.n_fields = (uint16_t)((scope_len + option_len) / 4);
	} else if (is_options && h.n_fields) {
		h.n_scope = buf_u16(b);
		if (h.n_scope == 0 || h.n_scope > h.n_fields)
			return false; // RFC 7011 §3.4.2.2
	}
	*ret_head = h;
	// An IPFIX withdrawal of all templates names the set's id instead of a template's.
	uint16_t all = is_options ? IPFIX_SET_OPTIONS : IPFIX_SET_TEMPLATE;
	bool is_withdrawal = !is_v9 && !h.n_fields && h.id == all;
	return !b->bad && (h.id >= IPFIX_SET_MIN || is_withdrawal);
}

const uint8_t *
ipfix_template_fields(struct buf *b, const struct ipfix_template_head *head, size_t *ret_len)
{
	const uint8_t *start = b->p;
	for (unsigned i = 0; i < head->n_fields && !b->bad; i++) {
		uint16_t ie = buf_u16(b);
		buf_skip(b, ie & IPFIX_ENTERPRISE && !head->is_v9 ? 6 : 2);
	}
	*ret_len = (size_t)(b->p - start);
	return b->bad ? NULL : start;
}

static uint8_t op_of_uint(size_t len, size_t width)
{
	static const uint8_t ops[9][9] = {
		[2] = {[2] = OP_2_2, [4] = OP_2_4},
		[4] = {[4] = OP_4_4, [8] = OP_4_8},
		[8] = {[8] = OP_8_8},
	};
	if (len == 1 && width == 1)
		return OP_1_1;
	return len <= 8 && width <= 8 && ops[len][width] ? ops[len][width] : OP_UINT;
}

// The lengths an element may have (RFC 7011 §6.2: only numbers shrink). 1 usable, 0 skip it,
// -EINVAL the template cannot be right.
static int check_len(enum ipfix_kind kind, uint16_t len)
{
	switch (kind) {
	case IPFIX_KIND_ADDR4:
		return len == 0 ? 0 : len == 4 ? 1 : -EINVAL;
	case IPFIX_KIND_ADDR6:
		return len == 0 ? 0 : len == 16 ? 1 : -EINVAL;
	case IPFIX_KIND_MAC:
		return len == 0 ? 0 : len == 6 ? 1 : -EINVAL;
	case IPFIX_KIND_MPLS:
		return len == 3 || len == 4;
	case IPFIX_KIND_STR:
	case IPFIX_KIND_TEXT:
		return len > 0;
	default:
		return (len > 0 && len <= 8) || len == IPFIX_VARLEN;
	}
}

static uint8_t op_of(const struct ipfix_element *e, uint16_t len, size_t width)
{
	static const uint8_t ops[] = {
		[IPFIX_KIND_ADDR4] = OP_ADDR4,
		[IPFIX_KIND_ADDR6] = OP_ADDR6,
		[IPFIX_KIND_MAC] = OP_MAC,
		[IPFIX_KIND_STR] = OP_STR,
		[IPFIX_KIND_FLAGS] = OP_FLAGS,
		[IPFIX_KIND_MPLS] = OP_MPLS,
		[IPFIX_KIND_ICMP] = OP_ICMP,
		[IPFIX_KIND_TEXT] = OP_STR,
	};
	if (e->kind == IPFIX_KIND_SEGMENT)
		return len == 8 ? OP_SEGMENT : OP_UINT;
	if (e->kind == IPFIX_KIND_UINT || e->kind == IPFIX_KIND_AUX)
		return op_of_uint(len, width);
	return ops[e->kind];
}

static struct ipfix_step step_of(const struct ipfix_element *e, uint16_t len)
{
	bool is_text = e->kind == IPFIX_KIND_TEXT;
	struct ipfix_step s = {
		.len = len,
		.target = e->target,
		.is_aux = is_text || e->kind == IPFIX_KIND_AUX,
	};
	if (is_text) {
		size_t i = (size_t)e->target - AUX_N_NUMBERS;
		s.to = (uint16_t
		)(offsetof(struct ipfix_values, texts) + i * sizeof(struct record_str));
		s.width = sizeof(struct record_str);
	} else if (s.is_aux) {
		s.to = (uint16_t
		)(offsetof(struct ipfix_values, aux) + e->target * sizeof(uint64_t));
		s.width = sizeof(uint64_t);
	} else {
		s.to = (uint16_t
		)(offsetof(struct ipfix_values, r) + record_fields[e->target].offset);
		s.width = record_fields[e->target].width;
	}
	s.op = op_of(e, len, s.width);
	return s;
}

// Compilation in progress: elements beside steps, to order and tell duplicates.
struct compiler {
	struct ipfix_template *t;
	unsigned steps_max;
	const struct ipfix_element *elements[STEPS_MAX];
};

// Puts a step where its rank says, after those of the same rank. An element given twice counts
// once, the first (RFC 7011 §8 leaves the order its meaning).
static void insert_step(struct compiler *c, const struct ipfix_element *e, struct ipfix_step s)
{
	struct ipfix_template *t = c->t;
	unsigned at = t->n_steps;
	for (unsigned i = 0; i < t->n_steps; i++) {
		if (c->elements[i] == e)
			return;
	}
	if (t->n_steps >= c->steps_max)
		return;
	for (; at > 0 && c->elements[at - 1]->rank > e->rank; at--) {
		t->steps[at] = t->steps[at - 1];
		c->elements[at] = c->elements[at - 1];
	}
	t->steps[at] = s;
	c->elements[at] = e;
	t->n_steps++;
}

// What follows from all steps together.
static void settle(struct ipfix_template *t)
{
	bool v4 = false, v6 = false;
	for (unsigned i = 0; i < t->n_steps; i++) {
		struct ipfix_step *s = &t->steps[i];
		for (unsigned j = 0; j < i; j++)
			s->if_value |= t->steps[j].to == s->to;
		if (s->is_aux) {
			t->aux |= AUX_BIT(s->target);
			continue;
		}
		t->set |= 1ull << s->target;
		if (s->op == OP_ICMP)
			t->set |= RECORD_BIT(icmp_code);
		v4 |= s->op == OP_ADDR4 && s->target == FIELD_src;
		v6 |= s->op == OP_ADDR6 && s->target == FIELD_src;
	}
	t->both_families = v4 && v6;
}

struct field {
	uint16_t ie;
	uint16_t len;
	uint32_t pen;
};

// Reads the next field of a definition; the template gets its length.
static struct field add_field(struct ipfix_template *t, bool is_v9, struct buf *b)
{
	struct field f = {.ie = buf_u16(b)};
	f.len = buf_u16(b);
	if (f.ie & IPFIX_ENTERPRISE && !is_v9) {
		f.ie &= ~IPFIX_ENTERPRISE;
		f.pen = buf_u32(b);
	}
	if (f.len)
		t->lens[t->n_fields++] = f.len;
	t->is_variable |= f.len == IPFIX_VARLEN;
	t->row_len += f.len == IPFIX_VARLEN ? 1 : f.len;
	return f;
}

static int compile_field(
	struct compiler *c, const struct ipfix_template_head *head, unsigned index, struct buf *b
)
{
	struct ipfix_template *t = c->t;
	unsigned from = t->n_fields;
	struct field f = add_field(t, head->is_v9, b);
	bool is_v9_scope = head->is_v9 && index < head->n_scope;
	const struct ipfix_element *e =
		is_v9_scope ? NULL : ipfix_element_find(f.ie, f.pen, head->weir_pen);

	t->n_unknown += f.pen && !e;
	int usable = e ? check_len(e->kind, f.len) : 0;
	if (usable <= 0)
		return usable;
	struct ipfix_step s = step_of(e, f.len);
	s.from = (uint16_t)from;
	insert_step(c, e, s);
	return 0;
}

// Steps of fixed rows address bytes, those of variable rows fields.
static void place(struct ipfix_template *t)
{
	for (unsigned i = 0; i < t->n_steps && !t->is_variable; i++) {
		uint32_t at = 0;
		for (unsigned f = 0; f < t->steps[i].from; f++)
			at += t->lens[f];
		t->steps[i].from = (uint16_t)at;
	}
}

int ipfix_template_compile(
	const struct ipfix_template_head *head,
	const uint8_t *fields,
	size_t len,
	struct ipfix_template **ret_template,
	size_t *ret_size
)
{
	unsigned n = head->n_fields, n_steps = n < STEPS_MAX ? n : STEPS_MAX;
	size_t size = sizeof(struct ipfix_template) + n_steps * sizeof(struct ipfix_step) +
		      n * sizeof(uint16_t) + len;
	struct buf b = buf_of(fields, len);
	int ret = 0;

	if (n == 0 || n > IPFIX_FIELDS_LIMIT)
		return -EINVAL;
	struct ipfix_template *t = calloc(1, size);
	if (!t)
		return -ENOMEM;
	t->steps = (struct ipfix_step *)(t + 1);
	uint16_t *lens = (uint16_t *)(t->steps + n_steps);
	t->lens = lens;
	t->def = memcpy(lens + n, fields, len);
	t->def_len = (uint32_t)len;
	t->id = head->id;
	t->is_options = head->is_options;
	t->n_scope = head->n_scope;
	struct compiler c = {.t = t, .steps_max = n_steps};
	for (unsigned i = 0; i < n && !ret; i++)
		ret = compile_field(&c, head, i, &b);
	if (b.bad || t->row_len == 0 || t->row_len > UINT16_MAX)
		ret = -EINVAL;
	if (ret < 0) {
		free(t);
		return ret;
	}
	place(t);
	settle(t);
	*ret_template = t;
	*ret_size = size;
	return 0;
}

static uint64_t load(const uint8_t *p, size_t len)
{
	uint64_t v = 0;
	for (size_t i = 0; i < len; i++)
		v = v << 8 | p[i];
	return v;
}

// Numbers wider than their member keep the low bytes: forwardingStatus in 4 bytes.
static void store(void *to, size_t width, uint64_t v)
{
	uint16_t v16 = (uint16_t)v;
	uint32_t v32 = (uint32_t)v;
	switch (width) {
	case 1:
		*(uint8_t *)to = (uint8_t)v;
		break;
	case 2:
		memcpy(to, &v16, 2);
		break;
	case 4:
		memcpy(to, &v32, 4);
		break;
	default:
		memcpy(to, &v, 8);
	}
}

static void take_icmp(struct ipfix_values *v, uint64_t x)
{
	v->r.icmp_type = (uint8_t)(x >> 8);
	v->r.icmp_code = (uint8_t)x;
}

// layer2SegmentId: the id in its low 24 bits, or 56 of ours; on top which encapsulation.
static void take_segment(struct ipfix_values *v, uint64_t x)
{
	v->r.tunnel_id = x & ((1ull << 56) - 1);
	if (v->r.tunnel_kind)
		return;
	uint8_t kind = tunnel_of_segment((uint8_t)(x >> 56));
	if (kind)
		RECORD_SET(&v->r, tunnel_kind, kind);
}

// What is not UTF-8 is to be ignored (RFC 7011 §6.1.6).
static void take_str(struct ipfix_values *v, void *to, const uint8_t *p, size_t len)
{
	while (len && p[len - 1] == 0) // fixed-length text is padded
		len--;
	if (!utf8_is_valid(p, len)) {
		v->bad_text++;
		return;
	}
	struct record_str s = {
		.p = (const char *)p,
		.len = (uint16_t)utf8_cut(p, len, RECORD_STR_MAX),
	};
	memcpy(to, &s, sizeof(s));
}

// One field; p has len bytes, which check_len found right for the op, or which are variable.
static inline void
take(const struct ipfix_step *s, const uint8_t *p, size_t len, struct ipfix_values *v)
{
	uint8_t *to = (uint8_t *)v + s->to;
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	switch ((enum ipfix_op)s->op) {
	case OP_1_1:
		*to = *p;
		break;
	case OP_2_2:
		memcpy(&v16, p, 2);
		v16 = be16toh(v16);
		memcpy(to, &v16, 2);
		break;
	case OP_4_4:
		memcpy(&v32, p, 4);
		v32 = be32toh(v32);
		memcpy(to, &v32, 4);
		break;
	case OP_8_8:
		memcpy(&v64, p, 8);
		v64 = be64toh(v64);
		memcpy(to, &v64, 8);
		break;
	case OP_2_4:
		memcpy(&v16, p, 2);
		v32 = be16toh(v16);
		memcpy(to, &v32, 4);
		break;
	case OP_4_8:
		memcpy(&v32, p, 4);
		v64 = be32toh(v32);
		memcpy(to, &v64, 8);
		break;
	case OP_UINT:
		if (len <= 8)
			store(to, s->width, load(p, len));
		break;
	case OP_ADDR4:
		memcpy(to, addr_v4_head, 12);
		memcpy(to + 12, p, 4);
		break;
	case OP_ADDR6:
		memcpy(to, p, 16);
		break;
	case OP_MAC:
		memcpy(to, p, 6);
		break;
	case OP_STR:
		take_str(v, to, p, len);
		break;
	case OP_FLAGS:
		// The data offset's four bits are ignored (RFC 9565).
		if (len <= 8)
			store(to, s->width, load(p, len) & 0x0fff);
		break;
	case OP_MPLS:
		v32 = (uint32_t)load(p, len) >> (len == 3 ? 4 : 12);
		memcpy(to, &v32, 4);
		break;
	case OP_SEGMENT:
		take_segment(v, load(p, len));
		break;
	case OP_ICMP:
		if (len <= 8)
			take_icmp(v, load(p, len));
		break;
	}
}

static bool is_zero(const uint8_t *p, size_t len)
{
	uint8_t any = 0;
	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return any == 0;
}

static void take_row(const struct ipfix_template *t, const uint8_t *row, struct ipfix_values *v)
{
	const struct ipfix_step *end = t->steps + t->n_steps;
	for (const struct ipfix_step *s = t->steps; s < end; s++) {
		const uint8_t *p = row + s->from;
		if (s->if_value && is_zero(p, s->len))
			continue;
		take(s, p, s->len, v);
	}
}

// A variable-length field's own length (RFC 7011 §7).
static size_t take_len(struct buf *b)
{
	size_t len = buf_u8(b);
	return len == IPFIX_VARLEN_LONG ? buf_u16(b) : len;
}

struct field_at {
	const uint8_t *p;
	uint16_t len;
};

// Finds the fields of a variable row; ret_fields may be NULL.
static bool walk(const struct ipfix_template *t, struct buf *b, struct field_at *ret_fields)
{
	for (unsigned i = 0; i < t->n_fields; i++) {
		size_t len = t->lens[i] == IPFIX_VARLEN ? take_len(b) : t->lens[i];
		const uint8_t *p = buf_take(b, len);
		if (b->bad)
			return false;
		if (ret_fields)
			ret_fields[i] = (struct field_at){.p = p, .len = (uint16_t)len};
	}
	return true;
}

static bool take_variable(const struct ipfix_template *t, struct buf *b, struct ipfix_values *v)
{
	struct field_at fields[IPFIX_FIELDS_LIMIT];
	if (!walk(t, b, fields))
		return false;
	for (unsigned i = 0; i < t->n_steps; i++) {
		const struct ipfix_step *s = &t->steps[i];
		const struct field_at *f = &fields[s->from];
		if (s->if_value && is_zero(f->p, f->len))
			continue;
		take(s, f->p, f->len, v);
	}
	return true;
}

bool ipfix_template_row(
	const struct ipfix_template *t, struct buf *b, struct ipfix_values *ret_values
)
{
	memset(&ret_values->r, 0, sizeof(ret_values->r));
	ret_values->r.set = t->set;
	ret_values->bad_text = 0;
	if (t->is_options)
		memset(ret_values->texts, 0, sizeof(ret_values->texts));
	if (t->is_variable) {
		memset(ret_values->aux, 0, sizeof(ret_values->aux));
		return take_variable(t, b, ret_values);
	}
	const uint8_t *row = buf_take(b, t->row_len);
	if (!row)
		return false;
	take_row(t, row, ret_values);
	return true;
}

bool ipfix_template_fits(const struct ipfix_template *t, struct buf b)
{
	while (buf_left(&b) >= t->row_len) {
		// What is shorter than a row pads; so do zeros where a row could be (RFC 7011
		// §3.3.1).
		if (buf_left(&b) < 8 && is_zero(b.p, buf_left(&b)))
			return true;
		if (!walk(t, &b, NULL))
			return false;
	}
	return true;
}

void ipfix_template_measure(
	struct ipfix_template *t,
	const struct ipfix_template_head *head,
	const uint8_t *fields,
	size_t len
)
{
	struct buf b = buf_of(fields, len);
	for (unsigned i = 0; i < head->n_fields; i++)
		(void)add_field(t, head->is_v9, &b);
}
