// SPDX-License-Identifier: Apache-2.0
#include "api/query/filter_parser.h"

#include <errno.h>
#include <stdlib.h>

// The side words in front of a subject.
#define SIDE_SRC 1
#define SIDE_DST 2
#define SIDE_IN 4
#define SIDE_OUT 8

static int node_add(struct filter_parser *p, enum filter_op op, uint16_t *ret_node)
{
	if (p->f->n_nodes == FILTER_NODES_MAX)
		return filter_fail(p, p->lex.now.at, "the filter has too many conditions");
	*ret_node = p->f->n_nodes++;
	p->f->nodes[*ret_node] =
		(struct filter_node){.op = op, .child = FILTER_NONE, .next = FILTER_NONE};
	return 0;
}

// A leaf: the set, asked of one source.
static int
leaf_add(struct filter_parser *p, const struct filter_node *set, int s, uint16_t *ret_node)
{
	int ret = node_add(p, (enum filter_op)set->op, ret_node);
	if (ret < 0)
		return ret;
	struct filter_node *node = &p->f->nodes[*ret_node];
	node->source = s;
	node->first = set->first;
	node->n = set->n;
	node->bits = set->bits;
	p->f->fields |= value_fields(s);
	return 0;
}

// Hangs two nodes under a new one.
static int
join(struct filter_parser *p, enum filter_op op, uint16_t a, uint16_t b, uint16_t *ret_node)
{
	int ret = node_add(p, op, ret_node);
	if (ret < 0)
		return ret;
	p->f->nodes[*ret_node].child = a;
	p->f->nodes[a].next = b;
	return 0;
}

// "and proto is this (or that)".
static int imply(struct filter_parser *p, const struct filter_subject *s, uint16_t *node)
{
	struct filter_node set = {.op = FILTER_NUMBER, .first = p->f->n_ranges};
	uint16_t proto;
	int ret = filter_set_range(p, (struct filter_range){s->proto, s->proto}, p->lex.now.at);
	if (ret == 0 && s->proto2)
		ret = filter_set_range(
			p, (struct filter_range){s->proto2, s->proto2}, p->lex.now.at
		);
	if (ret < 0)
		return ret;
	set.n = p->f->n_ranges - set.first;
	if ((ret = leaf_add(p, &set, FIELD_proto, &proto)) < 0)
		return ret;
	return join(p, FILTER_AND, proto, *node, node);
}

struct sides {
	unsigned words; // SIDE_*
	bool both;	// joined by "and"
	size_t at;
};

static unsigned side_of(const struct lex_token *t)
{
	if (t->kind != LEX_WORD)
		return 0;
	if (lex_is(t, "src") || lex_is(t, "source"))
		return SIDE_SRC;
	if (lex_is(t, "dst") || lex_is(t, "destination"))
		return SIDE_DST;
	if (lex_is(t, "in"))
		return SIDE_IN;
	return lex_is(t, "out") ? SIDE_OUT : 0;
}

static int parse_sides(struct filter_parser *p, struct sides *s)
{
	*s = (struct sides){.at = p->lex.now.at};
	for (unsigned side; (side = side_of(&p->lex.now)); lex_next(&p->lex))
		s->words |= side;
	if ((s->words != SIDE_SRC && s->words != SIDE_DST) ||
	    (p->lex.now.kind != LEX_AND && p->lex.now.kind != LEX_OR))
		return 0;
	s->both = p->lex.now.kind == LEX_AND;
	lex_next(&p->lex);
	unsigned other = side_of(&p->lex.now);
	if (other != (s->words ^ (SIDE_SRC | SIDE_DST)))
		return filter_fail_here(p, "expected the other one of src and dst");
	s->words |= other;
	lex_next(&p->lex);
	return 0;
}

// Which of the subject's two values are asked: bit 0 the first, bit 1 the second; 0: that makes no
// sense.
static unsigned sides_asked(const struct filter_subject *s, unsigned words)
{
	unsigned ends = words & (SIDE_SRC | SIDE_DST), ways = words & (SIDE_IN | SIDE_OUT);
	switch (s->sides) {
	case SIDES_ENDS:
		if (ways && s->kind != KIND_MAC)
			return 0;
		return ends ? ends : 3;
	case SIDES_SRC:
		return ways || ends & SIDE_DST ? 0 : 1;
	case SIDES_IFS:
		return ends ? 0 : ways ? ways / SIDE_IN : 3;
	case SIDES_WAYS:
		return ends ? 0 : ways ? ways / SIDE_IN : 1;
	case SIDES_NONE:
		break;
	}
	return words ? 0 : 1;
}

// The set asked of what the sides say.
static int leaves_add(
	struct filter_parser *p,
	const struct filter_subject *s,
	const struct filter_node *set,
	const struct sides *sides,
	uint16_t *ret_node
)
{
	uint16_t a = FILTER_NONE, b = FILTER_NONE;
	unsigned asked = sides_asked(s, sides->words);
	int ret = leaf_add(p, set, asked & 1 ? s->a : s->b, &a);
	if (ret < 0 || asked != 3) {
		*ret_node = a;
		return ret;
	}
	if ((ret = leaf_add(p, set, s->b, &b)) < 0)
		return ret;
	return join(p, sides->both ? FILTER_AND : FILTER_OR, a, b, ret_node);
}

static int parse_condition(
	struct filter_parser *p,
	const struct filter_subject *s,
	const struct sides *sides,
	uint16_t *ret_node
)
{
	struct filter_node set;
	bool turned;
	if (!sides_asked(s, sides->words))
		return filter_fail(p, sides->at, "this word does not go with %s", s->word);
	int ret = filter_set_parse(p, s, &set, &turned);
	if (ret < 0)
		return ret;
	if ((ret = leaves_add(p, s, &set, sides, ret_node)) < 0)
		return ret;
	p->f->nodes[*ret_node].negate = turned;
	return s->proto ? imply(p, s, ret_node) : 0;
}

// A condition that is a number's being in one range.
static int simple(struct filter_parser *p, int s, struct filter_range r, uint16_t *ret_node)
{
	struct filter_node set = {.op = FILTER_NUMBER, .first = p->f->n_ranges, .n = 1};
	int ret = filter_set_range(p, r, p->lex.now.at);
	return ret < 0 ? ret : leaf_add(p, &set, s, ret_node);
}

static int parse_version(struct filter_parser *p, bool v6, uint16_t *ret_node)
{
	static const uint8_t zero[4];
	struct filter *f = p->f;
	struct filter_node set = {.op = FILTER_ADDR, .first = f->n_nets, .n = 1};
	struct filter_net all = {.lo = addr_of_v4(zero), .hi = addr_of_v4(zero)};
	memset(all.hi.b + 12, 0xff, 4);
	int ret = filter_set_net(p, &all, p->lex.now.at);
	if (ret < 0)
		return ret;
	if ((ret = leaf_add(p, &set, FIELD_src, ret_node)) < 0)
		return ret;
	f->nodes[*ret_node].negate = v6;
	return 0;
}

static int parse_ident(struct filter_parser *p, uint16_t *ret_node)
{
	const struct lex_token t = p->lex.now;
	if (t.kind != LEX_WORD && t.kind != LEX_STRING)
		return filter_fail_here(p, "expected a name");
	lex_next(&p->lex);
	int ret = node_add(p, FILTER_ANY, ret_node);
	if (ret == 0)
		p->f->nodes[*ret_node].negate = !p->ident || !lex_is(&t, p->ident);
	return ret;
}

// "next ip", "router ip": the word itself is behind us.
static int parse_hop(struct filter_parser *p, enum record_field f, uint16_t *ret_node)
{
	struct filter_subject s = {.word = "ip", .kind = KIND_ADDR, .a = f};
	struct sides none = {};
	if (!lex_is(&p->lex.now, "ip"))
		return filter_fail_here(p, "expected ip");
	lex_next(&p->lex);
	return parse_condition(p, &s, &none, ret_node);
}

static int parse_word(struct filter_parser *p, uint16_t *ret_node)
{
	const struct lex_token t = p->lex.now;
	uint8_t proto;
	if (lex_is(&t, "any")) {
		lex_next(&p->lex);
		return node_add(p, FILTER_ANY, ret_node);
	}
	bool v6 = lex_is(&t, "ipv6") || lex_is(&t, "inet6");
	if (v6 || lex_is(&t, "ipv4") || lex_is(&t, "inet")) {
		lex_next(&p->lex);
		return parse_version(p, v6, ret_node);
	}
	if (lex_is(&t, "ident") || lex_is(&t, "next") || lex_is(&t, "router")) {
		lex_next(&p->lex);
		if (lex_is(&t, "ident"))
			return parse_ident(p, ret_node);
		return parse_hop(p, lex_is(&t, "next") ? FIELD_next_hop : FIELD_exporter, ret_node);
	}
	if (filter_proto_find(&t, &proto) == 0) {
		lex_next(&p->lex);
		struct filter_range r = {proto, proto};
		return simple(p, FIELD_proto, r, ret_node);
	}
	struct filter_subject s;
	struct sides sides;
	int ret = parse_sides(p, &sides);
	if (ret < 0)
		return ret;
	if (p->lex.now.kind != LEX_WORD || filter_subject_find(&p->lex.now, &s) < 0)
		return filter_fail_here(p, "expected a field such as ip, port, proto, bytes");
	lex_next(&p->lex);
	return parse_condition(p, &s, &sides, ret_node);
}

static int parse_or(struct filter_parser *p, uint16_t *ret_node);

// NOLINTNEXTLINE(misc-no-recursion): at most FILTER_DEPTH_MAX deep
static int parse_not(struct filter_parser *p, uint16_t *ret_node)
{
	enum lex_kind kind = p->lex.now.kind;
	if (kind == LEX_WORD)
		return parse_word(p, ret_node);
	if (kind != LEX_NOT && kind != LEX_OPEN)
		return filter_fail_here(p, "expected a condition");
	if (p->depth == FILTER_DEPTH_MAX)
		return filter_fail_here(p, "too many parentheses or nots within one another");
	p->depth++;
	lex_next(&p->lex);
	int ret = kind == LEX_NOT ? parse_not(p, ret_node) : parse_or(p, ret_node);
	p->depth--;
	if (ret < 0)
		return ret;
	if (kind == LEX_NOT) {
		p->f->nodes[*ret_node].negate ^= true;
		return 0;
	}
	if (p->lex.now.kind != LEX_CLOSE)
		return filter_fail_here(p, "expected ')', and, or");
	lex_next(&p->lex);
	return 0;
}

// Conditions joined by `sign`, as children of one node.
static int parse_chain(
	struct filter_parser *p,
	enum lex_kind sign,
	int (*parse)(struct filter_parser *, uint16_t *),
	uint16_t *ret_node
)
{
	uint16_t first = FILTER_NONE, last = FILTER_NONE;
	int ret = parse(p, &first);
	if (ret < 0)
		return ret;
	*ret_node = last = first;
	while (p->lex.now.kind == sign) {
		uint16_t more = FILTER_NONE;
		lex_next(&p->lex);
		if ((ret = parse(p, &more)) < 0)
			return ret;
		if (last == first)
			ret = join(
				p, sign == LEX_AND ? FILTER_AND : FILTER_OR, first, more, ret_node
			);
		p->f->nodes[last].next = more;
		last = more;
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int parse_and(struct filter_parser *p, uint16_t *ret_node)
{
	return parse_chain(p, LEX_AND, parse_not, ret_node);
}

static int parse_or(struct filter_parser *p, uint16_t *ret_node)
{
	return parse_chain(p, LEX_OR, parse_and, ret_node);
}

// As in nfdump, "not flags AFRPU" is that none of them is set, not that one of them is not.
// NOLINTNEXTLINE(misc-no-recursion): at most FILTER_DEPTH_MAX deep
static void settle_flags(struct filter *f, uint16_t at, bool negated)
{
	struct filter_node *node = &f->nodes[at];
	negated ^= node->negate;
	if (node->op == FILTER_BITS && negated)
		node->op = FILTER_ANY_BITS;
	for (uint16_t k = node->child; k != FILTER_NONE; k = f->nodes[k].next)
		settle_flags(f, k, negated);
}

static int parse_all(struct filter_parser *p)
{
	if (p->lex.now.kind == LEX_END)
		return node_add(p, FILTER_ANY, &p->f->root);
	int ret = parse_or(p, &p->f->root);
	if (ret == 0)
		settle_flags(p->f, p->f->root, false);
	if (ret == 0 && p->lex.now.kind != LEX_END)
		ret = filter_fail_here(p, "expected and, or, or the end of the filter");
	return ret;
}

int filter_parse(
	const char *text,
	size_t len,
	const char *ident,
	struct filter **ret_filter,
	struct filter_error *ret_error
)
{
	struct filter_parser p = {.ident = ident, .error = ret_error};
	if (len > FILTER_TEXT_MAX) {
		p.lex.text = text;
		return filter_fail(&p, FILTER_TEXT_MAX, "the filter is too long");
	}
	p.f = calloc(1, sizeof(*p.f));
	if (!p.f)
		return -ENOMEM;
	lex_init(&p.lex, text, len);
	int ret = parse_all(&p);
	if (ret < 0) {
		filter_free(p.f);
		return ret;
	}
	*ret_filter = p.f;
	return 0;
}
