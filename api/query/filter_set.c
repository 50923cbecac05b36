// SPDX-License-Identifier: Apache-2.0
#include "api/query/filter_parser.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int filter_fail(struct filter_parser *p, size_t at, const char *fmt, ...)
{
	va_list ap;
	p->error->column = 1; // characters, not bytes
	for (size_t i = 0; i < at; i++)
		p->error->column += (p->lex.text[i] & 0xc0) != 0x80;
	va_start(ap, fmt);
	vsnprintf(p->error->text, sizeof(p->error->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int filter_fail_here(struct filter_parser *p, const char *what)
{
	const struct lex_token *t = &p->lex.now;
	if (t->kind == LEX_END)
		return filter_fail(p, t->at, "the filter ends here: %s", what);
	return filter_fail(p, t->at, "%s", what);
}

// A list of the filter's and how far it has room.
struct growing {
	void **list;
	uint32_t n, *cap;
	size_t width;
};

// Makes room for one entry more.
static int grow(struct filter_parser *p, const struct growing *g, size_t at)
{
	if (g->n == FILTER_VALUES_MAX)
		return filter_fail(p, at, "the filter has too many values");
	if (g->n < *g->cap)
		return 0;
	uint32_t want = *g->cap ? *g->cap * 2 : 16;
	void *more = reallocarray(*g->list, want, g->width);
	if (!more)
		return -ENOMEM;
	*g->list = more;
	*g->cap = want;
	return 0;
}

int filter_set_range(struct filter_parser *p, struct filter_range r, size_t at)
{
	struct filter *f = p->f;
	struct growing list = {(void **)&f->ranges, f->n_ranges, &p->ranges_cap, sizeof(r)};
	int ret = grow(p, &list, at);
	if (ret == 0)
		f->ranges[f->n_ranges++] = r;
	return ret;
}

static int add_number(struct filter_parser *p, const struct filter_subject *s)
{
	struct filter_range r;
	const char *what;
	const struct lex_token t = p->lex.now;
	if (t.kind != LEX_WORD && t.kind != LEX_STRING)
		return filter_fail_here(p, "expected a value");
	if (filter_value_number(s->kind, value_max(s->a), &t, &r, &what) < 0)
		return filter_fail_here(p, what);
	lex_next(&p->lex);
	return filter_set_range(p, r, t.at);
}

int filter_set_net(struct filter_parser *p, const struct filter_net *net, size_t at)
{
	struct filter *f = p->f;
	struct growing list = {(void **)&f->nets, f->n_nets, &p->nets_cap, sizeof(*net)};
	int ret = grow(p, &list, at);
	if (ret == 0)
		f->nets[f->n_nets++] = *net;
	return ret;
}

static int add_net(struct filter_parser *p)
{
	struct filter_net net;
	const struct lex_token t = p->lex.now;
	if ((t.kind != LEX_WORD && t.kind != LEX_STRING) || filter_value_net(&t, &net) < 0)
		return filter_fail_here(p, "expected an address or a network such as 10.0.0.0/8");
	lex_next(&p->lex);
	return filter_set_net(p, &net, t.at);
}

static int add_text(struct filter_parser *p)
{
	struct filter *f = p->f;
	const struct lex_token t = p->lex.now;
	if (t.kind != LEX_WORD && t.kind != LEX_STRING)
		return filter_fail_here(p, "expected a text, in quotes if it is more than a word");
	lex_next(&p->lex);
	struct growing list = {(void **)&f->texts, f->n_texts, &p->texts_cap, sizeof(*f->texts)};
	int ret = grow(p, &list, t.at);
	if (ret < 0)
		return ret;
	// all texts together are no longer than the filter they come from
	f->texts[f->n_texts++] = (struct filter_text){f->text_len, (uint32_t)t.len};
	memcpy(f->text + f->text_len, t.p, t.len);
	f->text_len += (uint32_t)t.len;
	return 0;
}

static int add_value(struct filter_parser *p, const struct filter_subject *s)
{
	if (s->kind == KIND_ADDR)
		return add_net(p);
	return s->kind == KIND_TEXT ? add_text(p) : add_number(p, s);
}

static int cmp_range(const void *left, const void *right)
{
	const struct filter_range *l = left, *r = right;
	return l->lo < r->lo ? -1 : l->lo > r->lo;
}

static int cmp_net(const void *left, const void *right)
{
	const struct filter_net *l = left, *r = right;
	return addr_cmp(&l->lo, &r->lo);
}

// Puts what was added from `first` on in order and joins what overlaps, for the binary search.
static uint32_t join_ranges(struct filter_range *r, uint32_t n)
{
	uint32_t kept = 0;
	qsort(r, n, sizeof(*r), cmp_range);
	for (uint32_t i = 0; i < n; i++) {
		if (kept && r[i].lo <= r[kept - 1].hi)
			r[kept - 1].hi = r[i].hi > r[kept - 1].hi ? r[i].hi : r[kept - 1].hi;
		else
			r[kept++] = r[i];
	}
	return kept;
}

static uint32_t join_nets(struct filter_net *r, uint32_t n)
{
	uint32_t kept = 0;
	qsort(r, n, sizeof(*r), cmp_net);
	for (uint32_t i = 0; i < n; i++) {
		if (kept && addr_cmp(&r[i].lo, &r[kept - 1].hi) <= 0) {
			if (addr_cmp(&r[i].hi, &r[kept - 1].hi) > 0)
				r[kept - 1].hi = r[i].hi;
		} else {
			r[kept++] = r[i];
		}
	}
	return kept;
}

// The set of a condition, as a node that lacks its source.
static void close_set(
	struct filter_parser *p,
	const struct filter_subject *s,
	uint32_t first,
	struct filter_node *set
)
{
	struct filter *f = p->f;
	set->first = first;
	if (s->kind == KIND_TEXT) {
		set->n = f->n_texts - first;
	} else if (s->kind == KIND_ADDR) {
		set->n = f->n_nets == first ? 0 : join_nets(&f->nets[first], f->n_nets - first);
		f->n_nets = first + set->n;
	} else {
		set->n = f->n_ranges == first ? 0
					      : join_ranges(&f->ranges[first], f->n_ranges - first);
		f->n_ranges = first + set->n;
	}
}

static int parse_list(struct filter_parser *p, const struct filter_subject *s)
{
	if (p->lex.now.kind != LEX_LIST)
		return filter_fail_here(p, "expected '[' and a list of values");
	lex_next(&p->lex);
	do {
		int ret = add_value(p, s);
		if (ret < 0)
			return ret;
		if (p->lex.now.kind == LEX_COMMA)
			lex_next(&p->lex);
		if (p->lex.now.kind == LEX_END)
			return filter_fail_here(p, "expected ']'");
	} while (p->lex.now.kind != LEX_LIST_END);
	lex_next(&p->lex);
	return 0;
}

// Turns the one range that was added last into what a comparison with it means.
static void compare_with(struct filter_parser *p, enum lex_kind how)
{
	struct filter *f = p->f;
	struct filter_range *r = &f->ranges[f->n_ranges - 1];
	bool none = false;
	switch (how) {
	case LEX_GT:
		none = r->hi == UINT64_MAX;
		*r = (struct filter_range){r->hi + 1, UINT64_MAX};
		break;
	case LEX_GE:
		r->hi = UINT64_MAX;
		break;
	case LEX_LT:
		none = r->lo == 0;
		*r = (struct filter_range){0, r->lo - 1};
		break;
	case LEX_LE:
		r->lo = 0;
		break;
	default:
		break;
	}
	f->n_ranges -= none;
}

static bool is_compare(enum lex_kind k)
{
	return k >= LEX_EQ && k <= LEX_LIKE;
}

// The mask that may follow a network.
static void take_mask(struct filter_parser *p)
{
	struct filter_net *net = &p->f->nets[p->f->n_nets - 1];
	if (p->lex.now.kind == LEX_WORD && addr_is_v4(&net->lo) &&
	    filter_value_mask(&p->lex.now, net) == 0)
		lex_next(&p->lex);
}

// Letters alone: all of these flags are set. With a comparison: the number they make.
static int take_flags(
	struct filter_parser *p,
	enum lex_kind how,
	bool given,
	struct filter_node *set,
	bool *ret_not
)
{
	size_t at = p->lex.now.at;
	lex_next(&p->lex);
	if (!given) {
		set->op = FILTER_BITS;
		return 0;
	}
	int ret = filter_set_range(p, (struct filter_range){set->bits, set->bits}, at);
	if (ret == 0)
		compare_with(p, how);
	*ret_not = how == LEX_NE;
	return ret;
}

// "[comparison] value", where the value is no list.
static int parse_compare(
	struct filter_parser *p,
	const struct filter_subject *s,
	struct filter_node *set,
	bool *ret_not
)
{
	struct lex_token sign = p->lex.now;
	bool given = is_compare(sign.kind), numeric = s->kind != KIND_ADDR && s->kind != KIND_TEXT;
	enum lex_kind how = given ? sign.kind : LEX_EQ;
	if (given)
		lex_next(&p->lex);
	if ((how == LEX_LIKE && s->kind != KIND_TEXT) ||
	    (!numeric && (how == LEX_GT || how == LEX_LT || how == LEX_GE || how == LEX_LE)))
		return filter_fail(p, sign.at, "%s cannot be compared in this way", s->word);
	if (s->kind == KIND_FLAGS && p->lex.now.kind == LEX_WORD &&
	    filter_value_flags(&p->lex.now, &set->bits) == 0)
		return take_flags(p, how, given, set, ret_not);
	int ret = add_value(p, s);
	if (ret < 0)
		return ret;
	if (s->kind == KIND_ADDR)
		take_mask(p);
	if (how == LEX_LIKE)
		set->op = FILTER_CONTAINS;
	if (numeric)
		compare_with(p, how);
	*ret_not = how == LEX_NE;
	return 0;
}

int filter_set_parse(
	struct filter_parser *p,
	const struct filter_subject *s,
	struct filter_node *set,
	bool *ret_not
)
{
	uint32_t first = p->f->n_ranges;
	int ret;
	*set = (struct filter_node){.op = FILTER_NUMBER};
	*ret_not = false;
	if (s->kind == KIND_ADDR) {
		set->op = FILTER_ADDR;
		first = p->f->n_nets;
	} else if (s->kind == KIND_TEXT) {
		set->op = FILTER_TEXT;
		first = p->f->n_texts;
	}
	if (p->lex.now.kind == LEX_WORD && lex_is(&p->lex.now, "in")) {
		lex_next(&p->lex);
		ret = parse_list(p, s);
	} else {
		ret = parse_compare(p, s, set, ret_not);
	}
	if (ret == 0)
		close_set(p, s, first, set);
	return ret;
}
